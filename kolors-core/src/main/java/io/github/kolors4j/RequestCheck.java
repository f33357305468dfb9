package io.github.kolors4j;

import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;

/**
 * Diffusers' {@code check_inputs}, and what only shows at the size of a picture: all that can be
 * known to be impossible before the work starts.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 * @param threads how many threads compute, each with buffers of its own
 * @param maxMemory the most bytes that the Java heap can have
 */
record RequestCheck(
    UNet2DConditionConfig unet, AutoencoderKLConfig vae, int threads, long maxMemory) {
  /** Diffusers demands multiples of 8 whatever the VAE's factor. */
  private static final int PIXEL_MULTIPLE = 8;

  /** Feature maps as large as the largest that the U-Net has at once, beside what it keeps. */
  private static final double UNET_MAPS = 6;

  /** Feature maps as large as the largest that the VAE has at once. */
  private static final double VAE_MAPS = 2.5;

  /**
   * The heap to its values: the collector rounds arrays up to its regions, and has none to spare
   * for a last one. With two threads the full model ran with 486 and not with 480 MB (128×128), 580
   * and 560 (256×256), 750 and 720 (512×512 without the VAE), 840 and 800 (VAE, 512×512), 3,300 and
   * 3,072 (1024×1024), in units of 2^20 bytes; these figures ask for 526, 581, 800, 879 and 3,333.
   */
  private static final double HEAP_SHARE = 1.28;

  /**
   * Rows of a model's widest layer that a thread's buffers take: 36 points of 48 tiles that a
   * convolution by Winograd has at a time, once of its input and once of its output.
   */
  private static final long BUFFERS = 2 * 36 * 48;

  /** Bytes of the heap that the program itself takes. */
  private static final long PROGRAM = 44_000_000;

  /**
   * Checks a request and fills in what it left open.
   *
   * @param request as the caller gave it
   * @return with height, width and the seed of each image
   * @throws IllegalArgumentException if it cannot be generated
   */
  ImageRequest resolve(ImageRequest request) {
    checkContradictions(request);
    int height = request.height().orElseGet(() -> defaultHeight(request));
    int width = request.width().orElseGet(() -> defaultWidth(request));
    checkMultiple("height", height);
    checkMultiple("width", width);
    checkCounts(request);
    checkFeatureMaps(request, height, width);
    LatentSize size = latentSize(height, width);
    request
        .latents()
        .ifPresent(latents -> checkLatents("latents", latents, request.numImages(), size));
    request.image().ifPresent(image -> checkImage(request, image, size));
    request.embeds().ifPresent(embeds -> checkEmbeds(request, embeds));
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

  /**
   * What the U-Net is told of the size where the request does not say: the picture's own. The
   * reference's image to image takes the default size instead, whatever the image's.
   */
  MicroConditioning.Size conditionedSize(ImageRequest resolved) {
    if (resolved.likeDiffusers() && resolved.image().isPresent()) {
      return new MicroConditioning.Size(defaultSize(), defaultSize());
    }
    return new MicroConditioning.Size(resolved.height().getAsInt(), resolved.width().getAsInt());
  }

  private int defaultHeight(ImageRequest request) {
    return request.image().map(this::heightOf).orElseGet(this::defaultSize);
  }

  private int defaultWidth(ImageRequest request) {
    return request.image().map(this::widthOf).orElseGet(this::defaultSize);
  }

  private int heightOf(ImageToImage from) {
    return from.latents()
        .map(latents -> latentExtent(latents, 2))
        .orElseGet(() -> roundedDown("height", from.images().getFirst().height()));
  }

  private int widthOf(ImageToImage from) {
    return from.latents()
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
          "[request] the image's %s is %d: at least %d pixels are needed, resize it or give a %s."
              .formatted(side, pixels, multiple, side));
    }
    return pixels - pixels % multiple;
  }

  /** What width and height are multiples of. */
  int pixelMultiple() {
    return Math.max(PIXEL_MULTIPLE, vae.scaleFactor());
  }

  private static void checkContradictions(ImageRequest request) {
    if (request.embeds().isPresent()) {
      contradiction(!request.prompts().isEmpty(), "prompt", "prompt_embeds");
      contradiction(
          !request.negativePrompts().isEmpty()
              && request.embeds().get().negativePromptEmbeds().isPresent(),
          "negative_prompt",
          "negative_prompt_embeds");
    }
    contradiction(
        !request.timesteps().isEmpty() && !request.sigmas().isEmpty(), "timesteps", "sigmas");
    OptionalDouble start =
        request.image().map(ImageToImage::denoisingStart).orElse(OptionalDouble.empty());
    OptionalDouble end = request.denoisingEnd();
    if (start.isPresent() && end.isPresent() && start.getAsDouble() >= end.getAsDouble()) {
      throw new IllegalArgumentException(
          "[request] denoising_start %s is not before denoising_end %s: start earlier or end later."
              .formatted(start.getAsDouble(), end.getAsDouble()));
    }
  }

  private static void contradiction(boolean both, String one, String other) {
    if (both) {
      throw new IllegalArgumentException(
          "[request] both %s and %s: they say the same in two ways, give one of them."
              .formatted(one, other));
    }
  }

  private static void checkImage(ImageRequest request, ImageToImage image, LatentSize size) {
    int images = request.numImages();
    if (image.images().size() > 1 && image.images().size() != images) {
      throw new IllegalArgumentException(
          "[request] %d images to begin with for %s: give one for all, or one a picture."
              .formatted(image.images().size(), counted(images, "picture")));
    }
    if (image.latents().isPresent()) {
      FloatArray latents = image.latents().get();
      boolean one = latents.shape().rank() == 4 && latents.shape().dim(0) == 1;
      checkLatents("image's latents", latents, one ? 1 : images, size);
    }
  }

  private void checkEmbeds(ImageRequest request, PromptEmbeds embeds) {
    int width = embeds.promptEmbeds().shape().dim(2);
    if (width != unet.encoderHidDim()) {
      throw new IllegalArgumentException(
          "[request] prompt_embeds are %s: this model's have a width of %d."
              .formatted(embeds.promptEmbeds().shape(), unet.encoderHidDim()));
    }
    if (embeds.pooledPromptEmbeds().shape().dim(1) != unet.textEmbedDim()) {
      throw new IllegalArgumentException(
          "[request] pooled_prompt_embeds are %s: this model's have a width of %d."
              .formatted(embeds.pooledPromptEmbeds().shape(), unet.textEmbedDim()));
    }
    boolean encodesNegative =
        request.doClassifierFreeGuidance() && embeds.negativePromptEmbeds().isEmpty();
    if (encodesNegative && embeds.tokens() > ImageRequest.MAX_SEQUENCE_LENGTH) {
      throw new IllegalArgumentException(
          ("[request] prompt_embeds of %d tokens without negative_prompt_embeds: a negative prompt"
                  + " can be encoded to %d tokens at most, so give its embeddings too.")
              .formatted(embeds.tokens(), ImageRequest.MAX_SEQUENCE_LENGTH));
    }
  }

  private void checkMultiple(String side, int pixels) {
    int f = vae.scaleFactor();
    int multiple = pixelMultiple();
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
    int prompts = request.numPrompts();
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

  private static void checkLatents(String what, FloatArray latents, int images, LatentSize size) {
    Shape expected = Shape.of(images, size.channels(), size.height(), size.width());
    if (!latents.shape().equals(expected)) {
      throw new IllegalArgumentException(
          "[request] the %s are %s: %s of %dx%d cells and %d channels %s %s."
              .formatted(
                  what,
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
    int batch = (request.doClassifierFreeGuidance() ? 2 : 1) + (request.pag().on() ? 1 : 0);
    long inUnet = unet.largestFeatureMap(batch, size.height(), size.width());
    long inVae = Math.max(inDecoder(request, size), inEncoder(request, height, width));
    long largest = Math.max(inUnet, inVae);
    String part = inVae >= inUnet ? "VAE" : "U-Net";
    if (largest > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          ("[request] %dx%d pixels make a feature map of %,d values in the %s:"
                  + " 2^31-1 are the most. Use a smaller width or height%s.")
              .formatted(width, height, largest, part, orTiling(request, size, part)));
    }
    long forUnet =
        heap(
            unet.textValues(batch, request.maxSequenceLength())
                + unet.skipValues(batch, size.height(), size.width())
                + buffers(unet.blockOutChannels())
                + (long) (UNET_MAPS * inUnet));
    long forVae = heap(buffers(vae.blockOutChannels()) + (long) (VAE_MAPS * inVae));
    long bytes = Math.max(forUnet, forVae);
    if (bytes > maxMemory) {
      String needy = forVae >= forUnet ? "VAE" : "U-Net";
      throw new IllegalArgumentException(
          ("[request] %dx%d pixels need about %s of Java heap in the %s, and it can have %s: use a"
                  + " smaller width or height%s, or start Java with a larger -Xmx.")
              .formatted(
                  width,
                  height,
                  megabytes(bytes),
                  needy,
                  megabytes(maxMemory),
                  orTiling(request, size, needy)));
    }
  }

  private long buffers(List<Integer> blockOutChannels) {
    return threads * BUFFERS * Collections.max(blockOutChannels);
  }

  private static long heap(long values) {
    return PROGRAM + (long) (HEAP_SHARE * Float.BYTES * values);
  }

  private long inDecoder(ImageRequest request, LatentSize size) {
    if (request.outputType() == OutputType.LATENT) {
      return 0;
    }
    return request.vaeTiling()
        ? vae.largestTiledFeatureMap(size.height(), size.width())
        : vae.largestFeatureMap(size.height(), size.width());
  }

  private long inEncoder(ImageRequest request, int height, int width) {
    if (request.image().isEmpty() || request.image().get().latents().isPresent()) {
      return 0;
    }
    return request.vaeTiling()
        ? vae.largestTiledEncoderFeatureMap(height, width)
        : vae.largestEncoderFeatureMap(height, width);
  }

  /** Names tiling where the VAE is what does not fit, and the picture has more than one tile. */
  private String orTiling(ImageRequest request, LatentSize size, String part) {
    boolean helps =
        part.equals("VAE")
            && vae.largestTiledFeatureMap(size.height(), size.width())
                < vae.largestFeatureMap(size.height(), size.width());
    return helps && !request.vaeTiling() ? ", or VAE tiling (--vae-tiling)" : "";
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
