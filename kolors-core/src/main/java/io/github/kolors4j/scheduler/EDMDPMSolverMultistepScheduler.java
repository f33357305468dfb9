package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;
import java.util.Optional;
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
      SchedulerType.of(EDMDPMSolverMultistepScheduler.class, "edm-dpmsolver++")
          .option(SIGMA_MIN, Optional.of(0.002))
          .option(SIGMA_MAX, Optional.of(80.0))
          .option(Edm.SIGMA_DATA, 0.5)
          .option(Edm.SIGMA_SCHEDULE, Edm.SigmaSchedule.KARRAS)
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(Edm.PREDICTION_TYPE, PredictionType.EPSILON)
          .option(Edm.RHO, 7.0)
          .option(DpmSolver.SOLVER_ORDER, 2)
          .option(THRESHOLDING, false)
          .option(DYNAMIC_THRESHOLDING_RATIO, 0.995)
          .option(SAMPLE_MAX_VALUE, 1.0)
          .option(
              DpmSolver.ALGORITHM_TYPE.only(
                  DpmSolver.AlgorithmType.DPMSOLVER_PLUS_PLUS,
                  DpmSolver.AlgorithmType.SDE_DPMSOLVER_PLUS_PLUS),
              DpmSolver.AlgorithmType.DPMSOLVER_PLUS_PLUS)
          .option(DpmSolver.SOLVER_TYPE, DpmSolver.SolverType.MIDPOINT)
          .option(DpmSolver.LOWER_ORDER_FINAL, true)
          .option(DpmSolver.EULER_AT_FINAL, false)
          .option(FINAL_SIGMAS_TYPE, FinalSigmasType.ZERO)
          .build(EDMDPMSolverMultistepScheduler::new);

  private final Edm edm;
  private final DpmMultistepSolver.Options solver;
  private final @Nullable DynamicThresholding thresholding;

  private EDMDPMSolverMultistepScheduler(OptionValues options) {
    super(options);
    this.edm = Edm.of(options);
    this.solver = DpmMultistepSolver.Options.of(options);
    this.thresholding = options.get(THRESHOLDING) ? DynamicThresholding.of(options) : null;
    if (solver.solverOrder() == 3 && solver.algorithmType().drawsNoise()) {
      throw new OptionException(
          "solver_order is 3 and algorithm_type \"sde-dpmsolver++\", which has no third order here:"
              + " use 1 or 2, or \"dpmsolver++\".");
    }
    DpmSolver.checkFinalSigma(options);
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
  public static EDMDPMSolverMultistepScheduler fromConfig(
      SchedulerConfig config, Map<?, ?>... options) {
    return new EDMDPMSolverMultistepScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    float[] sigmas = edm.sigmas(Grid.torchLinspace(0, 1, n));
    return Tables.exploding(
        className(),
        1,
        Edm.timesteps(sigmas),
        solver.finalSigmasType().append(Grid.widened(sigmas), edm.range().min()),
        edm.initNoiseSigma(),
        (tables, noise, _) -> new EdmDpmSolver(tables, noise));
  }

  private final class EdmDpmSolver extends DpmMultistepSolver {
    EdmDpmSolver(Tables tables, NoiseSource noise) {
      super(solver, tables, noise);
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
    void predict(int stepIndex, Slice modelOutput, Slice sample, float[] prediction) {
      edm.denoise(tables.sigma(stepIndex), modelOutput, sample, Slice.of(prediction));
      if (thresholding != null) {
        thresholding.apply(prediction);
      }
    }
  }
}
