package io.github.kolors4j;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.tensor.random.Generator;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/**
 * What to make: a prompt and, under diffusers' names and with diffusers' defaults, all that can be
 * said about the picture. Immutable; begin with {@link #of} and change it with the {@code with…}
 * methods, each of which gives a new request.
 *
 * {@snippet :
 * ImageRequest request =
 *     ImageRequest.of("一只瓢虫,蓝色背景")
 *         .withNegativePrompt("模糊")
 *         .withNumInferenceSteps(25)
 *         .withGuidanceScale(6.5f)
 *         .withSeed(66);
 * }
 *
 * <p>A value that no model could use, such as 0 steps, is refused where it is given. What depends
 * on the model or on other values is checked when the request is generated, before any work.
 *
 * @param prompts one or several, each may be empty text; none where there are {@code embeds}
 * @param negativePrompts what the pictures should not show: one for all prompts, or one a prompt;
 *     none means empty text, as {@code negative_prompt=None}. Not used without guidance
 * @param embeds encoded prompts in place of {@code prompts}
 * @param height in pixels, a multiple of 8 and of the pixels of a latent cell; by default what the
 *     U-Net was trained on
 * @param width in pixels, like the height
 * @param numInferenceSteps denoising steps, at least 1; more are slower and, up to a point, better
 * @param timesteps in place of a number of steps, the timesteps themselves, the noisiest first
 * @param sigmas in place of a number of steps, the noise levels before each step and after the
 *     last, the noisiest first
 * @param denoisingEnd the share of the way to go, between 0 and 1, so that another request can go
 *     on from the latents; empty for all of it
 * @param guidanceScale how strongly the prompt rules; at most 1 means no guidance, which halves the
 *     work
 * @param guidanceRescale how far the contrast of the guided prediction is taken back to that of the
 *     prompt's own (Lin et al. 2023), 0 to 1; 0 for not at all
 * @param eta how much noise DDIM and TCD add in each step, 0 to 1; other schedulers do not look at
 *     it
 * @param numImagesPerPrompt how many images of each prompt
 * @param seeds of the noise: one {@code S} for all images, which gives them {@code S, S+1, …}, or
 *     one an image; none means that a random one is drawn and reported
 * @param generators instead of seeds, the noise's generators, one an image. Their draws go on from
 *     where they stand, so such a request gives other pictures each time
 * @param rng which of PyTorch's generators the seeds are for
 * @param latents instead of drawn noise, {@code [n, c, h/f, w/f]} in PyTorch's order for the n
 *     images, before the multiplication by the scheduler's initial sigma
 * @param image what the pictures begin with, for image to image
 * @param sizes what the U-Net is told of sizes
 * @param pag perturbed-attention guidance
 * @param outputType pictures or latents
 * @param vaeTiling whether the VAE works on overlapping tiles: less memory, another picture
 * @param maxSequenceLength tokens that the model reads of a prompt, its two first included: 1 to
 *     256. Less is faster and gives another picture (diffusers ignores it)
 * @param compatibility what happens where diffusers has faults
 * @param onStepEnd called after each denoising step
 * @param onProgress told of each stage and step
 * @param cancellation a token that ends the request from outside
 */
public record ImageRequest(
    List<String> prompts,
    List<String> negativePrompts,
    Optional<PromptEmbeds> embeds,
    OptionalInt height,
    OptionalInt width,
    int numInferenceSteps,
    List<Float> timesteps,
    List<Float> sigmas,
    OptionalDouble denoisingEnd,
    float guidanceScale,
    float guidanceRescale,
    double eta,
    int numImagesPerPrompt,
    List<Long> seeds,
    List<Generator> generators,
    GeneratorType rng,
    Optional<FloatArray> latents,
    Optional<ImageToImage> image,
    MicroConditioning sizes,
    PerturbedAttentionGuidance pag,
    OutputType outputType,
    boolean vaeTiling,
    int maxSequenceLength,
    Compatibility compatibility,
    Optional<StepCallback> onStepEnd,
    Optional<ProgressListener> onProgress,
    Optional<CancellationToken> cancellation) {

  /** The longest context that Kolors was trained with, in tokens. */
  public static final int MAX_SEQUENCE_LENGTH = 256;

  private static final int DEFAULT_STEPS = 50;
  private static final float DEFAULT_GUIDANCE_SCALE = 5.0f;

  /**
   * Copies the lists and checks every value by itself.
   *
   * @throws IllegalArgumentException if a value is impossible for any model
   */
  public ImageRequest {
    prompts = copyOf("prompt", prompts);
    negativePrompts = copyOf("negative prompt", negativePrompts);
    seeds = copyOf("seed", seeds);
    generators = copyOf("generator", generators);
    Objects.requireNonNull(height, "height");
    Objects.requireNonNull(width, "width");
    Objects.requireNonNull(latents, "latents");
    Objects.requireNonNull(outputType, "outputType");
    Objects.requireNonNull(onStepEnd, "onStepEnd");
    Objects.requireNonNull(onProgress, "onProgress");
    Objects.requireNonNull(cancellation, "cancellation");
    Objects.requireNonNull(embeds, "embeds");
    Objects.requireNonNull(denoisingEnd, "denoisingEnd");
    Objects.requireNonNull(rng, "rng");
    Objects.requireNonNull(image, "image");
    Objects.requireNonNull(sizes, "sizes");
    Objects.requireNonNull(pag, "pag");
    Objects.requireNonNull(compatibility, "compatibility");
    timesteps = copyOf("timestep", timesteps);
    sigmas = copyOf("sigma", sigmas);
    if (prompts.isEmpty() && embeds.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] the list of prompts is empty: give at least one, which may be empty text.");
    }
    Fractions.check("denoising_end", denoisingEnd);
    checkShare("guidance_rescale", guidanceRescale);
    checkShare("eta", eta);
    checkPositive("height", height);
    checkPositive("width", width);
    if (numInferenceSteps < 1) {
      throw new IllegalArgumentException(
          "[request] %d inference steps: use 1 or more.".formatted(numInferenceSteps));
    }
    if (!Float.isFinite(guidanceScale)) {
      throw new IllegalArgumentException(
          "[request] guidance scale %s is not a finite number: use 5.0, or 1 for no guidance."
              .formatted(guidanceScale));
    }
    if (numImagesPerPrompt < 1) {
      throw new IllegalArgumentException(
          "[request] %d images per prompt: use 1 or more.".formatted(numImagesPerPrompt));
    }
    if (maxSequenceLength < 1 || maxSequenceLength > MAX_SEQUENCE_LENGTH) {
      throw new IllegalArgumentException(
          "[request] max sequence length %d is outside 1 to %d: Kolors reads at most %d tokens."
              .formatted(maxSequenceLength, MAX_SEQUENCE_LENGTH, MAX_SEQUENCE_LENGTH));
    }
  }

  /**
   * A request for one picture.
   *
   * @param prompt what it shows, in Chinese or English
   * @return the request with all defaults
   * @throws IllegalArgumentException if the prompt is null
   */
  public static ImageRequest of(String prompt) {
    if (prompt == null) {
      throw new IllegalArgumentException(
          "[request] the prompt is null: give a text, which may be empty.");
    }
    return of(List.of(prompt));
  }

  /**
   * A request for one picture of each prompt.
   *
   * @param prompts what they show
   * @return the request with all defaults
   * @throws IllegalArgumentException if there is no prompt or one is null
   */
  public static ImageRequest of(List<String> prompts) {
    return new Draft(prompts).request();
  }

  /**
   * A request for one picture of each encoded prompt.
   *
   * @param embeds what they show
   * @return the request with all defaults
   */
  public static ImageRequest of(PromptEmbeds embeds) {
    Draft draft = new Draft(List.of());
    draft.embeds = Optional.of(embeds);
    return draft.request();
  }

  /**
   * With other prompts.
   *
   * @param prompts at least one
   * @return the changed request
   */
  public ImageRequest withPrompts(List<String> prompts) {
    return with(draft -> draft.prompts = prompts);
  }

  /**
   * With one negative prompt for all prompts.
   *
   * @param negativePrompt what the pictures should not show
   * @return the changed request
   */
  public ImageRequest withNegativePrompt(String negativePrompt) {
    if (negativePrompt == null) {
      throw new IllegalArgumentException(
          "[request] the negative prompt is null: leave it out, or give a text.");
    }
    return withNegativePrompts(List.of(negativePrompt));
  }

  /**
   * With a negative prompt for each prompt.
   *
   * @param negativePrompts one a prompt, or one for all, or none
   * @return the changed request
   */
  public ImageRequest withNegativePrompts(List<String> negativePrompts) {
    return with(draft -> draft.negativePrompts = negativePrompts);
  }

  /**
   * With another height.
   *
   * @param height in pixels
   * @return the changed request
   */
  public ImageRequest withHeight(int height) {
    return with(draft -> draft.height = OptionalInt.of(height));
  }

  /**
   * With another width.
   *
   * @param width in pixels
   * @return the changed request
   */
  public ImageRequest withWidth(int width) {
    return with(draft -> draft.width = OptionalInt.of(width));
  }

  /**
   * With another size.
   *
   * @param width in pixels
   * @param height in pixels
   * @return the changed request
   */
  public ImageRequest withSize(int width, int height) {
    return withWidth(width).withHeight(height);
  }

  /**
   * With another number of denoising steps.
   *
   * @param numInferenceSteps at least 1
   * @return the changed request
   */
  public ImageRequest withNumInferenceSteps(int numInferenceSteps) {
    return with(draft -> draft.numInferenceSteps = numInferenceSteps);
  }

  /**
   * With another guidance scale.
   *
   * @param guidanceScale at most 1 for none
   * @return the changed request
   */
  public ImageRequest withGuidanceScale(float guidanceScale) {
    return with(draft -> draft.guidanceScale = guidanceScale);
  }

  /**
   * With another number of images of each prompt.
   *
   * @param numImagesPerPrompt at least 1
   * @return the changed request
   */
  public ImageRequest withNumImagesPerPrompt(int numImagesPerPrompt) {
    return with(draft -> draft.numImagesPerPrompt = numImagesPerPrompt);
  }

  /**
   * With a seed: the images get it and its successors.
   *
   * @param seed any; as in PyTorch, only the lower 32 bits count
   * @return the changed request
   */
  public ImageRequest withSeed(long seed) {
    return withSeeds(seed);
  }

  /**
   * With a seed for each image.
   *
   * @param seeds one an image, all images of the first prompt first
   * @return the changed request
   */
  public ImageRequest withSeeds(long... seeds) {
    return withSeeds(LongStream.of(seeds).boxed().toList());
  }

  /**
   * With a seed for each image.
   *
   * @param seeds one an image, or one for all, or none
   * @return the changed request
   */
  public ImageRequest withSeeds(List<Long> seeds) {
    return with(draft -> draft.seeds = seeds);
  }

  /**
   * With a generator for each image.
   *
   * @param generators one an image, each used by this request alone while it runs
   * @return the changed request
   */
  public ImageRequest withGenerators(List<? extends Generator> generators) {
    return with(draft -> draft.generators = copyOf("generator", generators));
  }

  /**
   * With given latents in place of drawn noise.
   *
   * @param latents {@code [n, c, h/f, w/f]} for n images
   * @return the changed request
   */
  public ImageRequest withLatents(FloatArray latents) {
    return with(draft -> draft.latents = Optional.of(latents));
  }

  /**
   * With another kind of result.
   *
   * @param outputType pictures or latents
   * @return the changed request
   */
  public ImageRequest withOutputType(OutputType outputType) {
    return with(draft -> draft.outputType = outputType);
  }

  /**
   * With a shorter context.
   *
   * @param maxSequenceLength 1 to {@value #MAX_SEQUENCE_LENGTH} tokens
   * @return the changed request
   */
  public ImageRequest withMaxSequenceLength(int maxSequenceLength) {
    return with(draft -> draft.maxSequenceLength = maxSequenceLength);
  }

  /**
   * With a callback after each denoising step.
   *
   * @param onStepEnd called on the thread that generates
   * @return the changed request
   */
  public ImageRequest withOnStepEnd(StepCallback onStepEnd) {
    return with(draft -> draft.onStepEnd = Optional.of(onStepEnd));
  }

  /**
   * With a listener to the progress.
   *
   * @param onProgress called on the thread that generates
   * @return the changed request
   */
  public ImageRequest withOnProgress(ProgressListener onProgress) {
    return with(draft -> draft.onProgress = Optional.of(onProgress));
  }

  /**
   * With a token that can end it.
   *
   * @param cancellation the token
   * @return the changed request
   */
  public ImageRequest withCancellation(CancellationToken cancellation) {
    return with(draft -> draft.cancellation = Optional.of(cancellation));
  }

  /**
   * With chosen timesteps in place of a number of steps.
   *
   * @param timesteps the noisiest first
   * @return the changed request
   */
  public ImageRequest withTimesteps(float... timesteps) {
    return with(draft -> draft.timesteps = listOf(timesteps));
  }

  /**
   * With chosen noise levels in place of a number of steps.
   *
   * @param sigmas one before each step and one after the last, the noisiest first
   * @return the changed request
   */
  public ImageRequest withSigmas(float... sigmas) {
    return with(draft -> draft.sigmas = listOf(sigmas));
  }

  /**
   * With an early end of the denoising.
   *
   * @param denoisingEnd the share of the way to go, between 0 and 1
   * @return the changed request
   */
  public ImageRequest withDenoisingEnd(double denoisingEnd) {
    return with(draft -> draft.denoisingEnd = OptionalDouble.of(denoisingEnd));
  }

  /**
   * With another guidance rescale.
   *
   * @param guidanceRescale 0 to 1
   * @return the changed request
   */
  public ImageRequest withGuidanceRescale(float guidanceRescale) {
    return with(draft -> draft.guidanceRescale = guidanceRescale);
  }

  /**
   * With another eta.
   *
   * @param eta 0 to 1
   * @return the changed request
   */
  public ImageRequest withEta(double eta) {
    return with(draft -> draft.eta = eta);
  }

  /**
   * With seeds for another generator of PyTorch.
   *
   * @param rng by device and dtype
   * @return the changed request
   */
  public ImageRequest withRng(GeneratorType rng) {
    return with(draft -> draft.rng = rng);
  }

  /**
   * Image to image, from one image.
   *
   * @param image what the pictures begin with; resized to the request's height and width, which are
   *     by default its own, rounded down
   * @return the changed request
   */
  public ImageRequest withImage(KolorsImage image) {
    return withImages(List.of(image));
  }

  /**
   * Image to image, from an image a picture.
   *
   * @param images one for all pictures, or one a picture, all of one size
   * @return the changed request
   */
  public ImageRequest withImages(List<KolorsImage> images) {
    return with(draft -> draft.image = Optional.of(ImageToImage.of(images)));
  }

  /**
   * Image to image, from latents.
   *
   * @param latents {@code [1 or n, c, h/f, w/f]}, as a request for latents gives them
   * @return the changed request
   */
  public ImageRequest withImageLatents(FloatArray latents) {
    return with(draft -> draft.image = Optional.of(ImageToImage.of(latents)));
  }

  /**
   * With another strength of image to image.
   *
   * @param strength 0 to 1
   * @return the changed request
   * @throws IllegalArgumentException if the request has no image yet
   */
  public ImageRequest withStrength(double strength) {
    ImageToImage changed = imageFor("strength").withStrength(strength);
    return with(draft -> draft.image = Optional.of(changed));
  }

  /**
   * With image to image that goes on where another request ended.
   *
   * @param denoisingStart that request's {@code denoisingEnd}
   * @return the changed request
   * @throws IllegalArgumentException if the request has no image yet
   */
  public ImageRequest withDenoisingStart(double denoisingStart) {
    ImageToImage changed = imageFor("denoising_start").withDenoisingStart(denoisingStart);
    return with(draft -> draft.image = Optional.of(changed));
  }

  private ImageToImage imageFor(String argument) {
    return image.orElseThrow(
        () ->
            new IllegalArgumentException(
                "[request] %s without an image: it is for image to image, give the image first."
                    .formatted(argument)));
  }

  /**
   * With other sizes for the U-Net.
   *
   * @param sizes what it is told
   * @return the changed request
   */
  public ImageRequest withSizes(MicroConditioning sizes) {
    return with(draft -> draft.sizes = sizes);
  }

  /**
   * With another original size.
   *
   * @param height in pixels
   * @param width in pixels
   * @return the changed request
   */
  public ImageRequest withOriginalSize(int height, int width) {
    return withSizes(sizes.withOriginalSize(new MicroConditioning.Size(height, width)));
  }

  /**
   * With another target size.
   *
   * @param height in pixels
   * @param width in pixels
   * @return the changed request
   */
  public ImageRequest withTargetSize(int height, int width) {
    return withSizes(sizes.withTargetSize(new MicroConditioning.Size(height, width)));
  }

  /**
   * With another crop.
   *
   * @param top in pixels
   * @param left in pixels
   * @return the changed request
   */
  public ImageRequest withCropsCoordsTopLeft(int top, int left) {
    return withSizes(sizes.withCropsCoordsTopLeft(new MicroConditioning.Crop(top, left)));
  }

  /**
   * With another negative original size; acts together with a negative target size.
   *
   * @param height in pixels
   * @param width in pixels
   * @return the changed request
   */
  public ImageRequest withNegativeOriginalSize(int height, int width) {
    return withSizes(sizes.withNegativeOriginalSize(new MicroConditioning.Size(height, width)));
  }

  /**
   * With another negative target size; acts together with a negative original size.
   *
   * @param height in pixels
   * @param width in pixels
   * @return the changed request
   */
  public ImageRequest withNegativeTargetSize(int height, int width) {
    return withSizes(sizes.withNegativeTargetSize(new MicroConditioning.Size(height, width)));
  }

  /**
   * With another negative crop.
   *
   * @param top in pixels
   * @param left in pixels
   * @return the changed request
   */
  public ImageRequest withNegativeCropsCoordsTopLeft(int top, int left) {
    return withSizes(sizes.withNegativeCropsCoordsTopLeft(new MicroConditioning.Crop(top, left)));
  }

  /**
   * With perturbed-attention guidance.
   *
   * @param pag how strong and where
   * @return the changed request
   */
  public ImageRequest withPag(PerturbedAttentionGuidance pag) {
    return with(draft -> draft.pag = pag);
  }

  /**
   * With another scale of the perturbed-attention guidance; diffusers' default, where it is on, is
   * 3.
   *
   * @param scale 0 for none
   * @return the changed request
   */
  public ImageRequest withPagScale(float scale) {
    return withPag(new PerturbedAttentionGuidance(scale, pag.adaptiveScale(), pag.appliedLayers()));
  }

  /**
   * With another adaptive scale of the perturbed-attention guidance.
   *
   * @param adaptiveScale by how much the scale falls for each timestep below 1000
   * @return the changed request
   */
  public ImageRequest withPagAdaptiveScale(float adaptiveScale) {
    return withPag(new PerturbedAttentionGuidance(pag.scale(), adaptiveScale, pag.appliedLayers()));
  }

  /**
   * With perturbed-attention guidance in other layers.
   *
   * @param appliedLayers parts of their names as diffusers has them
   * @return the changed request
   */
  public ImageRequest withPagAppliedLayers(List<String> appliedLayers) {
    return withPag(new PerturbedAttentionGuidance(pag.scale(), pag.adaptiveScale(), appliedLayers));
  }

  /**
   * With or without tiles in the VAE.
   *
   * @param vaeTiling whether it works on tiles
   * @return the changed request
   */
  public ImageRequest withVaeTiling(boolean vaeTiling) {
    return with(draft -> draft.vaeTiling = vaeTiling);
  }

  /**
   * With the reference's faults, or without.
   *
   * @param compatibility which
   * @return the changed request
   */
  public ImageRequest withCompatibility(Compatibility compatibility) {
    return with(draft -> draft.compatibility = compatibility);
  }

  /**
   * The number of images.
   *
   * @return prompts times images per prompt
   */
  public int numImages() {
    return Math.multiplyExact(numPrompts(), numImagesPerPrompt);
  }

  /** The number of prompts, as texts or encoded. */
  int numPrompts() {
    return embeds.map(PromptEmbeds::prompts).orElse(prompts.size());
  }

  /** Whether the reference's faults are kept. */
  boolean likeDiffusers() {
    return compatibility == Compatibility.DIFFUSERS;
  }

  /** Whether each step also looks at the negative prompt. */
  boolean doClassifierFreeGuidance() {
    return guidanceScale > 1;
  }

  private ImageRequest with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.request();
  }

  private static <T> List<T> copyOf(String what, List<? extends T> values) {
    if (values == null) {
      throw new IllegalArgumentException(
          "[request] the list of %ss is null: give an empty one for none.".formatted(what));
    }
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i) == null) {
        throw new IllegalArgumentException("[request] %s %d is null.".formatted(what, i));
      }
    }
    return List.copyOf(values);
  }

  private static void checkShare(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException("[request] %s is %s: use 0 to 1.".formatted(name, value));
    }
  }

  private static List<Float> listOf(float[] values) {
    List<Float> list = new ArrayList<>(values.length);
    for (float value : values) {
      list.add(value);
    }
    return list;
  }

  private static void checkPositive(String side, OptionalInt pixels) {
    if (pixels.isPresent() && pixels.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "[request] %s %d: a picture has at least one latent cell, 8 pixels or more."
              .formatted(side, pixels.getAsInt()));
    }
  }

  /** A request that is being put together. */
  private static final class Draft {
    List<String> prompts;
    List<String> negativePrompts = List.of();
    Optional<PromptEmbeds> embeds = Optional.empty();
    OptionalInt height = OptionalInt.empty();
    OptionalInt width = OptionalInt.empty();
    int numInferenceSteps = DEFAULT_STEPS;
    List<Float> timesteps = List.of();
    List<Float> sigmas = List.of();
    OptionalDouble denoisingEnd = OptionalDouble.empty();
    float guidanceScale = DEFAULT_GUIDANCE_SCALE;
    float guidanceRescale = 0;
    double eta = 0;
    int numImagesPerPrompt = 1;
    List<Long> seeds = List.of();
    List<Generator> generators = List.of();
    GeneratorType rng = GeneratorType.CPU;
    Optional<FloatArray> latents = Optional.empty();
    Optional<ImageToImage> image = Optional.empty();
    MicroConditioning sizes = MicroConditioning.DEFAULT;
    PerturbedAttentionGuidance pag = PerturbedAttentionGuidance.OFF;
    OutputType outputType = OutputType.IMAGE;
    boolean vaeTiling = false;
    int maxSequenceLength = MAX_SEQUENCE_LENGTH;
    Compatibility compatibility = Compatibility.MENDED;
    Optional<StepCallback> onStepEnd = Optional.empty();
    Optional<ProgressListener> onProgress = Optional.empty();
    Optional<CancellationToken> cancellation = Optional.empty();

    Draft(List<String> prompts) {
      this.prompts = prompts;
    }

    Draft(ImageRequest request) {
      prompts = request.prompts;
      negativePrompts = request.negativePrompts;
      embeds = request.embeds;
      height = request.height;
      width = request.width;
      numInferenceSteps = request.numInferenceSteps;
      timesteps = request.timesteps;
      sigmas = request.sigmas;
      denoisingEnd = request.denoisingEnd;
      guidanceScale = request.guidanceScale;
      guidanceRescale = request.guidanceRescale;
      eta = request.eta;
      numImagesPerPrompt = request.numImagesPerPrompt;
      seeds = request.seeds;
      generators = request.generators;
      rng = request.rng;
      latents = request.latents;
      image = request.image;
      sizes = request.sizes;
      pag = request.pag;
      outputType = request.outputType;
      vaeTiling = request.vaeTiling;
      maxSequenceLength = request.maxSequenceLength;
      compatibility = request.compatibility;
      onStepEnd = request.onStepEnd;
      onProgress = request.onProgress;
      cancellation = request.cancellation;
    }

    ImageRequest request() {
      return new ImageRequest(
          prompts,
          negativePrompts,
          embeds,
          height,
          width,
          numInferenceSteps,
          timesteps,
          sigmas,
          denoisingEnd,
          guidanceScale,
          guidanceRescale,
          eta,
          numImagesPerPrompt,
          seeds,
          generators,
          rng,
          latents,
          image,
          sizes,
          pag,
          outputType,
          vaeTiling,
          maxSequenceLength,
          compatibility,
          onStepEnd,
          onProgress,
          cancellation);
    }
  }
}
