package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver++ as Karras et al. precondition it, for models that were trained so.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022</a>
 */
public final class EDMDPMSolverMultistepScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "EDMDPMSolverMultistepScheduler",
          List.of("edm-dpmsolver++"),
          defaults(),
          EDMDPMSolverMultistepScheduler::new);

  private final Edm edm;
  private final DpmMultistepSolver.Options options;
  private final @Nullable DynamicThresholding thresholding;

  private EDMDPMSolverMultistepScheduler(SchedulerConfig given) {
    super(TYPE, DpmSolver.known(given));
    this.edm = Edm.of(config);
    config.choice(
        "algorithm_type",
        EnumSet.of(AlgorithmType.DPMSOLVER_PLUS_PLUS, AlgorithmType.SDE_DPMSOLVER_PLUS_PLUS));
    this.options = DpmMultistepSolver.Options.of(config);
    this.thresholding = config.flag("thresholding") ? DynamicThresholding.of(config) : null;
    if (options.solverOrder() == 3 && options.algorithmType().drawsNoise()) {
      throw new OptionException(
          "solver_order is 3 and algorithm_type \"sde-dpmsolver++\", which has no third order here:"
              + " use 1 or 2, or \"dpmsolver++\".");
    }
    DpmSolver.checkFinalSigma(given, options.finalSigmasType());
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static EDMDPMSolverMultistepScheduler fromConfig(SchedulerConfig config) {
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
  public static EDMDPMSolverMultistepScheduler fromConfig(
      SchedulerConfig config, Map<String, ?> options) {
    return new EDMDPMSolverMultistepScheduler(TYPE.resolve(config, options));
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
        "solver_order",
        2L,
        "thresholding",
        false,
        "dynamic_thresholding_ratio",
        0.995,
        "sample_max_value",
        1.0,
        "algorithm_type",
        "dpmsolver++",
        "solver_type",
        "midpoint",
        "lower_order_final",
        true,
        "euler_at_final",
        false,
        "final_sigmas_type",
        "zero");
  }

  @Override
  Schedule ofCount(int n) {
    float[] sigmas = edm.sigmas(Grid.torchLinspace(0, 1, n));
    return Tables.exploding(
        className(),
        1,
        Edm.timesteps(sigmas),
        options.finalSigmasType().append(widened(sigmas), edm.range().min()),
        edm.initNoiseSigma(),
        (tables, noise, _) -> new EdmDpmSolver(tables, noise));
  }

  private final class EdmDpmSolver extends DpmMultistepSolver {
    EdmDpmSolver(Tables tables, NoiseSource noise) {
      super(options, tables, noise);
    }

    @Override
    float inputDivisor(int stepIndex) {
      return edm.inputDivisor(tables.sigma(stepIndex));
    }

    @Override
    void predict(int stepIndex, Slice modelOutput, Slice sample, float[] prediction) {
      edm.denoise(tables.sigma(stepIndex), modelOutput, sample, prediction);
      if (thresholding != null) {
        thresholding.apply(prediction);
      }
    }
  }
}
