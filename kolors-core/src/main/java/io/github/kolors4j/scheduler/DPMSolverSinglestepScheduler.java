package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import io.github.kolors4j.scheduler.DpmSolver.Coefficients;
import io.github.kolors4j.scheduler.DpmSolver.SolverType;
import java.util.Map;

/**
 * DPM-Solver and DPM-Solver++ in blocks of one to three steps, each block begun anew. Options of
 * flow matching must be left at their defaults.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00927">DPM-Solver, Lu et al., 2022</a>
 * @see <a href="https://arxiv.org/abs/2211.01095">DPM-Solver++, Lu et al., 2022</a>
 */
public final class DPMSolverSinglestepScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      SchedulerType.of(
              DPMSolverSinglestepScheduler.class, "dpmsolver++-singlestep", "dpmsolver-singlestep")
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
          .option(
              DpmSolver.ALGORITHM_TYPE.only(
                  AlgorithmType.DPMSOLVER,
                  AlgorithmType.DPMSOLVER_PLUS_PLUS,
                  AlgorithmType.SDE_DPMSOLVER_PLUS_PLUS),
              AlgorithmType.DPMSOLVER_PLUS_PLUS)
          .option(DpmSolver.SOLVER_TYPE, SolverType.MIDPOINT)
          .option(DpmSolver.LOWER_ORDER_FINAL, false)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .fixed(FlowMatching.USE_FLOW_SIGMAS, false)
          .fixed(FlowMatching.FLOW_SHIFT, 1.0)
          .option(FINAL_SIGMAS_TYPE, FinalSigmasType.ZERO)
          .option(DpmSolver.LAMBDA_MIN_CLIPPED, Double.NEGATIVE_INFINITY)
          .option(DpmSolver.VARIANCE_TYPE)
          .fixed(FlowMatching.USE_DYNAMIC_SHIFTING, false)
          .fixed(FlowMatching.TIME_SHIFT_TYPE, "exponential")
          .takesTimesteps()
          .build(DPMSolverSinglestepScheduler::new);

  private final PreservingPath path;
  private final int solverOrder;
  private final AlgorithmType algorithmType;
  private final SolverType solverType;
  private final boolean lowerOrderFinal;
  private final FinalSigmasType finalSigmasType;
  private final ModelConversion conversion;
  private final boolean learnedVariance;

  private DPMSolverSinglestepScheduler(OptionValues options) {
    super(options);
    FlowMatching.refuse(options);
    this.path = path(options);
    this.solverOrder = options.get(DpmSolver.SOLVER_ORDER);
    this.algorithmType = options.get(DpmSolver.ALGORITHM_TYPE);
    this.solverType = options.get(DpmSolver.SOLVER_TYPE);
    this.lowerOrderFinal = options.get(DpmSolver.LOWER_ORDER_FINAL);
    this.finalSigmasType = options.get(FINAL_SIGMAS_TYPE);
    this.conversion = DpmSolver.conversion(options);
    this.learnedVariance = DpmSolver.learnedVariance(options);
    DpmSolver.checkFinalSigma(options);
  }

  /** There is no choice of the timesteps' spacing. */
  private static PreservingPath path(OptionValues options) {
    NoiseSchedule noise = NoiseSchedule.of(options);
    int trained = options.get(NUM_TRAIN_TIMESTEPS);
    return PreservingPath.of(
        options,
        noise,
        new TimestepChoice(trained, TimestepSpacing.LINSPACE, 0),
        DpmSolver.lastTimestep(options, noise));
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
  public static DPMSolverSinglestepScheduler fromConfig(
      SchedulerConfig config, Map<?, ?>... options) {
    return new DPMSolverSinglestepScheduler(TYPE.values(config, options));
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
    int[] orders = orders(grid.timesteps().length);
    return Tables.preserving(
        className(),
        grid.timesteps(),
        finalSigmasType.append(grid.sigmas(), path.noise().minSigma()),
        (tables, noise, _) -> new SinglestepSolver(tables, noise, orders));
  }

  /**
   * The order of each step: 1, 2, 3, 1, 2, 3 … Where the last block has no room, or must end with
   * order 1, it is shortened.
   */
  private int[] orders(int steps) {
    boolean shorten =
        lowerOrderFinal || steps % solverOrder != 0 || finalSigmasType == FinalSigmasType.ZERO;
    int[] orders = new int[steps];
    for (int i = 0; i < steps; i++) {
      orders[i] = i % solverOrder + 1;
    }
    if (shorten && solverOrder > 1) {
      orders[steps - 1] = solverOrder == 3 && steps % 3 == 2 ? 2 : 1;
    }
    if (finalSigmasType == FinalSigmasType.ZERO) {
      orders[steps - 1] = 1;
    }
    return orders;
  }

  private final class SinglestepSolver extends Solver {
    private final int[] orders;
    private final History predictions = new History(solverOrder);

    /** The sample at the beginning of the block. */
    private float[] begin = new float[0];

    SinglestepSolver(Tables tables, NoiseSource noise, int[] orders) {
      super(tables, noise);
      this.orders = orders;
    }

    @Override
    Slice meanOf(Slice modelOutput, int length) {
      return learnedVariance
          ? DpmSolver.firstThreeChannels(modelOutput, length)
          : super.meanOf(modelOutput, length);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float[] prediction = predictions.push(sample.length());
      conversion.convert(tables.level(stepIndex), modelOutput, sample, prediction);
      float[] drawn = new float[sample.length()];
      if (algorithmType.drawsNoise()) {
        noise.draw(drawn);
      }
      int order = Math.min(orders[stepIndex], predictions.count());
      if (order == 1) {
        begin = sample.copy();
      }
      update(stepIndex, order, drawn, sample);
    }

    /** From the beginning of the block, {@code order} − 1 steps ago, to the next level. */
    private void update(int stepIndex, int order, float[] drawn, Slice sample) {
      Level t = tables.level(stepIndex + 1);
      Level s = tables.level(stepIndex + 1 - order);
      boolean midpoint = solverType == SolverType.MIDPOINT;
      Coefficients c = DpmSolver.coefficients(algorithmType, t, s, midpoint && order == 2);
      float h = t.lambda() - s.lambda();
      float r0 = (tables.level(stepIndex).lambda() - s.lambda()) / h;
      float r1 = order == 3 ? (tables.level(stepIndex - 1).lambda() - s.lambda()) / h : 0;
      float[] latest = predictions.get(0);
      float[] oldest = predictions.get(order - 1);
      float[] middle = order == 3 ? predictions.get(1) : oldest;
      for (int i = 0; i < latest.length; i++) {
        float x = c.sample() * begin[i] + c.d0() * oldest[i];
        if (order > 1) {
          float d1 = 1 / r0 * (latest[i] - oldest[i]);
          if (order == 2 || midpoint) {
            x += c.d1() * d1;
          } else {
            float nearer = 1 / r1 * (middle[i] - oldest[i]);
            x += c.d1() * ((r0 * nearer - r1 * d1) / (r0 - r1));
            x += c.d2() * (2 * (d1 - nearer) / (r0 - r1));
          }
        }
        sample.set(i, algorithmType.drawsNoise() ? x + c.noise() * drawn[i] : x);
      }
    }
  }
}
