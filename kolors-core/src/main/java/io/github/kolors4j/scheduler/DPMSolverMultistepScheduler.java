package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import io.github.kolors4j.scheduler.ModelConversion.Target;
import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
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
      new SchedulerType(
          "DPMSolverMultistepScheduler",
          List.of("dpmsolver++"),
          defaults(),
          DPMSolverMultistepScheduler::new);

  private final DpmMultistepSolver.Options options;
  private final NoiseSchedule noiseSchedule;
  private final ModelConversion conversion;
  private final SigmaSpacing sigmaSpacing;
  private final boolean learnedVariance;
  private final TimestepSpacing timestepSpacing;
  private final int numTrainTimesteps;
  private final int stepsOffset;

  /** How many of the training timesteps are left when the noisiest are clipped. */
  private final int lastTimestep;

  /** Whether timesteps of spaced sigmas are rounded and not cut off. */
  private final boolean roundTimesteps;

  private DPMSolverMultistepScheduler(SchedulerConfig given) {
    super(TYPE, DpmSolver.known(given));
    FlowMatching.refuse(TYPE, given);
    SigmaSpacing spacing = SigmaSpacing.of(config);
    this.sigmaSpacing =
        config.flag("use_lu_lambdas") && spacing != SigmaSpacing.KARRAS ? SigmaSpacing.LU : spacing;
    SigmaRange.of(config, 1, 1);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.NEAR);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    this.options = DpmMultistepSolver.Options.of(config);
    PredictionType predictionType = config.choice("prediction_type", PredictionType.class);
    this.conversion =
        ModelConversion.of(
            config,
            predictionType,
            options.algorithmType().predictsOriginalSample()
                ? Target.ORIGINAL_SAMPLE
                : Target.NOISE);
    this.learnedVariance = DpmSolver.learnedVariance(config, predictionType);
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
    this.lastTimestep = DpmSolver.lastTimestep(config, noiseSchedule);
    this.roundTimesteps =
        (sigmaSpacing == SigmaSpacing.KARRAS || sigmaSpacing == SigmaSpacing.LU)
            && !"squaredcos_cap_v2".equals(config.get("beta_schedule"));

    if (options.solverOrder() == 3 && options.algorithmType() == AlgorithmType.SDE_DPMSOLVER) {
      throw new OptionException(
          "solver_order is 3 and algorithm_type \"sde-dpmsolver\", which has no third order: use 1"
              + " or 2, or \"sde-dpmsolver++\".");
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
  public static DPMSolverMultistepScheduler fromConfig(SchedulerConfig config) {
    return fromConfig(config, Map.of());
  }

  /**
   * A scheduler from any scheduler's configuration, with some options changed.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @param options values that go first, as {@code Map.of("use_karras_sigmas", true)}
   * @return the scheduler
   * @throws IllegalArgumentException if there is no such option or a value is not supported
   */
  public static DPMSolverMultistepScheduler fromConfig(
      SchedulerConfig config, Map<String, ?> options) {
    return new DPMSolverMultistepScheduler(TYPE.resolve(config, options));
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
        "solver_order",
        2L,
        "prediction_type",
        "epsilon",
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
        "use_karras_sigmas",
        false,
        "use_exponential_sigmas",
        false,
        "use_beta_sigmas",
        false,
        "use_lu_lambdas",
        false,
        "use_flow_sigmas",
        false,
        "flow_shift",
        1.0,
        "final_sigmas_type",
        "zero",
        "lambda_min_clipped",
        Double.NEGATIVE_INFINITY,
        "variance_type",
        null,
        "timestep_spacing",
        "linspace",
        "steps_offset",
        0L,
        "rescale_betas_zero_snr",
        false,
        "use_dynamic_shifting",
        false,
        "time_shift_type",
        "exponential");
  }

  @Override
  Schedule ofCount(int n) {
    if (sigmaSpacing == SigmaSpacing.TIMESTEPS) {
      double[] timesteps =
          timestepSpacing.allButLast(lastTimestep, numTrainTimesteps, n, stepsOffset);
      return tables(SigmaGrid.at(timesteps, noiseSchedule));
    }
    SigmaRange range =
        sigmaSpacing == SigmaSpacing.LU
            ? new SigmaRange(noiseSchedule.maxSigma(), noiseSchedule.minSigma())
            : SigmaRange.of(config, noiseSchedule.maxSigma(), noiseSchedule.minSigma());
    return tables(SigmaGrid.spaced(sigmaSpacing, range, n, noiseSchedule).whole(roundTimesteps));
  }

  @Override
  boolean takesTimesteps() {
    return true;
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    sigmaSpacing.refuseTimesteps();
    return tables(SigmaGrid.at(whole(timesteps), noiseSchedule));
  }

  private Schedule tables(SigmaGrid grid) {
    return Tables.preserving(
        className(),
        grid.timesteps(),
        options.finalSigmasType().append(grid.sigmas(), noiseSchedule.minSigma()),
        (tables, noise, _) -> new DpmSolverRun(tables, noise));
  }

  private final class DpmSolverRun extends DpmMultistepSolver {
    DpmSolverRun(Tables tables, NoiseSource noise) {
      super(options, tables, noise);
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
