package io.github.kolors4j;

import io.github.kolors4j.tensor.random.TorchGenerator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
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
 * @param prompts one or several, each may be empty text
 * @param negativePrompts what the pictures should not show: one for all prompts, or one a prompt;
 *     none means empty text, as {@code negative_prompt=None}. Not used without guidance
 * @param height in pixels, a multiple of 8 and of the pixels of a latent cell; by default what the
 *     U-Net was trained on
 * @param width in pixels, like the height
 * @param numInferenceSteps denoising steps, at least 1; more are slower and, up to a point, better
 * @param guidanceScale how strongly the prompt rules; at most 1 means no guidance, which halves the
 *     work
 * @param numImagesPerPrompt how many images of each prompt
 * @param seeds of the noise: one {@code S} for all images, which gives them {@code S, S+1, …}, or
 *     one an image; none means that a random one is drawn and reported
 * @param generators instead of seeds, the noise's generators, one an image. Their draws go on from
 *     where they stand, so such a request gives other pictures each time
 * @param latents instead of drawn noise, {@code [n, c, h/f, w/f]} in PyTorch's order for the n
 *     images, before the multiplication by the scheduler's initial sigma
 * @param outputType pictures or latents
 * @param maxSequenceLength tokens that the model reads of a prompt, its two first included: 1 to
 *     256. Less is faster and gives another picture (diffusers ignores it)
 * @param onStepEnd called after each denoising step
 * @param onProgress told of each stage and step
 * @param cancellation a token that ends the request from outside
 */
public record ImageRequest(
    List<String> prompts,
    List<String> negativePrompts,
    OptionalInt height,
    OptionalInt width,
    int numInferenceSteps,
    float guidanceScale,
    int numImagesPerPrompt,
    List<Long> seeds,
    List<TorchGenerator> generators,
    Optional<FloatArray> latents,
    OutputType outputType,
    int maxSequenceLength,
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
    if (prompts.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] the list of prompts is empty: give at least one, which may be empty text.");
    }
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
  public ImageRequest withGenerators(List<TorchGenerator> generators) {
    return with(draft -> draft.generators = generators);
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
   * The number of images.
   *
   * @return prompts times images per prompt
   */
  public int numImages() {
    return Math.multiplyExact(prompts.size(), numImagesPerPrompt);
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

  private static <T> List<T> copyOf(String what, List<T> values) {
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
    OptionalInt height = OptionalInt.empty();
    OptionalInt width = OptionalInt.empty();
    int numInferenceSteps = DEFAULT_STEPS;
    float guidanceScale = DEFAULT_GUIDANCE_SCALE;
    int numImagesPerPrompt = 1;
    List<Long> seeds = List.of();
    List<TorchGenerator> generators = List.of();
    Optional<FloatArray> latents = Optional.empty();
    OutputType outputType = OutputType.IMAGE;
    int maxSequenceLength = MAX_SEQUENCE_LENGTH;
    Optional<StepCallback> onStepEnd = Optional.empty();
    Optional<ProgressListener> onProgress = Optional.empty();
    Optional<CancellationToken> cancellation = Optional.empty();

    Draft(List<String> prompts) {
      this.prompts = prompts;
    }

    Draft(ImageRequest request) {
      prompts = request.prompts;
      negativePrompts = request.negativePrompts;
      height = request.height;
      width = request.width;
      numInferenceSteps = request.numInferenceSteps;
      guidanceScale = request.guidanceScale;
      numImagesPerPrompt = request.numImagesPerPrompt;
      seeds = request.seeds;
      generators = request.generators;
      latents = request.latents;
      outputType = request.outputType;
      maxSequenceLength = request.maxSequenceLength;
      onStepEnd = request.onStepEnd;
      onProgress = request.onProgress;
      cancellation = request.cancellation;
    }

    ImageRequest request() {
      return new ImageRequest(
          prompts,
          negativePrompts,
          height,
          width,
          numInferenceSteps,
          guidanceScale,
          numImagesPerPrompt,
          seeds,
          generators,
          latents,
          outputType,
          maxSequenceLength,
          onStepEnd,
          onProgress,
          cancellation);
    }
  }
}
