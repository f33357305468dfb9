package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.MicroConditioning.Crop;
import io.github.kolors4j.request.MicroConditioning.Size;
import picocli.CommandLine.Option;

/** How large the picture is, and how large the U-Net is told that it is. */
final class SizeOptions {
  @Option(
      names = "--width",
      paramLabel = "N",
      description =
          "Pixels, a multiple of 8. Default: what the model was trained on, or that of --image.")
  private Integer width;

  @Option(
      names = "--height",
      paramLabel = "N",
      description =
          "Pixels, a multiple of 8. Default: what the model was trained on, or that of --image.")
  private Integer height;

  @Option(
      names = "--original-size",
      paramLabel = "WxH",
      converter = Numbers.PixelSize.class,
      description =
          "The size before cropping that the model is told; a small one gives the look of enlarged"
              + " pictures. Default: the picture's.")
  private Size originalSize;

  @Option(
      names = "--target-size",
      paramLabel = "WxH",
      converter = Numbers.PixelSize.class,
      description = "The final size that the model is told. Default: the picture's.")
  private Size targetSize;

  @Option(
      names = "--crops-coords-top-left",
      paramLabel = "TOP,LEFT",
      converter = Numbers.TopLeft.class,
      description = "The crop's corner that the model is told. Default: 0,0.")
  private Crop cropsCoordsTopLeft;

  @Option(
      names = "--negative-original-size",
      paramLabel = "WxH",
      converter = Numbers.PixelSize.class,
      description = "The same for what the picture should not be like; needs the next one.")
  private Size negativeOriginalSize;

  @Option(
      names = "--negative-target-size",
      paramLabel = "WxH",
      converter = Numbers.PixelSize.class,
      description = "The same for what the picture should not be like; needs the one above.")
  private Size negativeTargetSize;

  @Option(
      names = "--negative-crops-coords-top-left",
      paramLabel = "TOP,LEFT",
      converter = Numbers.TopLeft.class,
      description = "The same for what the picture should not be like; needs the two above.")
  private Crop negativeCropsCoordsTopLeft;

  /** Says what does nothing. */
  void check(Terminal terminal) {
    boolean both = negativeOriginalSize != null && negativeTargetSize != null;
    boolean any =
        negativeOriginalSize != null
            || negativeTargetSize != null
            || negativeCropsCoordsTopLeft != null;
    if (any && !both) {
      terminal.warn(
          "[arguments] the negative sizes have no effect unless both --negative-original-size and"
              + " --negative-target-size are given.");
    }
  }

  void apply(ImageRequest.Builder request) {
    given(width, request::width);
    given(height, request::height);
    given(originalSize, size -> request.originalSize(size.height(), size.width()));
    given(targetSize, size -> request.targetSize(size.height(), size.width()));
    given(cropsCoordsTopLeft, crop -> request.cropsCoordsTopLeft(crop.top(), crop.left()));
    given(negativeOriginalSize, size -> request.negativeOriginalSize(size.height(), size.width()));
    given(negativeTargetSize, size -> request.negativeTargetSize(size.height(), size.width()));
    given(
        negativeCropsCoordsTopLeft,
        crop -> request.negativeCropsCoordsTopLeft(crop.top(), crop.left()));
  }
}
