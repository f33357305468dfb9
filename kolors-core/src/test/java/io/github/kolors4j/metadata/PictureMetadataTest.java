package io.github.kolors4j.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.Products;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureMetadataTest {
  private static final ImageRequest REQUEST =
      ImageRequest.builder("一只瓢虫, red").seed(7).size(32, 24).numInferenceSteps(2).build();

  private static KolorsPipeline pipeline;

  @TempDir private Path folder;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.builder(MiniCheckpoint.directory()).threads(2).open();
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @Test
  void metadataComeBackFromThePicturesFileAndMakeItAgain() throws IOException {
    KolorsPipeline karras =
        pipeline.withScheduler(
            Schedulers.byName("dpmsolver++")
                .fromConfig(pipeline.scheduler().config(), Map.of("use_karras_sigmas", true)));
    ImageResult result = karras.generate(REQUEST);
    PictureMetadata metadata = karras.metadata(result, 0);
    for (ImageFormat format : ImageFormat.values()) {
      Path file = folder.resolve("a." + format);
      result.image().save(file, format, metadata.texts());
      PictureMetadata read = PictureMetadata.read(file).orElseThrow();
      assertEquals(metadata, read);
      assertEquals(PictureMetadata.hash(result.image()), read.pixels());
      KolorsPipeline again = pipeline.withScheduler(read.makeScheduler());
      assertEquals(result.image(), again.generate(read.request()).image());
    }
  }

  /** A default of DPM-Solver++ is minus infinity, which JSON does not have. */
  @Test
  void anInfiniteOptionSurvivesStrictJson() {
    KolorsPipeline solver =
        pipeline.withScheduler(
            Schedulers.byName("dpmsolver++").fromConfig(pipeline.scheduler().config(), Map.of()));
    PictureMetadata metadata = solver.metadata(solver.generate(REQUEST), 0);
    assertEquals(Double.NEGATIVE_INFINITY, metadata.scheduler().get("lambda_min_clipped"));
    assertEquals(metadata, PictureMetadata.fromJson(metadata.toJson()));
    assertTrue(!metadata.toJson().contains("Infinity"), metadata.toJson());
  }

  @Test
  void eachOfSeveralPicturesKnowsItselfAlone() {
    ImageRequest two = REQUEST.toBuilder().numImagesPerPrompt(2).build();
    List<PictureMetadata> heard = new ArrayList<>();
    ImageResult result =
        pipeline.generate(
            two,
            RunControl.builder()
                .onImage(finished -> heard.add(pipeline.metadata(two, finished)))
                .build());
    ImageRequest alone = REQUEST.toBuilder().seed(8).build();
    assertEquals(alone, pipeline.metadata(result, 1).request());
    assertEquals(
        pipeline.metadata(pipeline.generate(alone), 0).texts(),
        pipeline.metadata(result, 1).texts());
    assertEquals(List.of(pipeline.metadata(result, 0), pipeline.metadata(result, 1)), heard);
  }

  @Test
  void aDrawnSeedIsAmongTheMetadataOfAPictureThatIsJustFinished() {
    ImageRequest open =
        ImageRequest.builder("x").size(16, 16).numInferenceSteps(1).numImagesPerPrompt(2).build();
    List<PictureMetadata> heard = new ArrayList<>();
    ImageResult result =
        pipeline.generate(
            open,
            RunControl.builder()
                .onImage(finished -> heard.add(pipeline.metadata(open, finished)))
                .build());
    assertEquals(pipeline.metadata(result, 1), heard.get(1));
    assertEquals(List.of(result.seeds().get(1)), heard.get(1).request().seeds());
  }

  /** Where the reference lets the pictures of a request depend on each other. */
  @Test
  void likeDiffusersThePicturesKnowTheWholeRequest() {
    ImageRequest two =
        REQUEST.toBuilder().numImagesPerPrompt(2).compatibility(Compatibility.DIFFUSERS).build();
    PictureMetadata second = pipeline.metadata(pipeline.generate(two), 1);
    assertEquals(1, second.image());
    assertEquals(2, second.request().numImages());
    assertTrue(second.parameters().contains("Seed: 8"), second.parameters());
  }

  @Test
  void ofAPictureToBeginWithOnlyWhatTheModelSawIsKept() {
    byte[] rgb = new byte[100 * 80 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i % 251);
    }
    ImageRequest from =
        REQUEST.toBuilder().image(KolorsImage.of(100, 80, rgb)).strength(0.5).build();
    ImageResult result = pipeline.generate(from);
    PictureMetadata metadata = pipeline.metadata(result, 0);
    Start.Image start = metadata.request().start().image().orElseThrow();
    assertEquals(32, start.image(0).width());
    assertEquals(24, start.image(0).height());
    assertEquals(
        result.image(),
        pipeline.generate(ImageRequest.fromJson(metadata.request().toJson())).image());
    assertTrue(metadata.parameters().contains("Denoising strength: 0.5"), metadata.parameters());
  }

  /** As the field's tools write it: a last line of at least three pairs of key and value. */
  @Test
  void theParametersLineIsTheFields() {
    ImageRequest request =
        REQUEST.toBuilder().negativePrompt("blurry, 模糊").guidanceScale(6.5).build();
    PictureMetadata metadata =
        PictureMetadata.of(
            request,
            0,
            KolorsImage.of(1, 1, new byte[3]),
            Schedulers.byName("dpmsolver++")
                .fromConfig(SchedulerConfig.of(Map.of()), Map.of("use_karras_sigmas", true)),
            new ModelIdentity("a: b, c", Map.of("unet", "00")),
            EngineVersion.current(Products.F32));
    String hash = new ModelIdentity("", Map.of("unet", "00")).hash().substring(0, 10);
    String version = EngineVersion.current(Products.F32).library();
    assertEquals(
        "一只瓢虫, red\n"
            + "Negative prompt: blurry, 模糊\n"
            + "Steps: 2, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 7,"
            + " Size: 32x24, Model hash: "
            + hash
            + ", Model: \"a: b, c\", RNG: CPU,"
            + " Version: kolors4j "
            + version,
        metadata.parameters());
    assertTrue(version.matches("\\d+\\.\\d+.*"), version);
  }

  @Test
  void anotherCopyIsTheSameModelAndChangedWeightsAreNot() throws IOException {
    Path copy = copy("copy");
    try (KolorsPipeline same = KolorsPipeline.open(copy)) {
      assertEquals(List.of(), pipeline.identity().differences(same.identity()));
      assertEquals("copy", same.identity().name());
      assertEquals(pipeline.identity().hash(), same.identity().hash());
    }
    // A fine-tuned model has other values in tensors of the same names and shapes.
    Path weights = weightsOf(copy.resolve("unet"));
    byte[] bytes = Files.readAllBytes(weights);
    for (int i = bytes.length / 2; i < bytes.length; i++) {
      bytes[i] ^= 1;
    }
    Files.write(weights, bytes);
    try (KolorsPipeline other = KolorsPipeline.open(copy)) {
      assertEquals(List.of("unet"), pipeline.identity().differences(other.identity()));
      assertNotEquals(pipeline.identity().hash(), other.identity().hash());
    }
  }

  @Test
  void aCheckpointInThePythonCacheHasItsRepositorysName() throws IOException {
    Path copy = copy("models--owner--a--name/snapshots/0123abcd");
    try (KolorsPipeline same = KolorsPipeline.open(copy)) {
      assertEquals("owner/a--name@0123abcd", same.identity().name());
    }
  }

  private static Path weightsOf(Path component) throws IOException {
    try (Stream<Path> files = Files.list(component)) {
      return files
          .filter(file -> file.toString().endsWith(".safetensors"))
          .findFirst()
          .orElseThrow();
    }
  }

  private Path copy(String name) throws IOException {
    Path from = MiniCheckpoint.directory();
    Path to = folder.resolve(name);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
    return to;
  }

  @Test
  void aPictureWithoutMetadataHasNone() throws IOException {
    Path file = folder.resolve("plain.png");
    KolorsImage.of(1, 1, new byte[3]).save(file);
    assertEquals(Optional.empty(), PictureMetadata.read(file));
  }

  @Test
  void metadataThatCannotBeReadAreAFaultOfTheFile() throws IOException {
    PictureMetadata metadata = pipeline.metadata(pipeline.generate(REQUEST), 0);
    String json = metadata.toJson();
    for (String broken :
        List.of(
            "{}",
            "[",
            json.replace("\"format\":1", "\"format\":2"),
            json.replace("\"pixels\"", "\"pixel\""),
            json.replace("\"image\":0", "\"image\":1"),
            json.replace("\"prompt\"", "\"promt\""))) {
      Path file = folder.resolve("broken.png");
      KolorsImage.of(1, 1, new byte[3])
          .save(file, ImageFormat.PNG, Map.of(PictureMetadata.KEYWORD, broken));
      String message =
          assertThrows(InvalidFileException.class, () -> PictureMetadata.read(file), broken)
              .getMessage();
      assertTrue(message.startsWith("[metadata] " + file), message);
    }
  }
}
