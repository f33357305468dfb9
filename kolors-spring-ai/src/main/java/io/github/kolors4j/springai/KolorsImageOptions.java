package io.github.kolors4j.springai;

import static org.springframework.ai.model.ModelOptionsUtils.mergeOption;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.image.ImageOptions;

/**
 * What a call of {@link KolorsImageModel} wants, under the names that diffusers has. An immutable
 * value; an option that is null is left open, for the model's defaults or else for diffusers'.
 *
 * {@snippet :
 * KolorsImageOptions options =
 *     KolorsImageOptions.builder().numInferenceSteps(25).guidanceScale(6.5).seed(66L).build();
 * ImageResponse response = model.call(new ImagePrompt("一只瓢虫,蓝色背景", options));
 * }
 *
 * <p>Values are checked when a picture is asked for. A builder's methods take null, so that an
 * argument that somebody may have left out can be passed on as it is.
 */
public final class KolorsImageOptions implements ImageOptions {
  /** The only response format: the bytes of a PNG in Base64. */
  private static final String B64_JSON = "b64_json";

  private final @Nullable String model;
  private final @Nullable Integer n;
  private final @Nullable Integer width;
  private final @Nullable Integer height;
  private final @Nullable String negativePrompt;
  private final @Nullable Integer numInferenceSteps;
  private final @Nullable Double guidanceScale;
  private final @Nullable Double guidanceRescale;
  private final @Nullable Double pagScale;
  private final @Nullable Long seed;
  private final @Nullable Double strength;
  private final @Nullable String scheduler;
  private final @Nullable Map<String, Object> schedulerOptions;
  private final @Nullable Boolean vaeTiling;

  private KolorsImageOptions(Builder builder) {
    model = builder.model;
    n = builder.n;
    width = builder.width;
    height = builder.height;
    negativePrompt = builder.negativePrompt;
    numInferenceSteps = builder.numInferenceSteps;
    guidanceScale = builder.guidanceScale;
    guidanceRescale = builder.guidanceRescale;
    pagScale = builder.pagScale;
    seed = builder.seed;
    strength = builder.strength;
    scheduler = builder.scheduler;
    schedulerOptions = builder.schedulerOptions;
    vaeTiling = builder.vaeTiling;
  }

  /**
   * Begins with every option left open.
   *
   * @return what builds them
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Begins with these options.
   *
   * @return what builds others
   */
  public Builder toBuilder() {
    return new Builder()
        .model(model)
        .n(n)
        .width(width)
        .height(height)
        .negativePrompt(negativePrompt)
        .numInferenceSteps(numInferenceSteps)
        .guidanceScale(guidanceScale)
        .guidanceRescale(guidanceRescale)
        .pagScale(pagScale)
        .seed(seed)
        .strength(strength)
        .scheduler(scheduler)
        .schedulerOptions(schedulerOptions)
        .vaeTiling(vaeTiling);
  }

  /**
   * These options where a request leaves one open, and the request's elsewhere, each option by
   * itself: a request for another width alone keeps this height. A scheduler goes together with its
   * options: a request that names one does not get the options of another.
   *
   * @param request options of this class, of Spring AI's builder or of any other provider; null
   *     leaves everything open
   * @return the merged options
   * @throws IllegalArgumentException if the request wants a URL in place of a picture, or a style
   */
  public KolorsImageOptions mergedWith(@Nullable ImageOptions request) {
    if (request == null) {
      return this;
    }
    if (!(request instanceof KolorsImageOptions own)) {
      return mergedWith(portable(request));
    }
    boolean otherScheduler = own.scheduler != null && !own.scheduler.equals(scheduler);
    return builder()
        .model(mergeOption(own.model, model))
        .n(mergeOption(own.n, n))
        .width(mergeOption(own.width, width))
        .height(mergeOption(own.height, height))
        .negativePrompt(mergeOption(own.negativePrompt, negativePrompt))
        .numInferenceSteps(mergeOption(own.numInferenceSteps, numInferenceSteps))
        .guidanceScale(mergeOption(own.guidanceScale, guidanceScale))
        .guidanceRescale(mergeOption(own.guidanceRescale, guidanceRescale))
        .pagScale(mergeOption(own.pagScale, pagScale))
        .seed(mergeOption(own.seed, seed))
        .strength(mergeOption(own.strength, strength))
        .scheduler(mergeOption(own.scheduler, scheduler))
        .schedulerOptions(
            mergeOption(own.schedulerOptions, otherScheduler ? null : schedulerOptions))
        .vaeTiling(mergeOption(own.vaeTiling, vaeTiling))
        .build();
  }

  /** What options of any class say that means something here. */
  private static KolorsImageOptions portable(ImageOptions options) {
    String format = options.getResponseFormat();
    if (format != null && !format.toLowerCase(Locale.ROOT).equals(B64_JSON)) {
      throw new IllegalArgumentException(
          "[spring-ai] response format %s: a picture is a PNG in Base64, use %s or leave it out."
              .formatted(format, B64_JSON));
    }
    if (options.getStyle() != null) {
      throw new IllegalArgumentException(
          "[spring-ai] style %s: Kolors has none, say it in the prompt."
              .formatted(options.getStyle()));
    }
    return builder()
        .model(options.getModel())
        .n(options.getN())
        .width(options.getWidth())
        .height(options.getHeight())
        .build();
  }

  /**
   * The checkpoint.
   *
   * @return a folder or a name at the hub, as the model was opened with; a request that names
   *     another one is refused
   */
  @Override
  public @Nullable String getModel() {
    return model;
  }

  /**
   * How many pictures.
   *
   * @return 1 or more, 1 where it is left open; their seeds follow one another
   */
  @Override
  public @Nullable Integer getN() {
    return n;
  }

  /**
   * The pictures' width.
   *
   * @return in pixels, a multiple of 8; left open, that of the picture to begin with, or what the
   *     model was trained on, which is 1024 for Kolors
   */
  @Override
  public @Nullable Integer getWidth() {
    return width;
  }

  /**
   * The pictures' height.
   *
   * @return in pixels, like {@link #getWidth}
   */
  @Override
  public @Nullable Integer getHeight() {
    return height;
  }

  /**
   * How the picture comes.
   *
   * @return always {@code b64_json}
   */
  @Override
  public String getResponseFormat() {
    return B64_JSON;
  }

  /**
   * Kolors has no styles.
   *
   * @return always null
   */
  @Override
  public @Nullable String getStyle() {
    return null;
  }

  /**
   * What the pictures should not show.
   *
   * @return a text; left open, an empty one
   */
  public @Nullable String getNegativePrompt() {
    return negativePrompt;
  }

  /**
   * The denoising steps.
   *
   * @return 1 or more, 50 where it is left open
   */
  public @Nullable Integer getNumInferenceSteps() {
    return numInferenceSteps;
  }

  /**
   * How strongly the prompt leads; up to 1 it does not, and the negative prompt has no effect.
   *
   * @return 5 where it is left open
   */
  public @Nullable Double getGuidanceScale() {
    return guidanceScale;
  }

  /**
   * How much the guided prediction gets back the spread of the plain one, against colours that are
   * too strong.
   *
   * @return 0 to 1, 0 where it is left open
   */
  public @Nullable Double getGuidanceRescale() {
    return guidanceRescale;
  }

  /**
   * How strongly perturbed attention guidance leads.
   *
   * @return 0 where it is left open, which is none
   */
  public @Nullable Double getPagScale() {
    return pagScale;
  }

  /**
   * The seed of the first picture; the same seed gives the same bytes.
   *
   * @return 0 to 2⁶⁴−1, where the negative numbers are those from 2⁶³ on; left open, a random one,
   *     which the response names
   */
  public @Nullable Long getSeed() {
    return seed;
  }

  /**
   * How much of the picture to begin with is redrawn.
   *
   * @return 0 nothing to 1 everything, 0.3 where it is left open; for image to image only
   */
  public @Nullable Double getStrength() {
    return strength;
  }

  /**
   * The scheduler.
   *
   * @return a name as {@code dpmsolver++} or {@code DPMSolverMultistepScheduler}; left open, the
   *     checkpoint's own
   */
  public @Nullable String getScheduler() {
    return scheduler;
  }

  /**
   * Options of the scheduler by diffusers' keys; the others are those of the checkpoint.
   *
   * @return as {@code use_karras_sigmas} to {@code true}
   */
  public @Nullable Map<String, Object> getSchedulerOptions() {
    return schedulerOptions;
  }

  /**
   * Whether the VAE works on overlapping tiles: less memory, a picture that differs a little.
   *
   * @return false where it is left open
   */
  public @Nullable Boolean getVaeTiling() {
    return vaeTiling;
  }

  /** Every option by diffusers' name, those that are left open as null. */
  private Map<String, @Nullable Object> values() {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("model", model);
    values.put("n", n);
    values.put("width", width);
    values.put("height", height);
    values.put("negative_prompt", negativePrompt);
    values.put("num_inference_steps", numInferenceSteps);
    values.put("guidance_scale", guidanceScale);
    values.put("guidance_rescale", guidanceRescale);
    values.put("pag_scale", pagScale);
    values.put("seed", seed);
    values.put("strength", strength);
    values.put("scheduler", scheduler);
    values.put("scheduler_options", schedulerOptions);
    values.put("vae_tiling", vaeTiling);
    return values;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof KolorsImageOptions options && values().equals(options.values());
  }

  @Override
  public int hashCode() {
    return values().hashCode();
  }

  /** All that is not left open. */
  @Override
  public String toString() {
    return values().entrySet().stream()
        .filter(entry -> entry.getValue() != null)
        .map(Map.Entry::toString)
        .collect(Collectors.joining(", ", "KolorsImageOptions[", "]"));
  }

  /** Options that are being put together; null leaves one open. */
  public static final class Builder {
    private @Nullable String model;
    private @Nullable Integer n;
    private @Nullable Integer width;
    private @Nullable Integer height;
    private @Nullable String negativePrompt;
    private @Nullable Integer numInferenceSteps;
    private @Nullable Double guidanceScale;
    private @Nullable Double guidanceRescale;
    private @Nullable Double pagScale;
    private @Nullable Long seed;
    private @Nullable Double strength;
    private @Nullable String scheduler;
    private @Nullable Map<String, Object> schedulerOptions;
    private @Nullable Boolean vaeTiling;

    private Builder() {}

    /**
     * The checkpoint.
     *
     * @param model a folder or a name at the hub
     * @return this
     */
    public Builder model(@Nullable String model) {
      this.model = model;
      return this;
    }

    /**
     * How many pictures.
     *
     * @param n 1 or more
     * @return this
     */
    public Builder n(@Nullable Integer n) {
      this.n = n;
      return this;
    }

    /**
     * The pictures' width.
     *
     * @param width in pixels, a multiple of 8
     * @return this
     */
    public Builder width(@Nullable Integer width) {
      this.width = width;
      return this;
    }

    /**
     * The pictures' height.
     *
     * @param height in pixels, a multiple of 8
     * @return this
     */
    public Builder height(@Nullable Integer height) {
      this.height = height;
      return this;
    }

    /**
     * What the pictures should not show.
     *
     * @param negativePrompt a text
     * @return this
     */
    public Builder negativePrompt(@Nullable String negativePrompt) {
      this.negativePrompt = negativePrompt;
      return this;
    }

    /**
     * The denoising steps.
     *
     * @param numInferenceSteps 1 or more
     * @return this
     */
    public Builder numInferenceSteps(@Nullable Integer numInferenceSteps) {
      this.numInferenceSteps = numInferenceSteps;
      return this;
    }

    /**
     * How strongly the prompt leads.
     *
     * @param guidanceScale up to 1 it does not, and the negative prompt has no effect
     * @return this
     */
    public Builder guidanceScale(@Nullable Double guidanceScale) {
      this.guidanceScale = guidanceScale;
      return this;
    }

    /**
     * How much the guided prediction gets back the spread of the plain one.
     *
     * @param guidanceRescale 0 to 1
     * @return this
     */
    public Builder guidanceRescale(@Nullable Double guidanceRescale) {
      this.guidanceRescale = guidanceRescale;
      return this;
    }

    /**
     * How strongly perturbed attention guidance leads.
     *
     * @param pagScale 0 for none
     * @return this
     */
    public Builder pagScale(@Nullable Double pagScale) {
      this.pagScale = pagScale;
      return this;
    }

    /**
     * The seed of the first picture.
     *
     * @param seed 0 to 2⁶⁴−1, where the negative numbers are those from 2⁶³ on
     * @return this
     */
    public Builder seed(@Nullable Long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The seed of the first picture.
     *
     * @param seed 0 to 2⁶⁴−1, where the negative numbers are those from 2⁶³ on
     * @return this
     */
    public Builder seed(long seed) {
      return seed(Long.valueOf(seed));
    }

    /**
     * How much of the picture to begin with is redrawn.
     *
     * @param strength 0 nothing to 1 everything
     * @return this
     */
    public Builder strength(@Nullable Double strength) {
      this.strength = strength;
      return this;
    }

    /**
     * The scheduler.
     *
     * @param scheduler a name as {@code dpmsolver++} or {@code DPMSolverMultistepScheduler}
     * @return this
     */
    public Builder scheduler(@Nullable String scheduler) {
      this.scheduler = scheduler;
      return this;
    }

    /**
     * Options of the scheduler, or of the checkpoint's own.
     *
     * @param schedulerOptions values by diffusers' keys, as {@code use_karras_sigmas} to {@code
     *     true}; a text stands for the JSON that it is
     * @return this
     */
    public Builder schedulerOptions(@Nullable Map<String, ?> schedulerOptions) {
      this.schedulerOptions =
          schedulerOptions == null
              ? null
              : Collections.unmodifiableMap(new LinkedHashMap<String, Object>(schedulerOptions));
      return this;
    }

    /**
     * With or without tiles in the VAE.
     *
     * @param vaeTiling whether it works on overlapping tiles
     * @return this
     */
    public Builder vaeTiling(@Nullable Boolean vaeTiling) {
      this.vaeTiling = vaeTiling;
      return this;
    }

    /**
     * The options.
     *
     * @return as they were put together
     */
    public KolorsImageOptions build() {
      return new KolorsImageOptions(this);
    }
  }
}
