package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.EulerDiscreteScheduler.Churn;
import java.util.List;
import java.util.Map;

/**
 * Euler's method as Karras et al. precondition it, for models that were trained so.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
public final class EDMEulerScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "EDMEulerScheduler", List.of("edm-euler"), defaults(), EDMEulerScheduler::new);

  private final Edm edm;
  private final FinalSigmasType finalSigmasType;
  private final Churn churn;

  private EDMEulerScheduler(SchedulerConfig config) {
    this(config, Churn.NONE);
  }

  private EDMEulerScheduler(SchedulerConfig config, Churn churn) {
    super(TYPE, config);
    this.edm = Edm.of(config);
    this.finalSigmasType = config.choice("final_sigmas_type", FinalSigmasType.class);
    this.churn = churn;
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static EDMEulerScheduler fromConfig(SchedulerConfig config) {
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
  public static EDMEulerScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new EDMEulerScheduler(TYPE.resolve(config, options));
  }

  private static Map<String, Object> defaults() {
    return SchedulerType.options(
        "sigma_min",
        0.002,
        "sigma_max",
        80.0,
        "sigma_data",
        0.5,
        "sigma_schedule",
        "karras",
        "num_train_timesteps",
        1000L,
        "prediction_type",
        "epsilon",
        "rho",
        7.0,
        "final_sigmas_type",
        "zero");
  }

  /**
   * This scheduler with noise added before steps; diffusers' {@code s_churn} and its companions.
   *
   * @param churn how much, and where
   * @return another scheduler
   */
  public EDMEulerScheduler withChurn(Churn churn) {
    return new EDMEulerScheduler(config, churn);
  }

  @Override
  Schedule ofCount(int n) {
    float[] sigmas = edm.sigmas(Grid.linspace(0, 1, n));
    return Tables.exploding(
        className(),
        1,
        Edm.timesteps(sigmas),
        finalSigmasType.append(widened(sigmas), sigmas[n - 1]),
        edm.initNoiseSigma(),
        (tables, noise, _) -> new EdmSolver(tables, noise));
  }

  private final class EdmSolver extends Solver {
    private final NoiseSource noise;

    EdmSolver(Tables tables, NoiseSource noise) {
      super(tables);
      this.noise = noise;
    }

    @Override
    float inputDivisor(int stepIndex) {
      return edm.inputDivisor(tables.sigma(stepIndex));
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      float sigmaHat = churn.raise(sigma, tables.sigmaCount(), noise, sample);
      float dt = tables.sigma(stepIndex + 1) - sigmaHat;
      float[] predOriginalSample = new float[sample.length()];
      edm.denoise(sigmaHat, modelOutput, sample, predOriginalSample);
      for (int i = 0; i < predOriginalSample.length; i++) {
        float x = sample.get(i);
        sample.set(i, x + (x - predOriginalSample[i]) / sigmaHat * dt);
      }
    }
  }
}
