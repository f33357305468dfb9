package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import io.github.kolors4j.scheduler.EulerDiscreteScheduler.Churn;
import java.util.Map;
import java.util.Optional;

/**
 * Euler's method as Karras et al. precondition it, for models that were trained so.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
public final class EDMEulerScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      SchedulerType.of(EDMEulerScheduler.class, "edm-euler")
          .option(SIGMA_MIN, Optional.of(0.002))
          .option(SIGMA_MAX, Optional.of(80.0))
          .option(Edm.SIGMA_DATA, 0.5)
          .option(Edm.SIGMA_SCHEDULE, Edm.SigmaSchedule.KARRAS)
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(Edm.PREDICTION_TYPE, PredictionType.EPSILON)
          .option(Edm.RHO, 7.0)
          .option(FINAL_SIGMAS_TYPE, FinalSigmasType.ZERO)
          .build(EDMEulerScheduler::new);

  private final Edm edm;
  private final FinalSigmasType finalSigmasType;
  private final Churn churn;

  private EDMEulerScheduler(OptionValues options) {
    this(options, Churn.NONE);
  }

  private EDMEulerScheduler(OptionValues options, Churn churn) {
    super(options);
    this.edm = Edm.of(options);
    this.finalSigmasType = options.get(FINAL_SIGMAS_TYPE);
    this.churn = churn;
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("sigma_schedule", "exponential")}; may be
   *     left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static EDMEulerScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new EDMEulerScheduler(TYPE.values(config, options));
  }

  /**
   * This scheduler with noise added before steps; diffusers' {@code s_churn} and its companions.
   *
   * @param churn how much, and where
   * @return another scheduler
   */
  public EDMEulerScheduler withChurn(Churn churn) {
    return new EDMEulerScheduler(options, churn);
  }

  @Override
  Schedule ofCount(int n) {
    float[] sigmas = edm.sigmas(Grid.linspace(0, 1, n));
    return Tables.exploding(
        className(),
        1,
        Edm.timesteps(sigmas),
        finalSigmasType.append(Grid.widened(sigmas), sigmas[n - 1]),
        edm.initNoiseSigma(),
        (tables, noise, _) -> new EdmSolver(tables, noise));
  }

  private final class EdmSolver extends Solver {
    EdmSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
    }

    @Override
    float inputDivisor(int stepIndex) {
      return edm.inputDivisor(tables.sigma(stepIndex));
    }

    @Override
    void denoise(int stepIndex, Slice modelOutput, Slice sample, Slice original) {
      edm.denoise(tables.sigma(stepIndex), modelOutput, sample, original);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      float sigmaHat = churn.raise(sigma, tables.sigmaCount(), noise, sample);
      float dt = tables.sigma(stepIndex + 1) - sigmaHat;
      float[] predOriginalSample = new float[sample.length()];
      edm.denoise(sigmaHat, modelOutput, sample, Slice.of(predOriginalSample));
      for (int i = 0; i < predOriginalSample.length; i++) {
        float x = sample.get(i);
        sample.set(i, x + (x - predOriginalSample[i]) / sigmaHat * dt);
      }
    }
  }
}
