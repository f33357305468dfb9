package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;

/**
 * Latent consistency models: 1 to 8 steps with weights that were distilled for it.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2310.04378">Luo et al., 2023</a>
 */
public final class LCMScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType("LCMScheduler", List.of("lcm"), defaults(), LCMScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final DistilledTimesteps distilled;
  private final PredictionType predictionType;
  private final SampleBounds bounds;
  private final float timestepScaling;
  private final float finalAlphaCumprod;

  private LCMScheduler(SchedulerConfig config) {
    super(TYPE, config);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.EXACT);
    this.distilled = DistilledTimesteps.of(config);
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.bounds = SampleBounds.of(config);
    this.timestepScaling = (float) config.number("timestep_scaling");
    this.finalAlphaCumprod = noiseSchedule.finalAlphaCumprod(config);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static LCMScheduler fromConfig(SchedulerConfig config) {
    return fromConfig(config, Map.of());
  }

  /**
   * A scheduler from any scheduler's configuration, with some options changed.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @param options values that go first, under the names of diffusers
   * @return the scheduler
   * @throws IllegalArgumentException if there is no such option or a value is not supported
   */
  public static LCMScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new LCMScheduler(TYPE.resolve(config, options));
  }

  private static Map<String, Object> defaults() {
    return SchedulerType.options(
        "num_train_timesteps",
        1000L,
        "beta_start",
        0.00085,
        "beta_end",
        0.012,
        "beta_schedule",
        "scaled_linear",
        "trained_betas",
        null,
        "original_inference_steps",
        50L,
        "clip_sample",
        false,
        "clip_sample_range",
        1.0,
        "set_alpha_to_one",
        true,
        "steps_offset",
        0L,
        "prediction_type",
        "epsilon",
        "thresholding",
        false,
        "dynamic_thresholding_ratio",
        0.995,
        "sample_max_value",
        1.0,
        "timestep_spacing",
        "leading",
        "timestep_scaling",
        10.0,
        "rescale_betas_zero_snr",
        false);
  }

  @Override
  Schedule ofCount(int n) {
    return tables(distilled.ofCount(n));
  }

  @Override
  boolean takesTimesteps() {
    return true;
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    return tables(falling(timesteps, distilled.numTrainTimesteps()));
  }

  private Schedule tables(double[] timesteps) {
    return Tables.trained(
        className(),
        noiseSchedule.checkTrained(timesteps),
        noiseSchedule,
        finalAlphaCumprod,
        (tables, noise, _) -> new LcmSolver(tables, noise));
  }

  private final class LcmSolver extends Solver {
    private static final float SIGMA_DATA = 0.5f;

    private final NoiseSource noise;

    LcmSolver(Tables tables, NoiseSource noise) {
      super(tables);
      this.noise = noise;
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float scaled = tables.timestep(stepIndex) * timestepScaling;
      float variance = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
      float cSkip = SIGMA_DATA * SIGMA_DATA / variance;
      float cOut = scaled / (float) Math.sqrt(variance);

      float[] predOriginalSample = new float[sample.length()];
      for (int i = 0; i < sample.length(); i++) {
        predOriginalSample[i] =
            predictionType.originalSample(
                sample.get(i), modelOutput.get(i), tables.level(stepIndex));
      }
      bounds.apply(predOriginalSample);
      for (int i = 0; i < sample.length(); i++) {
        sample.set(i, cOut * predOriginalSample[i] + cSkip * sample.get(i));
      }
      if (stepIndex < tables.stepCount() - 1) {
        float[] drawn = new float[sample.length()];
        noise.draw(drawn);
        Level next = tables.level(stepIndex + 1);
        for (int i = 0; i < sample.length(); i++) {
          sample.set(i, next.alpha() * sample.get(i) + next.sigma() * drawn[i]);
        }
      }
    }
  }
}
