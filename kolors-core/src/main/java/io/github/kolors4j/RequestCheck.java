package io.github.kolors4j;

import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;

/**
 * Diffusers' {@code check_inputs}, and what only shows at the size of a picture: all that can be
 * known to be impossible before the work starts.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 * @param maxMemory the most bytes that the Java heap can have
 */
record RequestCheck(UNet2DConditionConfig unet, AutoencoderKLConfig vae, long maxMemory) {
  /** Diffusers demands multiples of 8 whatever the VAE's factor. */
  private static final int PIXEL_MULTIPLE = 8;

  /** An operation has its input and its output at the same time. */
  private static final int MAPS_AT_ONCE = 2;

  /**
   * Checks a request and fills in what it left open.
   *
   * @param request as the caller gave it
   * @return with height, width and the seed of each image
   * @throws IllegalArgumentException if it cannot be generated
   */
  ImageRequest resolve(ImageRequest request) {
    int height = request.height().orElseGet(this::defaultSize);
    int width = request.width().orElseGet(this::defaultSize);
    checkMultiple("height", height);
    checkMultiple("width", width);
    checkCounts(request);
    checkFeatureMaps(request, height, width);
    LatentSize size = latentSize(height, width);
    request.latents().ifPresent(latents -> checkLatents(latents, request.numImages(), size));
    if (request.outputType() == OutputType.LATENT
        && (long) request.numImages() * size.values() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[request] the latents of %s have more than 2^31-1 values: ask for fewer at a time."
              .formatted(counted(request.numImages(), "image")));
    }
    return request.withHeight(height).withWidth(width).withSeeds(seedOfEach(request));
  }

  /** The latents of a picture of that size. */
  LatentSize latentSize(int height, int width) {
    int f = vae.scaleFactor();
    return new LatentSize(vae.latentChannels(), height / f, width / f);
  }

  /** The width and height that the U-Net was trained on, in pixels. */
  int defaultSize() {
    return vae.scaleFactor()
        * unet.sampleSize()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "[request] no width or height: unet/config.json has no sample_size to take"
                            + " them from, so give both."));
  }

  private void checkMultiple(String side, int pixels) {
    int f = vae.scaleFactor();
    int multiple = Math.max(PIXEL_MULTIPLE, f);
    if (pixels % multiple == 0) {
      return;
    }
    int below = pixels - pixels % multiple;
    long above = (long) below + multiple;
    throw new IllegalArgumentException(
        "[request] %s %d is not a multiple of %d (%s): use %s."
            .formatted(
                side,
                pixels,
                multiple,
                f >= PIXEL_MULTIPLE
                    ? "one latent cell is %d pixels".formatted(f)
                    : "as diffusers asks",
                below == 0 ? above : below + " or " + above));
  }

  private static void checkCounts(ImageRequest request) {
    int prompts = request.prompts().size();
    int negatives = request.negativePrompts().size();
    if (negatives > 1 && negatives != prompts) {
      throw new IllegalArgumentException(
          "[request] %d negative prompts for %s: give one for all, or one a prompt."
              .formatted(negatives, counted(prompts, "prompt")));
    }
    long images = (long) prompts * request.numImagesPerPrompt();
    if (images > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[request] %d images: 2^31-1 are the most.".formatted(images));
    }
    int seeds = request.seeds().size();
    int generators = request.generators().size();
    if (seeds > 0 && generators > 0) {
      throw new IllegalArgumentException(
          "[request] both seeds and generators: give one of them, a generator has its own seed.");
    }
    if (seeds > 1 && seeds != images) {
      throw new IllegalArgumentException(
          "[request] %d seeds for %s: give one for all, or one an image."
              .formatted(seeds, counted(images, "image")));
    }
    if (generators > 0 && generators != images) {
      throw new IllegalArgumentException(
          "[request] %s for %s: give one an image."
              .formatted(counted(generators, "generator"), counted(images, "image")));
    }
  }

  private static void checkLatents(FloatArray latents, int images, LatentSize size) {
    Shape expected = Shape.of(images, size.channels(), size.height(), size.width());
    if (!latents.shape().equals(expected)) {
      throw new IllegalArgumentException(
          "[request] the latents are %s: %s of %dx%d cells and %d channels %s %s."
              .formatted(
                  latents.shape(),
                  counted(images, "image"),
                  size.width(),
                  size.height(),
                  size.channels(),
                  images == 1 ? "asks for" : "ask for",
                  expected));
    }
  }

  private void checkFeatureMaps(ImageRequest request, int height, int width) {
    if ((long) height * width > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[request] %dx%d pixels are more than 2^31-1: use a smaller width or height."
              .formatted(width, height));
    }
    LatentSize size = latentSize(height, width);
    int batch = request.doClassifierFreeGuidance() ? 2 : 1;
    long inUnet = unet.largestFeatureMap(batch, size.height(), size.width());
    long inVae =
        request.outputType() == OutputType.LATENT
            ? 0
            : vae.largestFeatureMap(size.height(), size.width());
    long largest = Math.max(inUnet, inVae);
    String part = inVae >= inUnet ? "VAE" : "U-Net";
    if (largest > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          ("[request] %dx%d pixels make a feature map of %,d values in the %s:"
                  + " 2^31-1 are the most. Use a smaller width or height.")
              .formatted(width, height, largest, part));
    }
    long bytes = MAPS_AT_ONCE * largest * Float.BYTES;
    if (bytes > maxMemory) {
      throw new IllegalArgumentException(
          ("[request] %dx%d pixels need at least %s of Java heap for the feature maps of the %s,"
                  + " and it can have %s: use a smaller width or height, or start Java with a"
                  + " larger -Xmx.")
              .formatted(width, height, megabytes(bytes), part, megabytes(maxMemory)));
    }
  }

  private static List<Long> seedOfEach(ImageRequest request) {
    int images = request.numImages();
    if (!request.generators().isEmpty() || request.seeds().size() == images) {
      return request.seeds();
    }
    long first =
        request.seeds().isEmpty()
            ? Integer.toUnsignedLong(ThreadLocalRandom.current().nextInt())
            : request.seeds().getFirst();
    return LongStream.range(0, images).mapToObj(i -> first + i).toList();
  }

  private static String counted(long count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MB", (bytes + 999_999) / 1_000_000);
  }
}
