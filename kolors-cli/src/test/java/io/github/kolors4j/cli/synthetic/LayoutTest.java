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
import org.junit.jupiter.api.Test;

/** The published model's names and shapes, against those of diffusers' classes. */
class LayoutTest {
  @Test
  void namesAndShapesAtFullSizeAreThoseOfDiffusers() throws IOException, NoSuchAlgorithmException {
    StringBuilder found = new StringBuilder();
    for (Part part : Part.values()) {
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
        new SyntheticCheckpoint(
            CheckpointConfig.full(), List.of(Part.UNET, Part.VAE, Part.TEXT), null, null, 0);
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
}
