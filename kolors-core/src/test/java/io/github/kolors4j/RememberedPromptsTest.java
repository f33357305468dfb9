package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Prompts that were encoded before, on a copy of the mini checkpoint. */
class RememberedPromptsTest {
  private static final ImageRequest REQUEST =
      ImageRequest.builder("一只瓢虫")
          .negativePrompt("blurry")
          .seed(1)
          .size(32, 24)
          .numInferenceSteps(2)
          .build();

  @TempDir private Path folder;
  private Path checkpoint;
  private Path encoder;
  private PromptCache cache;

  @BeforeEach
  void copy() throws IOException {
    checkpoint = folder.resolve("kolors");
    encoder = checkpoint.resolve("text_encoder");
    Path mini = PipelineFixture.CHECKPOINT.toRealPath();
    try (var files = Files.walk(mini)) {
      for (Path file : files.toList()) {
        Files.copy(file, checkpoint.resolve(mini.relativize(file)));
      }
    }
    cache = PromptCache.at(folder.resolve("cache"));
  }

  private KolorsPipeline open() throws IOException {
    return KolorsPipeline.builder(checkpoint).threads(2).promptCache(cache).open();
  }

  private KolorsImage generate(ImageRequest request) throws IOException {
    try (KolorsPipeline pipeline = open()) {
      return pipeline.generate(request).image();
    }
  }

  private void remove(String endsWith) throws IOException {
    try (Stream<Path> files = Files.list(encoder)) {
      for (Path file : files.filter(each -> each.toString().endsWith(endsWith)).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void aRememberedPromptGivesTheSamePictureWithoutTheEncodersFiles() throws IOException {
    KolorsImage expected;
    try (KolorsPipeline plain = KolorsPipeline.open(checkpoint)) {
      expected = plain.generate(REQUEST).image();
    }
    assertEquals(expected, generate(REQUEST));
    remove(".safetensors");
    assertEquals(expected, generate(REQUEST), "without weights");
    remove("");
    assertEquals(expected, generate(REQUEST), "without any file");
    Files.delete(encoder);
    assertEquals(expected, generate(REQUEST), "without the folder");
    try (KolorsPipeline pipeline = open()) {
      assertEquals(4, pipeline.identity().components().size(), "and is known in metadata");
    }
  }

  @Test
  void aNewPromptOrLengthNeedsTheEncoder() throws IOException {
    generate(REQUEST);
    remove(".safetensors");
    for (ImageRequest other :
        List.of(
            REQUEST.toBuilder().prompts(List.of("一只")).build(),
            REQUEST.toBuilder().negativePrompt("").build(),
            REQUEST.toBuilder().maxSequenceLength(128).build())) {
      UncheckedIOException fault = assertThrows(UncheckedIOException.class, () -> generate(other));
      assertTrue(fault.getCause() instanceof InvalidFileException, fault.toString());
    }
  }

  @Test
  void promptsOfAnotherEncoderAreNotTaken() throws IOException {
    generate(REQUEST);
    Path weights;
    try (Stream<Path> files = Files.list(encoder)) {
      weights =
          files.filter(file -> file.toString().endsWith(".safetensors")).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(weights);
    for (int i = bytes.length / 2; i < bytes.length; i++) {
      bytes[i] ^= 1;
    }
    Files.write(weights, bytes);
    KolorsImage expected;
    try (KolorsPipeline plain = KolorsPipeline.open(checkpoint)) {
      expected = plain.generate(REQUEST).image();
    }
    assertEquals(expected, generate(REQUEST));
  }

  @Test
  void aDamagedFileOfTheCacheIsMadeAgain() throws IOException {
    KolorsImage expected = generate(REQUEST);
    try (Stream<Path> files = Files.list(cache.directory())) {
      for (Path file : files.toList()) {
        Files.writeString(file, "damaged");
      }
    }
    assertEquals(expected, generate(REQUEST));
    remove(".safetensors");
    assertEquals(expected, generate(REQUEST));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void onDemandTheEncoderIsMappedWhileItEncodesOnly() throws IOException {
    try (KolorsPipeline pipeline =
        KolorsPipeline.builder(checkpoint).textEncoderOnDemand().open()) {
      assertFalse(encoderIsMapped(), "opened");
      pipeline.generate(REQUEST);
      assertFalse(encoderIsMapped(), "encoded");
      pipeline.textEncoder();
      assertTrue(encoderIsMapped(), "lent");
      pipeline.generate(REQUEST);
      assertTrue(encoderIsMapped(), "still lent");
    }
    assertFalse(encoderIsMapped(), "closed");
    try (KolorsPipeline _ = KolorsPipeline.open(checkpoint)) {
      assertTrue(encoderIsMapped(), "by default as long as the pipeline");
    }
  }

  private boolean encoderIsMapped() throws IOException {
    return Files.readString(Path.of("/proc/self/maps")).contains(encoder.toRealPath().toString());
  }

  @Test
  void severalThreadsShareAnEncoderOnDemand() throws Exception {
    try (KolorsPipeline pipeline =
        KolorsPipeline.builder(checkpoint).threads(2).textEncoderOnDemand().open()) {
      KolorsImage expected = pipeline.generate(REQUEST).image();
      try (var threads = java.util.concurrent.Executors.newFixedThreadPool(3)) {
        var tasks =
            java.util.Collections.nCopies(
                6,
                (java.util.concurrent.Callable<KolorsImage>)
                    () -> pipeline.generate(REQUEST).image());
        for (var each : threads.invokeAll(tasks)) {
          assertEquals(expected, each.get());
        }
      }
    }
  }
}
