package io.github.kolors4j.springboot;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.springai.KolorsImageOptions;
import io.github.kolors4j.tensor.Precision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;

/**
 * The properties {@code spring.ai.kolors.image.*}: which checkpoint, how it is computed, and what a
 * call wants that leaves an option open.
 *
 * @param model Folder of a checkpoint in diffusers' layout, or owner/name at the Hugging Face hub,
 *     which is downloaded when the first picture is asked for.
 * @param variant Copy of the weights, as in model.fp16.safetensors. By default fp16 where it is
 *     there, else the plain files.
 * @param threads Compute threads. The pictures do not depend on it. By default one a core.
 * @param precision How products are computed. All but f32 need kolors-x86 and a CPU with BF16.
 * @param promptCache Folder in which encoded prompts are remembered. By default they are not.
 * @param textEncoderOnDemand Whether the text encoder's weights are mapped only while a prompt is
 *     encoded.
 * @param queueCapacity Calls that may wait. One more is refused.
 * @param concurrency Calls that are computed at once. One computes with all cores, so that more are
 *     not faster.
 * @param pictureMetadata Whether a picture's file says how it was made, prompts included.
 * @param shutdownTimeout How long a call that is being computed may go on when the application
 *     stops. What uses the web server has had spring.lifecycle.timeout-per-shutdown-phase before.
 * @param n Pictures of a call. By default 1.
 * @param width Width of the pictures in pixels. By default that of the picture to begin with, or
 *     what the model was trained on.
 * @param height Height of the pictures in pixels. By default that of the picture to begin with, or
 *     what the model was trained on.
 * @param negativePrompt What the pictures should not show.
 * @param numInferenceSteps Denoising steps. By default 50.
 * @param guidanceScale How strongly the prompt leads. By default 5.0.
 * @param guidanceRescale How far the contrast that guidance adds is taken back, 0 to 1. By default
 *     0.
 * @param pagScale How strongly perturbed-attention guidance leads. By default 0, which is none.
 * @param seed Seed of the first picture of each call. By default a random one.
 * @param strength How much of a picture to begin with is redrawn, 0 to 1. By default 0.3.
 * @param scheduler Scheduler, by its short name or the name of its class. By default the
 *     checkpoint's own.
 * @param schedulerOptions Options of the scheduler by diffusers' keys.
 * @param vaeTiling Whether the VAE works on overlapping tiles, with less memory.
 */
@ConfigurationProperties(KolorsImageProperties.PREFIX)
public record KolorsImageProperties(
    @Nullable String model,
    @Nullable String variant,
    @Nullable Integer threads,
    @DefaultValue("f32") Precision precision,
    @Nullable Path promptCache,
    @DefaultValue("false") boolean textEncoderOnDemand,
    @DefaultValue("16") int queueCapacity,
    @DefaultValue("1") int concurrency,
    @DefaultValue("false") boolean pictureMetadata,
    @DefaultValue("10s") Duration shutdownTimeout,
    @Nullable Integer n,
    @Nullable Integer width,
    @Nullable Integer height,
    @Nullable String negativePrompt,
    @Nullable Integer numInferenceSteps,
    @Nullable Double guidanceScale,
    @Nullable Double guidanceRescale,
    @Nullable Double pagScale,
    @Nullable Long seed,
    @Nullable Double strength,
    @Nullable String scheduler,
    @Nullable Map<String, String> schedulerOptions,
    @Nullable Boolean vaeTiling) {

  /** What the names of the properties begin with. */
  public static final String PREFIX = "spring.ai.kolors.image";

  /**
   * What a call wants that leaves an option open.
   *
   * @return the options
   */
  public KolorsImageOptions toOptions() {
    return KolorsImageOptions.builder()
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
        .schedulerOptions(schedulerOptions == null ? null : underDiffusersKeys(schedulerOptions))
        .vaeTiling(vaeTiling)
        .build();
  }

  /** A key may be written as those of Spring are: {@code use-karras-sigmas}. */
  private static Map<String, String> underDiffusersKeys(Map<String, String> options) {
    Map<String, String> renamed = new LinkedHashMap<>();
    options.forEach((key, value) -> renamed.put(key.replace('-', '_'), value));
    return renamed;
  }

  /**
   * Begins to open the checkpoint.
   *
   * @return what opens it; reads no file yet
   * @throws InvalidConfigurationPropertyValueException if there is no model
   * @throws IllegalArgumentException if a value is not one that it takes
   */
  public KolorsPipeline.Builder toPipeline() {
    if (model == null || model.isBlank()) {
      throw new InvalidConfigurationPropertyValueException(
          PREFIX + ".model",
          model,
          "It names the checkpoint: a folder, or owner/name at the Hugging Face hub. Where another"
              + " provider makes the pictures, set spring.ai.model.image.");
    }
    KolorsPipeline.Builder pipeline = KolorsPipeline.builder(model).precision(precision);
    if (variant != null) {
      pipeline.variant(variant);
    }
    if (threads != null) {
      pipeline.threads(threads);
    }
    if (promptCache != null) {
      pipeline.promptCache(PromptCache.at(promptCache));
    }
    if (textEncoderOnDemand) {
      pipeline.textEncoderOnDemand();
    }
    return pipeline;
  }
}
