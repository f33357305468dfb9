package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.ImageRequest;
import io.github.kolors4j.MicroConditioning.Crop;
import io.github.kolors4j.MicroConditioning.Size;
import java.util.function.BiFunction;
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

  ImageRequest apply(ImageRequest request) {
    ImageRequest changed = given(request, width, ImageRequest::withWidth);
    changed = given(changed, height, ImageRequest::withHeight);
    changed = given(changed, originalSize, size(ImageRequest::withOriginalSize));
    changed = given(changed, targetSize, size(ImageRequest::withTargetSize));
    changed = given(changed, cropsCoordsTopLeft, crop(ImageRequest::withCropsCoordsTopLeft));
    changed = given(changed, negativeOriginalSize, size(ImageRequest::withNegativeOriginalSize));
    changed = given(changed, negativeTargetSize, size(ImageRequest::withNegativeTargetSize));
    return given(
        changed, negativeCropsCoordsTopLeft, crop(ImageRequest::withNegativeCropsCoordsTopLeft));
  }

  /** A method of the request that takes two numbers: height and width, or top and left. */
  @FunctionalInterface
  private interface Pair {
    ImageRequest apply(ImageRequest request, int first, int second);
  }

  private static BiFunction<ImageRequest, Size, ImageRequest> size(Pair with) {
    return (request, size) -> with.apply(request, size.height(), size.width());
  }

  private static BiFunction<ImageRequest, Crop, ImageRequest> crop(Pair with) {
    return (request, crop) -> with.apply(request, crop.top(), crop.left());
  }
}
