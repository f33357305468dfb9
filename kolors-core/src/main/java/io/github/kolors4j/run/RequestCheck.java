package io.github.kolors4j.run;

import io.github.kolors4j.image.CropRegion;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import io.github.kolors4j.vae.AutoencoderTinyConfig;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Diffusers' {@code check_inputs}: refuses what can be known to be impossible before the work
 * starts, and changes nothing.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 * @param tiny the sizes of a tiny autoencoder in the place of the VAE
 */
record RequestCheck(
    UNet2DConditionConfig unet, AutoencoderKLConfig vae, Optional<AutoencoderTinyConfig> tiny) {
  /** More would rather be several requests: seeds and results of all are held at once. */
  static final int MAX_IMAGES = 1_000_000;

  /**
   * What the request says of itself.
   *
   * @throws IllegalArgumentException if two values contradict each other
   */
  void check(ImageRequest request, RunControl control) {
    checkChannels(request);
    checkContradictions(request);
    checkCounts(request, control);
  }

  /**
   * What the request asks of this model.
   *
   * @throws IllegalArgumentException if the model cannot give it
   */
  void check(ResolvedRequest resolved) {
    checkMultiple("height", resolved.height());
    checkMultiple("width", resolved.width());
    checkFeatureMaps(resolved);
    LatentSize size = resolved.size();
    int images = resolved.numImages();
    resolved.givenLatents().ifPresent(latents -> checkLatents("latents", latents, images, size));
    resolved.image().ifPresent(image -> checkImage(image, images, size));
    resolved.image().ifPresent(image -> checkMask(resolved, image));
    resolved.request().embeds().ifPresent(embeds -> checkEmbeds(resolved, embeds));
    if (resolved.wantsLatents() && (long) images * size.values() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[request] the latents of %s have more than 2^31-1 values: ask for fewer at a time."
              .formatted(counted(images, "image")));
    }
  }

  /** A U-Net takes the latents alone, or with them a mask and the latents of what it leaves. */
  private void checkChannels(ImageRequest request) {
    int latents = vae.latentChannels();
    if (unet.inChannels() == latents) {
      return;
    }
    boolean inpainting = request.start().image().flatMap(Start.Image::inpainting).isPresent();
    if (unet.inChannels() != latents + 1 + latents) {
      throw new IllegalArgumentException(
          "[request] the U-Net takes %s channels and the latents have %s: one takes the latents alone, or %s channels for inpainting."
              .formatted(unet.inChannels(), latents, 2 * latents + 1));
    }
    if (!inpainting && request.start().image().flatMap(Start.Image::mask).isPresent()) {
      throw new IllegalArgumentException(
          "[request] the U-Net takes %s channels and the latents have %s: it is for inpainting, and the request has a strength map, which takes the place of a mask. Give a mask alone, or take a U-Net of %s channels."
              .formatted(unet.inChannels(), latents, latents));
    }
    if (!inpainting) {
      throw new IllegalArgumentException(
          "[request] the U-Net takes %s channels and the latents have %s: it is for inpainting, so give an image and a mask, or take a U-Net for text to image."
              .formatted(unet.inChannels(), latents));
    }
  }

  private void checkMask(ResolvedRequest resolved, Start.Image image) {
    Optional<Mask.Inpainting> mask = image.inpainting();
    if (mask.isEmpty()) {
      return;
    }
    if (image.encoded().isPresent() && unet.inChannels() != vae.latentChannels()) {
      throw new IllegalArgumentException(
          "[request] an image's latents and a U-Net of %s channels, which sees the image without what the mask marks: give the image itself."
              .formatted(unet.inChannels()));
    }
    if (!image.cropped()) {
      return;
    }
    if (image.encoded().isPresent()) {
      throw new IllegalArgumentException(
          "[request] padding_mask_crop with an image's latents: a region is cut out of an image, give the image itself.");
    }
    if (resolved.wantsLatents()) {
      throw new IllegalArgumentException(
          "[request] padding_mask_crop with latents as the output: a region is put back into a picture, ask for images.");
    }
    KolorsImage marks = mask.get().image();
    for (KolorsImage each : image.images()) {
      if (each.width() != marks.width() || each.height() != marks.height()) {
        throw new IllegalArgumentException(
            "[request] padding_mask_crop with an image of %sx%s and a mask of %sx%s pixels: they must be of one size."
                .formatted(each.width(), each.height(), marks.width(), marks.height()));
      }
    }
    CropRegion _ =
        CropRegion.of(
            marks, resolved.width(), resolved.height(), mask.get().paddingMaskCrop().orElseThrow());
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
    OptionalDouble start =
        request.start().image().map(Start.Image::denoisingStart).orElse(OptionalDouble.empty());
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

  private static void checkCounts(ImageRequest request, RunControl control) {
    int prompts = request.numPrompts();
    int negatives = request.negativePrompts().size();
    if (negatives > 1 && negatives != prompts) {
      throw new IllegalArgumentException(
          "[request] %s negative prompts for %s: give one for all, or one a prompt."
              .formatted(negatives, counted(prompts, "prompt")));
    }
    long images = (long) prompts * request.numImagesPerPrompt();
    if (images > MAX_IMAGES) {
      throw new IllegalArgumentException(
          "[request] %s images: %s are the most of one request.".formatted(images, MAX_IMAGES));
    }
    int seeds = request.seeds().size();
    int generators = control.generators().size();
    if (seeds > 0 && generators > 0) {
      throw new IllegalArgumentException(
          "[request] both seeds and generators: give one of them, a generator has its own seed.");
    }
    if (seeds > 1 && seeds != images) {
      throw new IllegalArgumentException(
          "[request] %s seeds for %s: give one for all, or one an image."
              .formatted(seeds, counted(images, "image")));
    }
    if (generators > 0 && generators != images) {
      throw new IllegalArgumentException(
          "[request] %s for %s: give one an image."
              .formatted(counted(generators, "generator"), counted(images, "image")));
    }
  }

  private void checkMultiple(String side, int pixels) {
    int f = vae.scaleFactor();
    int multiple = new RequestResolver(unet, vae).pixelMultiple();
    if (pixels % multiple == 0) {
      return;
    }
    int below = pixels - pixels % multiple;
    long above = (long) below + multiple;
    throw new IllegalArgumentException(
        "[request] %s %s is not a multiple of %s (%s): use %s."
            .formatted(
                side,
                pixels,
                multiple,
                f >= multiple ? "one latent cell is %s pixels".formatted(f) : "as diffusers asks",
                below == 0 ? above : below + " or " + above));
  }

  private void checkFeatureMaps(ResolvedRequest resolved) {
    int height = resolved.height();
    int width = resolved.width();
    if ((long) height * width > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[request] %sx%s pixels are more than 2^31-1: use a smaller width or height."
              .formatted(width, height));
    }
    FeatureMaps maps = new FeatureMaps(unet, vae, tiny);
    long inUnet = maps.largestInUnet(resolved);
    long inVae = maps.largestInVae(resolved);
    if (Math.max(inUnet, inVae) > Integer.MAX_VALUE) {
      boolean vaeIsLarger = inVae >= inUnet;
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "[request] %sx%s pixels make a feature map of %,d values in the %s:"
                  + " 2^31-1 are the most. Use a smaller width or height%s.",
              width,
              height,
              Math.max(inUnet, inVae),
              vaeIsLarger ? "VAE" : "U-Net",
              vaeIsLarger && maps.tilingHelps(resolved) ? ", or VAE tiling" : ""));
    }
  }

  private static void checkImage(Start.Image image, int images, LatentSize size) {
    if (image.images().size() > 1 && image.images().size() != images) {
      throw new IllegalArgumentException(
          "[request] %s images to begin with for %s: give one for all, or one a picture."
              .formatted(image.images().size(), counted(images, "picture")));
    }
    image
        .encoded()
        .ifPresent(
            latents -> {
              boolean one = latents.shape().rank() == 4 && latents.shape().dim(0) == 1;
              checkLatents("image's latents", latents, one ? 1 : images, size);
            });
  }

  private static void checkLatents(String what, FloatArray latents, int images, LatentSize size) {
    Shape expected = Shape.of(images, size.channels(), size.height(), size.width());
    if (!latents.shape().equals(expected)) {
      throw new IllegalArgumentException(
          "[request] the %s are %s: %s of %sx%s cells and %s channels %s %s."
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
    requireFinite(what, latents);
  }

  private static void requireFinite(String what, FloatArray given) {
    String other = Finite.other(given);
    if (other != null) {
      throw new IllegalArgumentException(
          "[request] the %s hold %s: only finite numbers make a picture.".formatted(what, other));
    }
  }

  private void checkEmbeds(ResolvedRequest resolved, PromptEmbeds embeds) {
    int width = embeds.promptEmbeds().shape().dim(2);
    if (width != unet.encoderHidDim()) {
      throw new IllegalArgumentException(
          "[request] prompt_embeds are %s: this model's have a width of %s."
              .formatted(embeds.promptEmbeds().shape(), unet.encoderHidDim()));
    }
    if (embeds.pooledPromptEmbeds().shape().dim(1) != unet.textEmbedDim()) {
      throw new IllegalArgumentException(
          "[request] pooled_prompt_embeds are %s: this model's have a width of %s."
              .formatted(embeds.pooledPromptEmbeds().shape(), unet.textEmbedDim()));
    }
    requireFinite("prompt_embeds", embeds.promptEmbeds());
    requireFinite("pooled_prompt_embeds", embeds.pooledPromptEmbeds());
    embeds
        .negativePromptEmbeds()
        .ifPresent(given -> requireFinite("negative_prompt_embeds", given));
    embeds
        .negativePooledPromptEmbeds()
        .ifPresent(given -> requireFinite("negative_pooled_prompt_embeds", given));
    boolean encodesNegative =
        resolved.doClassifierFreeGuidance() && embeds.negativePromptEmbeds().isEmpty();
    if (encodesNegative && embeds.tokens() > ImageRequest.MAX_SEQUENCE_LENGTH) {
      throw new IllegalArgumentException(
          ("[request] prompt_embeds of %s tokens without negative_prompt_embeds: a negative prompt"
                  + " can be encoded to %s tokens at most, so give its embeddings too.")
              .formatted(embeds.tokens(), ImageRequest.MAX_SEQUENCE_LENGTH));
    }
  }

  private static String counted(long count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }
}
