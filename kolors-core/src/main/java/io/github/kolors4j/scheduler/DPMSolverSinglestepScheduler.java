package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import io.github.kolors4j.scheduler.DpmSolver.Coefficients;
import io.github.kolors4j.scheduler.DpmSolver.SolverType;
import io.github.kolors4j.scheduler.ModelConversion.Target;
import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.EnumSet;
import java.util.List;
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
      new SchedulerType(
          "DPMSolverSinglestepScheduler",
          List.of("dpmsolver++-singlestep", "dpmsolver-singlestep"),
          defaults(),
          DPMSolverSinglestepScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final int solverOrder;
  private final AlgorithmType algorithmType;
  private final SolverType solverType;
  private final boolean lowerOrderFinal;
  private final FinalSigmasType finalSigmasType;
  private final SigmaSpacing sigmaSpacing;
  private final ModelConversion conversion;
  private final boolean learnedVariance;
  private final int lastTimestep;

  private DPMSolverSinglestepScheduler(SchedulerConfig given) {
    super(TYPE, DpmSolver.known(given));
    FlowMatching.refuse(TYPE, given);
    this.sigmaSpacing = SigmaSpacing.of(config);
    SigmaRange.of(config, 1, 1);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.NO_OPTION);
    this.solverOrder = DpmSolver.solverOrder(config);
    this.algorithmType =
        config.choice(
            "algorithm_type", EnumSet.complementOf(EnumSet.of(AlgorithmType.SDE_DPMSOLVER)));
    this.solverType = config.choice("solver_type", SolverType.class);
    this.lowerOrderFinal = config.flag("lower_order_final");
    this.finalSigmasType = config.choice("final_sigmas_type", FinalSigmasType.class);
    PredictionType predictionType = config.choice("prediction_type", PredictionType.class);
    this.conversion =
        ModelConversion.of(
            config,
            predictionType,
            algorithmType.predictsOriginalSample() ? Target.ORIGINAL_SAMPLE : Target.NOISE);
    this.learnedVariance = DpmSolver.learnedVariance(config, predictionType);
    this.lastTimestep = DpmSolver.lastTimestep(config, noiseSchedule);
    DpmSolver.checkFinalSigma(given, finalSigmasType);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static DPMSolverSinglestepScheduler fromConfig(SchedulerConfig config) {
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
  public static DPMSolverSinglestepScheduler fromConfig(
      SchedulerConfig config, Map<String, ?> options) {
    return new DPMSolverSinglestepScheduler(TYPE.resolve(config, options));
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
        false,
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
        "final_sigmas_type",
        "zero",
        "lambda_min_clipped",
        Double.NEGATIVE_INFINITY,
        "variance_type",
        null,
        "use_dynamic_shifting",
        false,
        "time_shift_type",
        "exponential");
  }

  @Override
  Schedule ofCount(int n) {
    if (sigmaSpacing == SigmaSpacing.TIMESTEPS) {
      double[] timesteps = TimestepSpacing.LINSPACE.allButLast(lastTimestep, lastTimestep, n, 0);
      return tables(SigmaGrid.at(timesteps, noiseSchedule));
    }
    SigmaRange range = SigmaRange.of(config, noiseSchedule.maxSigma(), noiseSchedule.minSigma());
    return tables(
        SigmaGrid.spaced(sigmaSpacing, range, n, noiseSchedule)
            .whole(sigmaSpacing == SigmaSpacing.KARRAS));
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
    int[] orders = orders(grid.timesteps().length);
    return Tables.preserving(
        className(),
        grid.timesteps(),
        finalSigmasType.append(grid.sigmas(), noiseSchedule.minSigma()),
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
    private final NoiseSource noise;
    private final int[] orders;
    private final History predictions = new History(solverOrder);

    /** The sample at the beginning of the block. */
    private float[] begin = new float[0];

    SinglestepSolver(Tables tables, NoiseSource noise, int[] orders) {
      super(tables);
      this.noise = noise;
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
      float[] middle = predictions.get(order == 3 ? 1 : 0);
      float[] oldest = predictions.get(order - 1);
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
