package io.github.kolors4j.cli.synthetic;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.checkpoint.Parameter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The published model's names and shapes, against those of diffusers' classes. */
class LayoutTest {
  /** The components of a checkpoint itself. */
  private static final List<Part> OWN = List.of(Part.UNET, Part.VAE, Part.TEXT);

  @Test
  void namesAndShapesAtFullSizeAreThoseOfDiffusers() throws IOException, NoSuchAlgorithmException {
    StringBuilder found = new StringBuilder();
    for (Part part : List.of(Part.UNET, Part.VAE, Part.TEXT, Part.CONTROLNET)) {
      List<Parameter> parameters = part.parameters(CheckpointConfig.full());
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      parameters.stream()
          .map(each -> each.name() + " F16 " + each.shape() + "\n")
          .sorted()
          .forEach(line -> digest.update(line.getBytes(StandardCharsets.UTF_8)));
      long values = parameters.stream().mapToLong(Parameter::size).sum();
      found.append(
          "%s %d %d %s\n"
              .formatted(
                  part.folder(),
                  parameters.size(),
                  values,
                  HexFormat.of().formatHex(digest.digest())));
    }
    try (InputStream in = getClass().getResourceAsStream("/reference/full-layout.txt")) {
      assertEquals(new String(in.readAllBytes(), StandardCharsets.UTF_8), found.toString());
    }
  }

  @Test
  void theThreeFilesOfTheTextEncoderAreAsLargeAsPublished() throws IOException {
    SyntheticCheckpoint checkpoint =
        new SyntheticCheckpoint(CheckpointConfig.full(), List.of(Part.TEXT), null, null, 0);
    assertEquals(
        List.of("4.91", "4.90", "2.68"), // GB, as the hub shows them
        checkpoint.fileSizes().stream().map(bytes -> "%.2f".formatted(bytes / 1e9)).toList());
  }

  @Test
  void allTogetherIsAsLargeAsPublished() throws IOException {
    SyntheticCheckpoint checkpoint =
        new SyntheticCheckpoint(CheckpointConfig.full(), OWN, null, null, 0);
    assertEquals(
        2 * (2_579_458_820L + 83_653_863L + 6_243_584_000L + 32 /* inv_freq */),
        checkpoint.bytes());
  }

  @Test
  void aControlNetIsAsLargeAsPublished() throws IOException {
    SyntheticCheckpoint checkpoint =
        new SyntheticCheckpoint(CheckpointConfig.full(), List.of(Part.CONTROLNET), null, null, 0);
    assertEquals(2 * 1_263_009_296L, checkpoint.bytes());
  }

  /** Kolors-IP-Adapter-Plus is a file of 1.01 GB, and its encoder the half of a whole CLIP. */
  @Test
  void whatImagePromptsNeedIsAsLargeAsPublished() throws IOException {
    CheckpointConfig full = CheckpointConfig.full();
    assertEquals("506.6", millions(Part.IP_ADAPTER, full));
    assertEquals("304.3", millions(Part.IMAGE_ENCODER, full));
    assertEquals("2.4", millions(Part.TAESD, full));
  }

  private static String millions(Part part, CheckpointConfig config) throws IOException {
    long values = part.parameters(config).stream().mapToLong(Parameter::size).sum();
    return String.format(Locale.ROOT, "%.1f", values / 1e6);
  }
}
