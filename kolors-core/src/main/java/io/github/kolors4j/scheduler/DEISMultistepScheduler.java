package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import io.github.kolors4j.scheduler.DpmSolver.Coefficients;
import io.github.kolors4j.scheduler.ModelConversion.Target;
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
  private enum AlgorithmType {
    DEIS
  }

  private enum SolverType {
    LOGRHO
  }

  private static final Option<AlgorithmType> ALGORITHM_TYPE =
      Option.choice("algorithm_type", "what is integrated", AlgorithmType.class)
          .renaming(AlgorithmType.DEIS, "dpmsolver", "dpmsolver++");

  private static final Option<SolverType> SOLVER_TYPE =
      Option.choice("solver_type", "what the polynomials are of", SolverType.class)
          .renaming(SolverType.LOGRHO, "midpoint", "heun", "bh1", "bh2");

  static final SchedulerType TYPE =
      SchedulerType.of(DEISMultistepScheduler.class, "deis")
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
          .option(ALGORITHM_TYPE, AlgorithmType.DEIS)
          .option(SOLVER_TYPE, SolverType.LOGRHO)
          .option(DpmSolver.LOWER_ORDER_FINAL, true)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .fixed(FlowMatching.USE_FLOW_SIGMAS, false)
          .fixed(FlowMatching.FLOW_SHIFT, 1.0)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .fixed(FlowMatching.USE_DYNAMIC_SHIFTING, false)
          .fixed(FlowMatching.TIME_SHIFT_TYPE, "exponential")
          .build(DEISMultistepScheduler::new);

  private final PreservingPath path;
  private final int solverOrder;
  private final boolean lowerOrderFinal;
  private final ModelConversion conversion;

  private DEISMultistepScheduler(OptionValues options) {
    super(options);
    FlowMatching.refuse(options);
    this.path = PreservingPath.of(options, NoiseSchedule.of(options));
    this.solverOrder = options.get(DpmSolver.SOLVER_ORDER);
    this.lowerOrderFinal = options.get(DpmSolver.LOWER_ORDER_FINAL);
    this.conversion =
        ModelConversion.of(
            options, options.get(FlowMatching.PREDICTION_TYPE), Target.NOISE_BY_ORIGINAL_SAMPLE);
    options.get(ALGORITHM_TYPE); // there is but one of each
    options.get(SOLVER_TYPE);
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
  public static DEISMultistepScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new DEISMultistepScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n);
    double last = path.lastSigma(grid);
    return Tables.preserving(
        className(),
        grid.timesteps(),
        FinalSigmasType.append(last, grid.sigmas()),
        (tables, noise, _) -> new DeisSolver(tables, noise));
  }

  private final class DeisSolver extends Solver {
    private final History predictions = new History(solverOrder);

    DeisSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float[] m0 = predictions.push(sample.length());
      conversion.convert(tables.level(stepIndex), modelOutput, sample, m0);
      Level t = tables.level(stepIndex + 1);
      Level s0 = tables.level(stepIndex);
      int order = order(stepIndex);
      if (order == 1) {
        Coefficients c = DpmSolver.coefficients(DpmSolver.AlgorithmType.DPMSOLVER, t, s0, true);
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

    /** The integral up to ρ of the line in log ρ that is 1 at b and 0 at c. */
    private static float integral(float rho, float b, float c) {
      return rho * (-c + NumpyLog.log(rho) - 1) / (b - c);
    }

    /** The integral up to ρ of the parabola in log ρ that is 1 at b and 0 at c and d. */
    private static float integral(float rho, float b, float c, float d) {
      float log = NumpyLog.log(rho);
      float numerator = rho * (c * (d - log + 1) - d * log + d + log * log - 2 * log + 2);
      return numerator / ((b - c) * (b - d));
    }
  }
}
