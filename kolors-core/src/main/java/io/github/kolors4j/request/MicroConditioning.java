package io.github.kolors4j.request;

import java.util.Objects;
import java.util.Optional;

/**
 * What the U-Net is told of sizes: SDXL's micro-conditioning (Podell et al. 2023, section 2.2).
 * What is left out is the picture's own size, and a crop of (0, 0).
 *
 * @param originalSize how large the picture was before it was cut to size; small values give the
 *     look of enlarged pictures
 * @param cropsCoordsTopLeft where the picture was cut out: values above 0 move the subject
 * @param targetSize how large the picture is to look
 * @param negativeOriginalSize how large a picture was of the kind that is not wanted, before it was
 *     cut to size; acts together with {@code negativeTargetSize} only, as in diffusers
 * @param negativeCropsCoordsTopLeft where a picture of the kind that is not wanted was cut out
 * @param negativeTargetSize how large a picture of the kind that is not wanted looks
 */
public record MicroConditioning(
    Optional<Size> originalSize,
    Optional<Crop> cropsCoordsTopLeft,
    Optional<Size> targetSize,
    Optional<Size> negativeOriginalSize,
    Optional<Crop> negativeCropsCoordsTopLeft,
    Optional<Size> negativeTargetSize) {

  /** Nothing said. */
  public static final MicroConditioning DEFAULT =
      new MicroConditioning(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  private static final Crop UNCUT = new Crop(0, 0);

  /** Refuses nulls. */
  public MicroConditioning {
    Objects.requireNonNull(originalSize, "originalSize");
    Objects.requireNonNull(cropsCoordsTopLeft, "cropsCoordsTopLeft");
    Objects.requireNonNull(targetSize, "targetSize");
    Objects.requireNonNull(negativeOriginalSize, "negativeOriginalSize");
    Objects.requireNonNull(negativeCropsCoordsTopLeft, "negativeCropsCoordsTopLeft");
    Objects.requireNonNull(negativeTargetSize, "negativeTargetSize");
  }

  /**
   * A size in diffusers' order.
   *
   * @param height in pixels, at least 1
   * @param width in pixels, at least 1
   */
  public record Size(int height, int width) {
    /**
     * A size.
     *
     * @throws IllegalArgumentException if an extent is below 1
     */
    public Size {
      if (height < 1 || width < 1) {
        throw new IllegalArgumentException(
            "[request] a size of %sx%s pixels: use 1 or more.".formatted(width, height));
      }
    }
  }

  /**
   * The upper left corner of a crop.
   *
   * @param top in pixels from the upper edge
   * @param left in pixels from the left edge
   */
  public record Crop(int top, int left) {}

  /**
   * What the U-Net is told beside the prompt; diffusers' {@code add_time_ids}.
   *
   * @param picture the picture's own size
   * @return original height and width, top and left of the crop, target height and width
   */
  public float[] addTimeIds(Size picture) {
    return ids(
        originalSize.orElse(picture), cropsCoordsTopLeft.orElse(UNCUT), targetSize.orElse(picture));
  }

  /**
   * What the U-Net is told beside the negative prompt; diffusers' {@code negative_add_time_ids}:
   * the prompt's where the negative sizes are not both given.
   *
   * @param picture the picture's own size
   * @return original height and width, top and left of the crop, target height and width
   */
  public float[] negativeAddTimeIds(Size picture) {
    return negativeOriginalSize.isPresent() && negativeTargetSize.isPresent()
        ? ids(
            negativeOriginalSize.get(),
            negativeCropsCoordsTopLeft.orElse(UNCUT),
            negativeTargetSize.get())
        : addTimeIds(picture);
  }

  MicroConditioning withOriginalSize(Size value) {
    return new MicroConditioning(
        Optional.of(value),
        cropsCoordsTopLeft,
        targetSize,
        negativeOriginalSize,
        negativeCropsCoordsTopLeft,
        negativeTargetSize);
  }

  MicroConditioning withCropsCoordsTopLeft(Crop value) {
    return new MicroConditioning(
        originalSize,
        Optional.of(value),
        targetSize,
        negativeOriginalSize,
        negativeCropsCoordsTopLeft,
        negativeTargetSize);
  }

  MicroConditioning withTargetSize(Size value) {
    return new MicroConditioning(
        originalSize,
        cropsCoordsTopLeft,
        Optional.of(value),
        negativeOriginalSize,
        negativeCropsCoordsTopLeft,
        negativeTargetSize);
  }

  MicroConditioning withNegativeOriginalSize(Size value) {
    return new MicroConditioning(
        originalSize,
        cropsCoordsTopLeft,
        targetSize,
        Optional.of(value),
        negativeCropsCoordsTopLeft,
        negativeTargetSize);
  }

  MicroConditioning withNegativeCropsCoordsTopLeft(Crop value) {
    return new MicroConditioning(
        originalSize,
        cropsCoordsTopLeft,
        targetSize,
        negativeOriginalSize,
        Optional.of(value),
        negativeTargetSize);
  }

  MicroConditioning withNegativeTargetSize(Size value) {
    return new MicroConditioning(
        originalSize,
        cropsCoordsTopLeft,
        targetSize,
        negativeOriginalSize,
        negativeCropsCoordsTopLeft,
        Optional.of(value));
  }

  private static float[] ids(Size original, Crop crop, Size target) {
    return new float[] {
      original.height, original.width, crop.top, crop.left, target.height, target.width
    };
  }
}
