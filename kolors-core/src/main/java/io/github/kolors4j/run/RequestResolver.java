package io.github.kolors4j.run;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.MicroConditioning;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;

/**
 * Fills in what a request left open.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 */
public record RequestResolver(UNet2DConditionConfig unet, AutoencoderKLConfig vae) {
  /** Diffusers demands multiples of 8 whatever the VAE's factor. */
  static final int PIXEL_MULTIPLE = 8;

  /**
   * Height, width and the seed of each image.
   *
   * @throws IllegalArgumentException if there is nothing to take a size from
   */
  ResolvedRequest resolve(ImageRequest request, RunControl control) {
    ImageRequest whole = sized(request).toBuilder().seeds(seedOfEach(request, control)).build();
    return new ResolvedRequest(
        whole,
        latentSize(whole.height().orElseThrow(), whole.width().orElseThrow()),
        conditionedSize(whole),
        control.generators());
  }

  /**
   * The request with the height and width that it is computed at.
   *
   * @param request the request
   * @return with both
   * @throws IllegalArgumentException if there is nothing to take a size from
   */
  public ImageRequest sized(ImageRequest request) {
    int height = request.height().orElseGet(() -> defaultHeight(request));
    int width = request.width().orElseGet(() -> defaultWidth(request));
    return request.toBuilder().size(width, height).build();
  }

  /** The latents of a picture of that size. */
  LatentSize latentSize(int height, int width) {
    int f = vae.scaleFactor();
    return new LatentSize(vae.latentChannels(), height / f, width / f);
  }

  /**
   * The width and height that the U-Net was trained on, in pixels.
   *
   * @return in pixels
   * @throws IllegalArgumentException if the U-Net's config has no {@code sample_size}
   */
  public int defaultSize() {
    return vae.scaleFactor()
        * unet.sampleSize()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "[request] no width or height: unet/config.json has no sample_size to take"
                            + " them from, so give both."));
  }

  /**
   * The picture's own size. The reference's image to image takes the default size instead, whatever
   * the image's; not so with a mask or a ControlNet.
   */
  private MicroConditioning.Size conditionedSize(ImageRequest whole) {
    boolean plain =
        whole.controlNets().isEmpty() && whole.start().image().flatMap(Start.Image::mask).isEmpty();
    if (whole.compatibility() == Compatibility.DIFFUSERS
        && plain
        && whole.start().image().isPresent()) {
      return new MicroConditioning.Size(defaultSize(), defaultSize());
    }
    return new MicroConditioning.Size(whole.height().orElseThrow(), whole.width().orElseThrow());
  }

  private int defaultHeight(ImageRequest request) {
    return request
        .start()
        .image()
        .map(this::heightOf)
        .or(() -> controlImage(request).map(image -> roundedDown("height", image.height())))
        .orElseGet(this::defaultSize);
  }

  private int defaultWidth(ImageRequest request) {
    return request
        .start()
        .image()
        .map(this::widthOf)
        .or(() -> controlImage(request).map(image -> roundedDown("width", image.width())))
        .orElseGet(this::defaultSize);
  }

  /** Without an image to begin with, the one that is followed has the size. */
  private static Optional<KolorsImage> controlImage(ImageRequest request) {
    return request.controlNets().stream().findFirst().map(ControlNetInput::image);
  }

  /** A region that is painted by itself is so at the size that the U-Net is best at. */
  private int heightOf(Start.Image from) {
    if (from.cropped()) {
      return defaultSize();
    }
    return from.encoded()
        .map(latents -> latentExtent(latents, 2))
        .orElseGet(() -> roundedDown("height", from.images().getFirst().height()));
  }

  private int widthOf(Start.Image from) {
    if (from.cropped()) {
      return defaultSize();
    }
    return from.encoded()
        .map(latents -> latentExtent(latents, 3))
        .orElseGet(() -> roundedDown("width", from.images().getFirst().width()));
  }

  private int latentExtent(FloatArray latents, int axis) {
    if (latents.shape().rank() != 4) {
      throw new IllegalArgumentException(
          "[request] the image's latents are %s: [images, channels, height, width] is needed."
              .formatted(latents.shape()));
    }
    return Math.multiplyExact(latents.shape().dim(axis), vae.scaleFactor());
  }

  private int roundedDown(String side, int pixels) {
    int multiple = pixelMultiple();
    if (pixels < multiple) {
      throw new IllegalArgumentException(
          "[request] the image's %s is %s: at least %s pixels are needed, resize it or give a %s."
              .formatted(side, pixels, multiple, side));
    }
    return pixels - pixels % multiple;
  }

  /** What width and height are multiples of. */
  int pixelMultiple() {
    return Math.max(PIXEL_MULTIPLE, vae.scaleFactor());
  }

  /** One seed counts on from image to image; where there is none, one of 32 bits is drawn. */
  private static List<Long> seedOfEach(ImageRequest request, RunControl control) {
    int images = request.numImages();
    if (!control.generators().isEmpty() || request.seeds().size() == images) {
      return request.seeds();
    }
    long first =
        request.seeds().isEmpty()
            ? Integer.toUnsignedLong(ThreadLocalRandom.current().nextInt())
            : request.seeds().getFirst();
    return LongStream.range(0, images).mapToObj(i -> first + i).toList();
  }
}
