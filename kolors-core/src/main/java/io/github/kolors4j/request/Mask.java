package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * Where a picture is redrawn: inside of a border, or everywhere in part. Colours do not count, only
 * how bright they are.
 */
public sealed interface Mask {

  /**
   * The mask itself.
   *
   * @return a picture of any size; it is resized to that of the request
   */
  KolorsImage image();

  /**
   * Inpainting: what is white is painted anew, what is black stays. Diffusers' {@code mask_image}
   * of {@code KolorsInpaintPipeline}. From half of white on a value counts as white; a mask that is
   * {@linkplain KolorsImage#gaussianBlur blurred} has a soft border where a cropped region is put
   * back.
   *
   * @param image white where the picture is painted anew
   * @param paddingMaskCrop where given, only the region around what is marked is painted, with a
   *     margin of so many pixels, at the whole size of the request; it is then put back into the
   *     picture, whose size the result has. Good for a small part of a large picture
   */
  record Inpainting(KolorsImage image, OptionalInt paddingMaskCrop) implements Mask {
    /**
     * Checks the margin.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public Inpainting {
      Objects.requireNonNull(image, "image");
      if (paddingMaskCrop.isPresent() && paddingMaskCrop.getAsInt() < 0) {
        throw new IllegalArgumentException(
            "[request] padding_mask_crop %s: use 0 pixels or more."
                .formatted(paddingMaskCrop.getAsInt()));
      }
    }
  }

  /**
   * Differential image to image (Levin and Fried 2023): the brighter, the longer the picture is
   * kept. What is black is redrawn from the first step on, and what is white stays. Diffusers'
   * {@code map} of its community's {@code KolorsDifferentialImg2ImgPipeline}.
   *
   * @param image how much of the picture is kept
   */
  record StrengthMap(KolorsImage image) implements Mask {
    /** Refuses null. */
    public StrengthMap {
      Objects.requireNonNull(image, "image");
    }
  }

  /**
   * A mask for inpainting.
   *
   * @param image white where the picture is painted anew
   * @return the mask
   */
  static Mask of(KolorsImage image) {
    return new Inpainting(image, OptionalInt.empty());
  }

  /**
   * A mask for inpainting of a region by itself.
   *
   * @param image white where the picture is painted anew
   * @param paddingMaskCrop the margin around what is marked, in pixels
   * @return the mask
   * @throws IllegalArgumentException if the margin is negative
   */
  static Mask cropped(KolorsImage image, int paddingMaskCrop) {
    return new Inpainting(image, OptionalInt.of(paddingMaskCrop));
  }

  /**
   * A mask for inpainting of the whole picture, of which everything that it leaves keeps its very
   * pixels; without, they go through the VAE and back. A region whose margin is the whole picture:
   * so the request says its size, and the result has the picture's.
   *
   * @param image white where the picture is painted anew, of the picture's size
   * @return the mask
   */
  static Mask overlaid(KolorsImage image) {
    return cropped(image, Math.max(image.width(), image.height()));
  }

  /**
   * The same mask as another picture, such as a resized one.
   *
   * @param other the picture
   * @return the mask
   */
  default Mask withImage(KolorsImage other) {
    return switch (this) {
      case Inpainting(_, OptionalInt padding) -> new Inpainting(other, padding);
      case StrengthMap _ -> new StrengthMap(other);
    };
  }
}
