package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import io.github.kolors4j.scheduler.DpmSolver.Coefficients;
import io.github.kolors4j.scheduler.ModelConversion.Target;
import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;

/**
 * Diffusion exponential integrators: polynomials in the logarithm of the noise through the latest
 * predictions of it. Options of flow matching must be left at their defaults.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2204.13902">Zhang and Chen, 2022</a>
 */
public final class DEISMultistepScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "DEISMultistepScheduler", List.of("deis"), defaults(), DEISMultistepScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final int numTrainTimesteps;
  private final int solverOrder;
  private final boolean lowerOrderFinal;
  private final SigmaSpacing sigmaSpacing;
  private final TimestepSpacing timestepSpacing;
  private final int stepsOffset;
  private final ModelConversion conversion;

  private DEISMultistepScheduler(SchedulerConfig given) {
    super(TYPE, known(given));
    FlowMatching.refuse(TYPE, given);
    this.sigmaSpacing = SigmaSpacing.of(config);
    SigmaRange.of(config, 1, 1);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.NO_OPTION);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    this.solverOrder = DpmSolver.solverOrder(config);
    this.lowerOrderFinal = config.flag("lower_order_final");
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
    this.conversion =
        ModelConversion.of(
            config,
            config.choice("prediction_type", PredictionType.class),
            Target.NOISE_BY_ORIGINAL_SAMPLE);
  }

  /** Names that other schedulers use become those of this one. */
  private static SchedulerConfig known(SchedulerConfig config) {
    return config
        .renamed("algorithm_type", List.of("dpmsolver", "dpmsolver++"), "deis")
        .renamed("solver_type", List.of("midpoint", "heun", "bh1", "bh2"), "logrho");
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static DEISMultistepScheduler fromConfig(SchedulerConfig config) {
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
  public static DEISMultistepScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new DEISMultistepScheduler(TYPE.resolve(config, options));
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
        "deis",
        "solver_type",
        "logrho",
        "lower_order_final",
        true,
        "use_karras_sigmas",
        false,
        "use_exponential_sigmas",
        false,
        "use_beta_sigmas",
        false,
        "use_flow_sigmas",
        false,
        "flow_shift",
        1.0,
        "timestep_spacing",
        "linspace",
        "steps_offset",
        0L,
        "use_dynamic_shifting",
        false,
        "time_shift_type",
        "exponential");
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid;
    double last;
    if (sigmaSpacing == SigmaSpacing.TIMESTEPS) {
      double[] timesteps =
          timestepSpacing.allButLast(numTrainTimesteps, numTrainTimesteps, n, stepsOffset);
      grid = SigmaGrid.at(timesteps, noiseSchedule);
      last = noiseSchedule.minSigma();
    } else {
      SigmaRange range = SigmaRange.of(config, noiseSchedule.maxSigma(), noiseSchedule.minSigma());
      grid =
          SigmaGrid.spaced(sigmaSpacing, range, n, noiseSchedule)
              .whole(sigmaSpacing == SigmaSpacing.KARRAS);
      last = grid.last();
    }
    return Tables.preserving(
        className(),
        grid.timesteps(),
        FinalSigmasType.append(last, grid.sigmas()),
        (tables, _, _) -> new DeisSolver(tables));
  }

  private final class DeisSolver extends Solver {
    private final History predictions = new History(solverOrder);

    DeisSolver(Tables tables) {
      super(tables);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float[] m0 = predictions.push(sample.length());
      conversion.convert(tables.level(stepIndex), modelOutput, sample, m0);
      Level t = tables.level(stepIndex + 1);
      Level s0 = tables.level(stepIndex);
      int order = order(stepIndex);
      if (order == 1) {
        Coefficients c = DpmSolver.coefficients(AlgorithmType.DPMSOLVER, t, s0, true);
        for (int i = 0; i < m0.length; i++) {
          sample.set(i, c.sample() * sample.get(i) + c.d0() * m0[i]);
        }
        return;
      }
      float[] coefficients = coefficients(stepIndex, order);
      for (int i = 0; i < m0.length; i++) {
        float x = sample.get(i) / s0.alpha();
        for (int age = 0; age < order; age++) {
          x += coefficients[age] * predictions.get(age)[i];
        }
        sample.set(i, t.alpha() * x);
      }
    }

    /** The order of a step: less while predictions are few, and towards the end of few steps. */
    private int order(int stepIndex) {
      int left = tables.stepCount() - stepIndex;
      boolean lowered =
          lowerOrderFinal && tables.stepCount() < DpmMultistepSolver.FEW_STEPS && left <= 2;
      return Math.min(predictions.count(), lowered ? Math.min(left, solverOrder) : solverOrder);
    }

    /** What each prediction counts: Lagrange's polynomials in log ρ, integrated over the step. */
    private float[] coefficients(int stepIndex, int order) {
      float[] logs = new float[order];
      for (int age = 0; age < order; age++) {
        logs[age] = NumpyLog.log(rho(stepIndex - age));
      }
      float to = rho(stepIndex + 1);
      float from = rho(stepIndex);
      float[] coefficients = new float[order];
      for (int age = 0; age < order; age++) {
        float b = logs[age];
        float c = logs[(age + 1) % order];
        float d = logs[(age + 2) % order];
        coefficients[age] =
            order == 2
                ? integral(to, b, c) - integral(from, b, c)
                : integral(to, b, c, d) - integral(from, b, c, d);
      }
      return coefficients;
    }

    private float rho(int index) {
      Level level = tables.level(index);
      return level.sigma() / level.alpha();
    }

    /** Of the line that is 1 at b and 0 at c, up to ρ. */
    private static float integral(float rho, float b, float c) {
      return rho * (-c + NumpyLog.log(rho) - 1) / (b - c);
    }

    /** Of the parabola that is 1 at b and 0 at c and d, up to ρ. */
    private static float integral(float rho, float b, float c, float d) {
      float log = NumpyLog.log(rho);
      float numerator = rho * (c * (d - log + 1) - d * log + d + log * log - 2 * log + 2);
      return numerator / ((b - c) * (b - d));
    }
  }
}
