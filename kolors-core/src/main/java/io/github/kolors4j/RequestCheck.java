package io.github.kolors4j;

import io.github.kolors4j.tensor.Shape;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;

/**
 * Diffusers' {@code check_inputs}, and what only shows at the size of a picture: all that can be
 * known to be impossible before the work starts.
 *
 * @param unetConfig what the U-Net's config says about sizes
 * @param vaeConfig what the VAE's config says about sizes
 * @param maxMemory the most bytes that the Java heap can have
 */
record RequestCheck(UnetSizes unetConfig, VaeSizes vaeConfig, long maxMemory) {
  /** Diffusers demands multiples of 8 whatever the VAE's factor. */
  private static final int PIXEL_MULTIPLE = 8;

  /**
   * Extents of the U-Net.
   *
   * @param sampleSize latent cells on a side that it was trained on, if the config says so
   * @param channels of its levels, finest first
   * @param attention whether a level has transformer blocks
   */
  record UnetSizes(OptionalInt sampleSize, List<Integer> channels, List<Boolean> attention) {}

  /**
   * Extents of the VAE.
   *
   * @param latentChannels of the latents
   * @param channels of its levels, finest first
   */
  record VaeSizes(int latentChannels, List<Integer> channels) {
    /** Pixels on the side of a latent cell. */
    int scaleFactor() {
      return 1 << (channels.size() - 1);
    }
  }

  /**
   * Checks a request and fills in what it left open.
   *
   * @param request as the caller gave it
   * @return with height, width and the seed of each image
   * @throws IllegalArgumentException if it cannot be generated
   */
  ImageRequest resolve(ImageRequest request) {
    int height = request.height().orElseGet(() -> defaultSide("height"));
    int width = request.width().orElseGet(() -> defaultSide("width"));
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
    int f = vaeConfig.scaleFactor();
    return new LatentSize(vaeConfig.latentChannels(), height / f, width / f);
  }

  /** The side that the U-Net was trained on, in pixels. */
  int defaultSide(String side) {
    return unetConfig
            .sampleSize()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "[request] no %s: unet/config.json has no sample_size, so give one."
                            .formatted(side)))
        * vaeConfig.scaleFactor();
  }

  private void checkMultiple(String side, int pixels) {
    int f = vaeConfig.scaleFactor();
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
          "[request] the latents are %s: %s of %dx%d cells and %d channels asks for %s."
              .formatted(
                  latents.shape(),
                  counted(images, "image"),
                  size.width(),
                  size.height(),
                  size.channels(),
                  expected));
    }
  }

  private void checkFeatureMaps(ImageRequest request, int height, int width) {
    int f = vaeConfig.scaleFactor();
    int batch = request.doClassifierFreeGuidance() ? 2 : 1;
    long unet = batch * unetLargest(height / f, width / f);
    long vae = request.outputType() == OutputType.LATENT ? 0 : vaeLargest(height, width);
    long largest = Math.max(unet, vae);
    String part = vae >= unet ? "VAE" : "U-Net";
    if (largest > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          ("[request] %dx%d pixels make a feature map of %,d values in the %s:"
                  + " 2^31-1 are the most. Use a smaller width or height.")
              .formatted(width, height, largest, part));
    }
    long bytes = 2 * largest * Float.BYTES;
    if (bytes > maxMemory) {
      throw new IllegalArgumentException(
          ("[request] %dx%d pixels need at least %s of Java heap for the feature maps of the %s,"
                  + " and it can have %s: use a smaller width or height, or start Java with a"
                  + " larger -Xmx.")
              .formatted(width, height, megabytes(bytes), part, megabytes(maxMemory)));
    }
  }

  /** The largest map of the U-Net, for one sample: at the skips, or inside a feed-forward. */
  private long unetLargest(long height, long width) {
    if (height * width > Integer.MAX_VALUE) {
      return height * width;
    }
    List<Integer> channels = unetConfig.channels();
    long largest = 0;
    for (int level = 0; level < channels.size(); level++) {
      int here = channels.get(level);
      int below = channels.get(Math.min(level + 1, channels.size() - 1));
      int most =
          unetConfig.attention().get(level) ? Math.max(here + below, 8 * here) : here + below;
      largest = Math.max(largest, height * width * most);
      height = (height + 1) / 2;
      width = (width + 1) / 2;
    }
    return largest;
  }

  /** The largest map of the decoder: a level begins with the channels of the one below it. */
  private long vaeLargest(long height, long width) {
    if (height * width > Integer.MAX_VALUE) {
      return height * width;
    }
    List<Integer> channels = vaeConfig.channels();
    long largest = 0;
    for (int level = 0; level < channels.size(); level++) {
      int below = channels.get(Math.min(level + 1, channels.size() - 1));
      largest = Math.max(largest, height * width * Math.max(channels.get(level), below));
      height /= 2;
      width /= 2;
    }
    return largest;
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
