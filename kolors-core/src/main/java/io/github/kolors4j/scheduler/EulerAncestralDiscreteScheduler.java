package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;

/**
 * Euler's method with more noise taken away than a step asks for, and new noise added.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 */
public final class EulerAncestralDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      SchedulerType.of(EulerAncestralDiscreteScheduler.class, "euler-ancestral", "euler-a")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(
              PREDICTION_TYPE.only(PredictionType.EPSILON, PredictionType.V_PREDICTION),
              PredictionType.EPSILON)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .option(RESCALE_BETAS_ZERO_SNR, false)
          .build(EulerAncestralDiscreteScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;

  private EulerAncestralDiscreteScheduler(OptionValues options) {
    super(options);
    this.path = SigmaPath.withoutLaw(options, NoiseSchedule.withFiniteSigmas(options));
    this.predictionType = options.get(PREDICTION_TYPE);
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("timestep_spacing", "trailing")}; may be
   *     left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static EulerAncestralDiscreteScheduler fromConfig(
      SchedulerConfig config, Map<?, ?>... options) {
    return new EulerAncestralDiscreteScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n, true);
    float[] sigmas = FinalSigmasType.append(0, grid.sigmas());
    return Tables.exploding(
        className(),
        1,
        grid.timesteps(),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new AncestralSolver(tables, noise));
  }

  private final class AncestralSolver extends SigmaSolver {
    AncestralSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      Ancestral ancestral = Ancestral.of(sigma, tables.sigma(stepIndex + 1));
      float dt = ancestral.down() - sigma;
      float[] drawn = draw(sample);
      for (int i = 0; i < drawn.length; i++) {
        float x = sample.get(i);
        float predOriginalSample =
            predictionType.originalSample(x, modelOutput.get(i), sigma, sigma);
        float derivative = (x - predOriginalSample) / sigma;
        sample.set(i, x + derivative * dt + drawn[i] * ancestral.up());
      }
    }
  }
}
