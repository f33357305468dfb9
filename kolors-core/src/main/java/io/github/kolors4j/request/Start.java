package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.tensor.FloatArray;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Where the pictures of a request begin: with drawn noise, with given noise, or with a picture. */
public sealed interface Start {

  /** Noise that is drawn from each picture's seed: text to image. */
  record Noise() implements Start {}

  /**
   * Given noise in place of drawn noise; diffusers' {@code latents}.
   *
   * @param latents {@code [n, c, h/f, w/f]} in PyTorch's order for the n pictures, before the
   *     multiplication by the scheduler's initial sigma
   */
  record Latents(FloatArray latents) implements Start {
    /** Refuses null. */
    public Latents {
      Objects.requireNonNull(latents, "latents");
    }
  }

  /**
   * A picture that is redrawn, image to image; the arguments that diffusers' {@code
   * KolorsImg2ImgPipeline} has beyond those of text to image.
   *
   * @param images one for all pictures, or one a picture; none where it is given as {@code encoded}
   * @param encoded the picture's latents in place of {@code images}, {@code [1 or n, c, h/f, w/f]}
   *     in PyTorch's order, times the VAE's scaling factor: what a request with {@link
   *     OutputType#LATENT} gives
   * @param strength how much of the picture is redrawn: 0 nothing, 1 everything. That share of the
   *     steps is taken
   * @param denoisingStart in place of the strength, the share of the way that the latents have
   *     behind them, between 0 and 1; no noise is added then
   * @param latents in place of the picture and its noise, what the first step that is taken sees,
   *     {@code [n, c, h/f, w/f]}; the picture only says which steps those are, as in diffusers.
   *     With a mask they are the noise, before the scheduler's initial sigma, as there
   * @param mask where the picture is redrawn; where none is given, everywhere alike
   */
  record Image(
      List<KolorsImage> images,
      Optional<FloatArray> encoded,
      double strength,
      OptionalDouble denoisingStart,
      Optional<FloatArray> latents,
      Optional<Mask> mask)
      implements Start {

    /** The strength where none is said, as in diffusers. */
    public static final double DEFAULT_STRENGTH = 0.3;

    /** The strength of inpainting where none is said, as in diffusers: all steps but the first. */
    public static final double DEFAULT_INPAINTING_STRENGTH = 0.9999;

    /**
     * A picture that is redrawn everywhere alike.
     *
     * @param images one for all pictures, or one a picture
     * @param encoded the picture's latents in place of {@code images}
     * @param strength how much of the picture is redrawn
     * @param denoisingStart in place of the strength, the share of the way that is done
     * @param latents in place of the picture and its noise
     * @throws IllegalArgumentException if there are neither images nor their latents, or both, or a
     *     share is outside its range
     */
    public Image(
        List<KolorsImage> images,
        Optional<FloatArray> encoded,
        double strength,
        OptionalDouble denoisingStart,
        Optional<FloatArray> latents) {
      this(images, encoded, strength, denoisingStart, latents, Optional.empty());
    }

    /**
     * Copies the list and checks each value by itself.
     *
     * @throws IllegalArgumentException if there are neither images nor their latents, or both, or a
     *     share is outside its range
     */
    public Image {
      images = List.copyOf(images);
      Objects.requireNonNull(encoded, "encoded");
      Objects.requireNonNull(denoisingStart, "denoisingStart");
      Objects.requireNonNull(latents, "latents");
      Objects.requireNonNull(mask, "mask");
      if (images.isEmpty() == encoded.isEmpty()) {
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

    /**
     * The image that one of the pictures begins with.
     *
     * @param picture index of the picture, from 0
     * @return its own image, or the one of all
     * @throws IndexOutOfBoundsException if there is none, as where the latents were given
     */
    public KolorsImage image(int picture) {
      return images.size() == 1 ? images.getFirst() : images.get(picture);
    }

    /**
     * The mask of inpainting, where this is inpainting.
     *
     * @return the mask, or nothing
     */
    public Optional<Mask.Inpainting> inpainting() {
      return mask.filter(Mask.Inpainting.class::isInstance).map(Mask.Inpainting.class::cast);
    }

    /**
     * Whether a region is painted by itself and put back into the picture.
     *
     * @return true with a {@code paddingMaskCrop}
     */
    public boolean cropped() {
      return inpainting()
          .map(Mask.Inpainting::paddingMaskCrop)
          .filter(OptionalInt::isPresent)
          .isPresent();
    }
  }

  /**
   * The image, where this is image to image.
   *
   * @return this, or nothing
   */
  default Optional<Image> image() {
    return this instanceof Image image ? Optional.of(image) : Optional.empty();
  }

  /**
   * The latents that the caller gave in place of noise.
   *
   * @return {@code [n, c, h/f, w/f]}, or nothing where noise is drawn
   */
  default Optional<FloatArray> given() {
    return switch (this) {
      case Noise _ -> Optional.empty();
      case Latents(FloatArray latents) -> Optional.of(latents);
      case Image image -> image.latents();
    };
  }
}
