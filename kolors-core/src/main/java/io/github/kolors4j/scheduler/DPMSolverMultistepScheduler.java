package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import java.util.Map;

/**
 * DPM-Solver and DPM-Solver++ of order 1 to 3, deterministic or as an SDE: good pictures in 20 to
 * 25 steps.
 *
 * <p>Immutable. All options of diffusers 0.40 are there, except those of flow matching, which must
 * be left at their defaults.
 *
 * @see <a href="https://arxiv.org/abs/2206.00927">DPM-Solver, Lu et al., 2022</a>
 * @see <a href="https://arxiv.org/abs/2211.01095">DPM-Solver++, Lu et al., 2022</a>
 */
public final class DPMSolverMultistepScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      SchedulerType.of(DPMSolverMultistepScheduler.class, "dpmsolver++")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(DpmSolver.SOLVER_ORDER, 2)
          .option(FlowMatching.PREDICTION_TYPE, PredictionType.EPSILON)
          .option(THRESHOLDING, false)
          .option(DYNAMIC_THRESHOLDING_RATIO, 0.995)
          .option(SAMPLE_MAX_VALUE, 1.0)
          .option(DpmSolver.ALGORITHM_TYPE, AlgorithmType.DPMSOLVER_PLUS_PLUS)
          .option(DpmSolver.SOLVER_TYPE, DpmSolver.SolverType.MIDPOINT)
          .option(DpmSolver.LOWER_ORDER_FINAL, true)
          .option(DpmSolver.EULER_AT_FINAL, false)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .option(USE_LU_LAMBDAS, false)
          .fixed(FlowMatching.USE_FLOW_SIGMAS, false)
          .fixed(FlowMatching.FLOW_SHIFT, 1.0)
          .option(FINAL_SIGMAS_TYPE, FinalSigmasType.ZERO)
          .option(DpmSolver.LAMBDA_MIN_CLIPPED, Double.NEGATIVE_INFINITY)
          .option(DpmSolver.VARIANCE_TYPE)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .option(RESCALE_BETAS_ZERO_SNR, false)
          .fixed(FlowMatching.USE_DYNAMIC_SHIFTING, false)
          .fixed(FlowMatching.TIME_SHIFT_TYPE, "exponential")
          .takesTimesteps()
          .build(DPMSolverMultistepScheduler::new);

  private final DpmMultistepSolver.Options solver;
  private final PreservingPath path;
  private final ModelConversion conversion;
  private final boolean learnedVariance;

  private DPMSolverMultistepScheduler(OptionValues options) {
    super(options);
    FlowMatching.refuse(options);
    this.solver = DpmMultistepSolver.Options.of(options);
    this.path = path(options);
    this.conversion = DpmSolver.conversion(options);
    this.learnedVariance = DpmSolver.learnedVariance(options);
    if (solver.solverOrder() == 3 && solver.algorithmType() == AlgorithmType.SDE_DPMSOLVER) {
      throw new OptionException(
          "solver_order is 3 and algorithm_type \"sde-dpmsolver\", which has no third order: use 1"
              + " or 2, or \"sde-dpmsolver++\".");
    }
    DpmSolver.checkFinalSigma(options);
  }

  private static PreservingPath path(OptionValues options) {
    NoiseSchedule noise = NoiseSchedule.withFiniteSigmas(options);
    int lastTimestep = DpmSolver.lastTimestep(options, noise);
    PreservingPath path =
        PreservingPath.of(options, noise, TimestepChoice.of(options), lastTimestep);
    if (options.get(USE_LU_LAMBDAS) && path.sigmaSpacing() != SigmaSpacing.KARRAS) {
      path = path.overTheTableBy(SigmaSpacing.LU);
    }
    boolean cosine = "squaredcos_cap_v2".equals(options.given(BETA_SCHEDULE));
    return cosine ? path.cuttingOff() : path;
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
  public static DPMSolverMultistepScheduler fromConfig(
      SchedulerConfig config, Map<?, ?>... options) {
    return new DPMSolverMultistepScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    return tables(path.ofCount(n));
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    return tables(path.ofTimesteps(timesteps));
  }

  private Schedule tables(SigmaGrid grid) {
    return Tables.preserving(
        className(),
        grid.timesteps(),
        solver.finalSigmasType().append(grid.sigmas(), path.noise().minSigma()),
        (tables, noise, _) -> new DpmSolverRun(tables, noise));
  }

  private final class DpmSolverRun extends DpmMultistepSolver {
    DpmSolverRun(Tables tables, NoiseSource noise) {
      super(solver, tables, noise);
    }

    @Override
    Slice meanOf(Slice modelOutput, int length) {
      return learnedVariance
          ? DpmSolver.firstThreeChannels(modelOutput, length)
          : super.meanOf(modelOutput, length);
    }

    @Override
    void predict(int stepIndex, Slice modelOutput, Slice sample, float[] prediction) {
      conversion.convert(tables.level(stepIndex), modelOutput, sample, prediction);
    }
  }
}
