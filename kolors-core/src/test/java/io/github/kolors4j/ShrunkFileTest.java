package io.github.kolors4j;

import static io.github.kolors4j.Controls.onProgress;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.request.UnfinishedRequest;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of an open pipeline that something cuts short, or takes away. */
@DisabledOnOs(OS.WINDOWS) // which does not let anybody
class ShrunkFileTest {
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(8)
          .seed(5)
          .build();

  @TempDir private Path folder;
  private Path checkpoint;
  private KolorsPipeline pipeline;
  private KolorsImage expected;

  @BeforeEach
  void open() throws IOException {
    checkpoint = NotFiniteTest.copyOf(PipelineFixture.CHECKPOINT, folder.resolve("copy"));
    pipeline = KolorsPipeline.builder(checkpoint).threads(3).open();
    expected = pipeline.generate(SMALL).image();
  }

  @AfterEach
  void close() {
    pipeline.close();
  }

  private Path weights(String component) throws IOException {
    try (Stream<Path> files = Files.list(checkpoint.resolve(component))) {
      return files
          .filter(each -> each.toString().endsWith(".safetensors"))
          .sorted()
          .findFirst()
          .get();
    }
  }

  private static void cut(Path file, long length) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sentence(Path file, long now, long before) {
    return ("[safetensors] %s: has %,d bytes now, and had %,d when it was opened: it was cut short"
            + " while it was in use. Restore it, and replace a file that is in use by renaming"
            + " another over it.")
        .formatted(file, now, before);
  }

  /** Whatever is being computed at that moment, and whichever thread comes to the gap. */
  @ParameterizedTest
  @CsvSource({
    "text_encoder, TEXT, 0",
    "unet, DENOISE, 0",
    "unet, DENOISE, 1",
    "unet, TEXT, 2",
    "vae, DECODE, 0",
    "vae, DENOISE, 1"
  })
  void aFileThatIsCutShortEndsTheRequestWithItsName(String component, Stage stage, int step)
      throws IOException {
    Path file = weights(component);
    byte[] whole = Files.readAllBytes(file);
    String sentence = sentence(file, whole.length / 3, whole.length);
    UncheckedIOException thrown =
        assertThrows(
            UncheckedIOException.class,
            () ->
                pipeline.generate(
                    SMALL,
                    onProgress(
                        progress -> {
                          if (progress.stage() == stage && progress.step() == step) {
                            cut(file, whole.length / 3);
                          }
                        })));
    assertEquals(sentence, thrown.getMessage());
    assertEquals(InvalidFileException.class, thrown.getCause().getClass().getSuperclass());
    assertEquals(0, UnfinishedRequest.finishedBefore(thrown).orElseThrow().count());
    assertEquals(
        sentence,
        assertThrows(UncheckedIOException.class, () -> pipeline.generate(SMALL)).getMessage(),
        "and the next one before its first step");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(whole));
    }
    assertEquals(expected, pipeline.generate(SMALL).image(), "restored");
  }

  @Test
  void theEncodingOfAPromptNamesItToo() throws IOException {
    Path file = weights("text_encoder");
    final long before = Files.size(file);
    cut(file, 0);
    assertEquals(
        sentence(file, 0, before),
        assertThrows(UncheckedIOException.class, () -> pipeline.encodePrompt("a")).getMessage());
  }

  @Test
  void aFileThatIsDeletedOrReplacedByARenameIsStillThere() throws IOException {
    Files.delete(weights("unet"));
    Path other = Files.write(folder.resolve("other"), new byte[3]);
    Files.move(other, weights("vae"), StandardCopyOption.REPLACE_EXISTING);
    assertEquals(expected, pipeline.generate(SMALL).image());
  }
}
