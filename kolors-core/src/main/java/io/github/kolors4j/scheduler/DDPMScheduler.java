package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.BetaSchedule;
import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Denoising diffusion probabilistic models: noise is added in every step but the one to timestep 0.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2006.11239">Ho et al., 2020</a>
 */
public final class DDPMScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType("DDPMScheduler", List.of("ddpm"), defaults(), DDPMScheduler::new);

  /** How much noise a step adds. */
  private enum VarianceType {
    FIXED_SMALL,
    FIXED_SMALL_LOG,
    FIXED_LARGE,
    LEARNED,
    LEARNED_RANGE;

    boolean learned() {
      return this == LEARNED || this == LEARNED_RANGE;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final NoiseSchedule noiseSchedule;
  private final int numTrainTimesteps;
  private final VarianceType varianceType;
  private final PredictionType predictionType;
  private final SampleBounds bounds;
  private final TimestepSpacing timestepSpacing;
  private final int stepsOffset;

  private DDPMScheduler(SchedulerConfig config) {
    super(TYPE, config);
    this.noiseSchedule =
        NoiseSchedule.of(config, ZeroSnr.EXACT, BetaSchedule.SIGMOID, BetaSchedule.LAPLACE);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    if ("fixed_large_log".equals(config.get("variance_type"))) {
      throw new OptionException(
          "variance_type",
          "fixed_large_log",
          "diffusers takes the root of a negative logarithm there, and gives no picture. Use"
              + " \"fixed_large\".");
    }
    this.varianceType = config.choice("variance_type", VarianceType.class);
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.bounds = SampleBounds.of(config);
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static DDPMScheduler fromConfig(SchedulerConfig config) {
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
  public static DDPMScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new DDPMScheduler(TYPE.resolve(config, options));
  }

  private static Map<String, Object> defaults() {
    return SchedulerType.options(
        "num_train_timesteps",
        1000L,
        "beta_start",
        0.0001,
        "beta_end",
        0.02,
        "beta_schedule",
        "linear",
        "trained_betas",
        null,
        "variance_type",
        "fixed_small",
        "clip_sample",
        true,
        "prediction_type",
        "epsilon",
        "thresholding",
        false,
        "dynamic_thresholding_ratio",
        0.995,
        "clip_sample_range",
        1.0,
        "sample_max_value",
        1.0,
        "timestep_spacing",
        "leading",
        "steps_offset",
        0L,
        "rescale_betas_zero_snr",
        false);
  }

  @Override
  Schedule ofCount(int n) {
    checkCount(n, numTrainTimesteps);
    return tables(timestepSpacing.whole(numTrainTimesteps, n, stepsOffset));
  }

  @Override
  boolean takesTimesteps() {
    return true;
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    return tables(falling(timesteps, numTrainTimesteps));
  }

  private Schedule tables(double[] timesteps) {
    return Tables.trained(
        className(),
        noiseSchedule.checkTrained(timesteps),
        noiseSchedule,
        1,
        (tables, noise, _) -> new DdpmSolver(tables, noise));
  }

  private final class DdpmSolver extends Solver {
    private final NoiseSource noise;

    /** What the model predicts beside the mean, where it does. */
    private Slice predictedVariance = Slice.of(new float[0]);

    DdpmSolver(Tables tables, NoiseSource noise) {
      super(tables);
      this.noise = noise;
    }

    /** A model that learned its variance gives twice the values: all means, then all variances. */
    @Override
    Slice meanOf(Slice modelOutput, int length) {
      if (!varianceType.learned()) {
        return super.meanOf(modelOutput, length);
      }
      if (modelOutput.length() != 2 * length) {
        throw new IllegalArgumentException(
            "[scheduler] model output has "
                + modelOutput.length()
                + " values: with variance_type \""
                + varianceType
                + "\" it needs "
                + 2 * length
                + ", all means and then all variances. Use \"fixed_small\" with other models.");
      }
      float[] values = modelOutput.values();
      predictedVariance = new Slice(values, modelOutput.offset() + length, length);
      return new Slice(values, modelOutput.offset(), length);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      boolean last = stepIndex == tables.stepCount() - 1;
      float alphaProd = noiseSchedule.alphaCumprod(tables.timestep(stepIndex));
      float alphaProdPrev = last ? 1 : noiseSchedule.alphaCumprod(tables.timestep(stepIndex + 1));
      float alpha = alphaProd / alphaProdPrev;
      float beta = 1 - alpha;
      float ofOriginal = (float) Math.sqrt(alphaProdPrev) * beta / (1 - alphaProd);
      float ofSample = (float) Math.sqrt(alpha) * (1 - alphaProdPrev) / (1 - alphaProd);
      float smallVariance = Math.max((1 - alphaProdPrev) / (1 - alphaProd) * beta, 1e-20f);

      float[] predOriginalSample = new float[sample.length()];
      for (int i = 0; i < sample.length(); i++) {
        predOriginalSample[i] =
            predictionType.originalSample(
                sample.get(i), modelOutput.get(i), tables.level(stepIndex));
      }
      bounds.apply(predOriginalSample);
      boolean noisy = tables.timestep(stepIndex) > 0;
      float[] drawn = new float[sample.length()];
      if (noisy) {
        noise.draw(drawn);
      }
      for (int i = 0; i < sample.length(); i++) {
        float mean = ofOriginal * predOriginalSample[i] + ofSample * sample.get(i);
        sample.set(i, noisy ? mean + stdDev(smallVariance, beta, i) * drawn[i] : mean);
      }
    }

    private float stdDev(float smallVariance, float beta, int i) {
      return switch (varianceType) {
        case FIXED_SMALL -> (float) Math.sqrt(smallVariance);
        case FIXED_SMALL_LOG -> Level.exp(0.5f * Level.log(smallVariance));
        case FIXED_LARGE -> (float) Math.sqrt(beta);
        case LEARNED -> (float) Math.sqrt(predictedVariance.get(i));
        case LEARNED_RANGE -> {
          float share = (predictedVariance.get(i) + 1) / 2;
          yield Level.exp(
              0.5f * (share * Level.log(beta) + (1 - share) * Level.log(smallVariance)));
        }
      };
    }
  }
}
