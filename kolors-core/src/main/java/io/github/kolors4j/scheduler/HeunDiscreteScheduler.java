package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Heun's method: a step of Euler's, then again with the mean of the slopes at both ends. The U-Net
 * runs twice a step.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 1</a>
 */
public final class HeunDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      SchedulerType.of(HeunDiscreteScheduler.class, "heun")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.00085)
          .option(BETA_END, 0.012)
          .option(
              ANY_BETA_SCHEDULE.only(
                  BetaSchedule.LINEAR,
                  BetaSchedule.SCALED_LINEAR,
                  BetaSchedule.SQUAREDCOS_CAP_V2,
                  BetaSchedule.EXP),
              BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(PREDICTION_TYPE, PredictionType.EPSILON)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .option(CLIP_SAMPLE, false)
          .option(CLIP_SAMPLE_RANGE, 1.0)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .takesTimesteps()
          .build(HeunDiscreteScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;
  private final SampleBounds bounds;

  private HeunDiscreteScheduler(OptionValues options) {
    super(options);
    this.path = SigmaPath.of(options, NoiseSchedule.of(options));
    this.predictionType = options.get(PREDICTION_TYPE);
    this.bounds = SampleBounds.clip(options);
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("use_karras_sigmas", true)}; may be left
   *     out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static HeunDiscreteScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new HeunDiscreteScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    return tables(path.ofCount(n, true));
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    return tables(path.ofTimesteps(timesteps));
  }

  private Schedule tables(SigmaGrid grid) {
    float[] sigmas = SecondOrder.sigmas(grid.sigmas());
    return Tables.exploding(
        className(),
        2,
        SecondOrder.withEnds(grid.timesteps()),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new HeunSolver(tables, noise));
  }

  private final class HeunSolver extends SigmaSolver {
    /** The slope at the beginning, and the sample there; null where a step begins. */
    private float @Nullable [] derivative;

    private float[] begin = new float[0];

    HeunSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      float[] slope = new float[sample.length()];
      for (int i = 0; i < slope.length; i++) {
        slope[i] = predictionType.originalSample(sample.get(i), modelOutput.get(i), sigma, sigma);
      }
      bounds.apply(slope);
      for (int i = 0; i < slope.length; i++) {
        slope[i] = (sample.get(i) - slope[i]) / sigma;
      }

      if (derivative == null) {
        float dt = tables.sigma(stepIndex + 1) - sigma;
        derivative = slope;
        begin = new float[slope.length];
        for (int i = 0; i < slope.length; i++) {
          begin[i] = sample.get(i);
          sample.set(i, begin[i] + slope[i] * dt);
        }
      } else {
        float dt = sigma - tables.sigma(stepIndex - 1);
        for (int i = 0; i < slope.length; i++) {
          sample.set(i, begin[i] + (derivative[i] + slope[i]) / 2 * dt);
        }
        derivative = null;
      }
    }
  }
}
