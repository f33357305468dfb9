package io.github.kolors4j;

import io.github.kolors4j.image.KolorsImage;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a picture begins with where it does not begin with noise alone; the arguments that
 * diffusers' {@code KolorsImg2ImgPipeline} has beyond those of text to image.
 *
 * @param images one for all pictures, or one a picture; none where there are latents
 * @param latents in place of images, {@code [1 or n, c, h/f, w/f]} in PyTorch's order, times the
 *     scaling factor: what a request with {@link OutputType#LATENT} gives
 * @param strength how much of the picture is redrawn: 0 nothing, 1 everything. That share of the
 *     steps is taken
 * @param denoisingStart in place of the strength, the share of the way that the latents have behind
 *     them, between 0 and 1; no noise is added then
 */
public record ImageToImage(
    List<KolorsImage> images,
    Optional<FloatArray> latents,
    double strength,
    OptionalDouble denoisingStart) {

  /** The strength where none is said, as in diffusers. */
  public static final double DEFAULT_STRENGTH = 0.3;

  /**
   * Copies the list and checks each value by itself.
   *
   * @throws IllegalArgumentException if there are neither images nor latents, or both, or a share
   *     is outside its range
   */
  public ImageToImage {
    images = List.copyOf(images);
    Objects.requireNonNull(latents, "latents");
    Objects.requireNonNull(denoisingStart, "denoisingStart");
    if (images.isEmpty() == latents.isEmpty()) {
      throw new IllegalArgumentException(
          images.isEmpty()
              ? "[request] image to image without an image: give an image, or its latents."
              : "[request] both images and their latents: give one of them.");
    }
    if (!(strength >= 0 && strength <= 1)) {
      throw new IllegalArgumentException(
          "[request] strength %s is outside 0 to 1: 0 keeps the image, 1 redraws all of it."
              .formatted(strength));
    }
    Fractions.check("denoising_start", denoisingStart);
  }

  /** From one image. */
  static ImageToImage of(List<KolorsImage> images) {
    return new ImageToImage(images, Optional.empty(), DEFAULT_STRENGTH, OptionalDouble.empty());
  }

  /** From latents. */
  static ImageToImage of(FloatArray latents) {
    return new ImageToImage(
        List.of(), Optional.of(latents), DEFAULT_STRENGTH, OptionalDouble.empty());
  }

  /** The image that one of the pictures begins with. */
  KolorsImage image(int index) {
    return images.size() == 1 ? images.getFirst() : images.get(index);
  }

  ImageToImage withStrength(double value) {
    return new ImageToImage(images, latents, value, denoisingStart);
  }

  ImageToImage withDenoisingStart(double value) {
    return new ImageToImage(images, latents, strength, OptionalDouble.of(value));
  }
}
