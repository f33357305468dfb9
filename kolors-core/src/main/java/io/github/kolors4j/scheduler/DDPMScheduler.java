package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;

/**
 * Denoising diffusion probabilistic models: noise is added in every step but the one to timestep 0.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2006.11239">Ho et al., 2020</a>
 */
public final class DDPMScheduler extends ConfiguredScheduler {
  private enum VarianceType {
    FIXED_SMALL,
    FIXED_SMALL_LOG,
    FIXED_LARGE,
    LEARNED,
    LEARNED_RANGE;

    boolean learned() {
      return this == LEARNED || this == LEARNED_RANGE;
    }
  }

  private static final Option<VarianceType> VARIANCE_TYPE =
      Option.choice("variance_type", "how much noise a step adds", VarianceType.class)
          .alias(
              null, VarianceType.FIXED_SMALL) // DPM-Solver's default, and what diffusers does then
          .refusing(
              "fixed_large_log",
              "diffusers takes the root of a negative logarithm there, and gives no picture. Use"
                  + " \"fixed_large\".");

  static final SchedulerType TYPE =
      SchedulerType.of(DDPMScheduler.class, "ddpm")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(
              ANY_BETA_SCHEDULE.only(
                  BetaSchedule.LINEAR,
                  BetaSchedule.SCALED_LINEAR,
                  BetaSchedule.SQUAREDCOS_CAP_V2,
                  BetaSchedule.SIGMOID,
                  BetaSchedule.LAPLACE),
              BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(VARIANCE_TYPE, VarianceType.FIXED_SMALL)
          .option(CLIP_SAMPLE, true)
          .option(PREDICTION_TYPE, PredictionType.EPSILON)
          .option(THRESHOLDING, false)
          .option(DYNAMIC_THRESHOLDING_RATIO, 0.995)
          .option(CLIP_SAMPLE_RANGE, 1.0)
          .option(SAMPLE_MAX_VALUE, 1.0)
          .option(TIMESTEP_SPACING, TimestepSpacing.LEADING)
          .option(STEPS_OFFSET, 0)
          .option(RESCALE_BETAS_ZERO_SNR, false)
          .takesTimesteps()
          .build(DDPMScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final TimestepChoice timesteps;
  private final VarianceType varianceType;
  private final PredictionType predictionType;
  private final SampleBounds bounds;

  private DDPMScheduler(OptionValues options) {
    super(options);
    this.noiseSchedule = NoiseSchedule.of(options);
    this.timesteps = TimestepChoice.of(options);
    this.varianceType = options.get(VARIANCE_TYPE);
    this.predictionType = options.get(PREDICTION_TYPE);
    this.bounds = SampleBounds.of(options);
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("clip_sample", false)}; may be left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static DDPMScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new DDPMScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    return tables(timesteps.whole(n));
  }

  @Override
  Schedule ofTimesteps(float[] given) {
    return tables(TimestepChoice.falling(given, timesteps.trained()));
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
    /** What the model predicts beside the mean, where it does. */
    private Slice predictedVariance = new Slice(new float[0], 0, 0);

    DdpmSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
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
                + Option.name(varianceType)
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
