package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What the picture begins with, if not with noise alone. */
final class ImageToImageOptions {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      description =
          "Redraws this picture. It is resized to --width and --height; without them the size stays,"
              + " rounded down to the multiple.")
  private Path image;

  @Option(
      names = "--strength",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "How much of --image is redrawn: 0 nothing, 1 everything. That share of the steps is"
              + " taken. Default: 0.3.")
  private Double strength;

  @Option(
      names = "--denoising-start",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "Goes on with --image after this share of the way, between 0 and 1, without new noise and"
              + " in place of --strength.")
  private Double denoisingStart;

  /** Refuses what has nothing to act on, and says what does nothing. */
  void check(Terminal terminal) {
    if (image == null && strength != null) {
      throw withoutImage("--strength");
    }
    if (image == null && denoisingStart != null) {
      throw withoutImage("--denoising-start");
    }
    if (strength != null && denoisingStart != null) {
      terminal.warn("[arguments] --strength has no effect beside --denoising-start.");
    }
  }

  private static UsageException withoutImage(String option) {
    return new UsageException(
        "[arguments] %s without --image: it is for image to image, give the image too."
            .formatted(option));
  }

  /** Reads the image, if there is one. */
  void apply(ImageRequest.Builder request) throws IOException {
    if (image != null) {
      request.image(KolorsImage.read(image));
    }
    given(strength, request::strength);
    given(denoisingStart, request::denoisingStart);
  }
}
