package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.ModelConversion.Target;
import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A predictor and a corrector of one family: each step is first predicted, and with the next run of
 * the model corrected at no cost. Options of flow matching must be left at their defaults.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2302.04867">Zhao et al., 2023</a>
 */
public final class UniPCMultistepScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "UniPCMultistepScheduler", List.of("unipc"), defaults(), UniPCMultistepScheduler::new);

  /** The function of the step's width that predictor and corrector are scaled by. */
  private enum SolverType {
    BH1,
    BH2;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final NoiseSchedule noiseSchedule;
  private final int numTrainTimesteps;
  private final int solverOrder;
  private final boolean predictX0;
  private final SolverType solverType;
  private final boolean lowerOrderFinal;
  private final Set<Integer> disableCorrector;
  private final FinalSigmasType finalSigmasType;
  private final SigmaSpacing sigmaSpacing;
  private final TimestepSpacing timestepSpacing;
  private final int stepsOffset;
  private final ModelConversion conversion;

  /** What takes the steps in place of the predictor; null for the predictor. */
  private final @Nullable Scheduler solverP;

  private UniPCMultistepScheduler(SchedulerConfig given) {
    this(given, null);
  }

  private UniPCMultistepScheduler(SchedulerConfig given, @Nullable Scheduler solverP) {
    super(TYPE, given.renamed("solver_type", List.of("midpoint", "heun", "logrho"), "bh2"));
    FlowMatching.refuse(TYPE, given);
    this.solverP = solverP;
    if (config.get("solver_p") != null) {
      throw new OptionException(
          "solver_p", config.get("solver_p"), "leave it null, and call withSolverP.");
    }
    this.sigmaSpacing = SigmaSpacing.of(config);
    SigmaRange.of(config, 1, 1);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.NEAR);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    this.solverOrder = config.integer("solver_order");
    this.predictX0 = config.flag("predict_x0");
    this.solverType = config.choice("solver_type", SolverType.class);
    this.lowerOrderFinal = config.flag("lower_order_final");
    this.disableCorrector = disableCorrector(config);
    this.finalSigmasType = config.choice("final_sigmas_type", FinalSigmasType.class);
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
    PredictionType predictionType = config.choice("prediction_type", PredictionType.class);
    this.conversion =
        predictX0
            ? ModelConversion.of(config, predictionType, Target.ORIGINAL_SAMPLE)
            : new ModelConversion(predictionType, Target.NOISE, null);
    if (solverOrder < 1) {
      throw new OptionException("solver_order", solverOrder, "use 1 or more.");
    }
    if (!lowerOrderFinal && solverOrder > 1 && finalSigmasType == FinalSigmasType.ZERO) {
      throw new OptionException(
          "lower_order_final is false and final_sigmas_type \"zero\", whose last step is infinite in"
              + " any but the first order: use true, or \"sigma_min\".");
    }
    if (!predictX0 && finalSigmasType == FinalSigmasType.ZERO) {
      throw new OptionException(
          "predict_x0 is false and final_sigmas_type \"zero\", where the noise cannot be integrated:"
              + " use true, or \"sigma_min\".");
    }
  }

  private static Set<Integer> disableCorrector(SchedulerConfig config) {
    Set<Integer> steps = new HashSet<>();
    for (double step : config.optionalNumbers("disable_corrector").orElse(new double[0])) {
      steps.add((int) step);
    }
    return steps;
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static UniPCMultistepScheduler fromConfig(SchedulerConfig config) {
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
  public static UniPCMultistepScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new UniPCMultistepScheduler(TYPE.resolve(config, options));
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
        "predict_x0",
        true,
        "solver_type",
        "bh2",
        "lower_order_final",
        true,
        "disable_corrector",
        List.of(),
        "solver_p",
        null,
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
        "final_sigmas_type",
        "zero",
        "rescale_betas_zero_snr",
        false,
        "use_dynamic_shifting",
        false,
        "time_shift_type",
        "exponential",
        "sigma_min",
        null,
        "sigma_max",
        null,
        "shift_terminal",
        null);
  }

  /**
   * This scheduler with another in the place of its predictor, corrected as its own; diffusers'
   * {@code solver_p}.
   *
   * @param solverP takes as many steps, with its own timesteps
   * @return another scheduler
   */
  public UniPCMultistepScheduler withSolverP(Scheduler solverP) {
    return new UniPCMultistepScheduler(config, solverP);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid;
    double sigmaMin;
    if (sigmaSpacing == SigmaSpacing.TIMESTEPS) {
      double[] timesteps =
          timestepSpacing.allButLast(numTrainTimesteps, numTrainTimesteps, n, stepsOffset);
      grid = SigmaGrid.at(timesteps, noiseSchedule);
      sigmaMin = noiseSchedule.minSigma();
    } else {
      SigmaRange range = SigmaRange.of(config, noiseSchedule.maxSigma(), noiseSchedule.minSigma());
      grid =
          SigmaGrid.spaced(sigmaSpacing, range, n, noiseSchedule)
              .whole(sigmaSpacing == SigmaSpacing.KARRAS);
      sigmaMin = grid.last();
    }
    Schedule predictor = solverP == null ? null : solverP.schedule(Steps.of(n));
    return Tables.preserving(
        className(),
        grid.timesteps(),
        finalSigmasType.append(grid.sigmas(), sigmaMin),
        (tables, noise, _) ->
            new UniPcSolver(tables, predictor == null ? null : predictor.start(noise)));
  }

  private final class UniPcSolver extends Solver {
    private final Schedule.@Nullable Run predictor;
    private final History predictions = new History(solverOrder);
    private float[] lastSample = new float[0];
    private int lastOrder;

    UniPcSolver(Tables tables, Schedule.@Nullable Run predictor) {
      super(tables);
      this.predictor = predictor;
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float[] prediction = new float[sample.length()];
      conversion.convert(tables.level(stepIndex), modelOutput, sample, prediction);
      if (predictions.count() > 0 && !disableCorrector.contains(stepIndex - 1)) {
        correct(stepIndex, prediction, sample);
      }
      System.arraycopy(prediction, 0, predictions.push(prediction.length), 0, prediction.length);

      int left = tables.stepCount() - stepIndex;
      int order = lowerOrderFinal ? Math.min(solverOrder, left) : solverOrder;
      lastOrder = Math.min(order, predictions.count());
      lastSample = sample.copy();
      if (predictor != null) {
        predictor.step(stepIndex, modelOutput, sample);
      } else {
        predict(stepIndex, sample);
      }
    }

    private void predict(int stepIndex, Slice sample) {
      Update update = new Update(stepIndex, lastOrder);
      float[] weights = lastOrder == 2 ? new float[] {0.5f} : update.weights(lastOrder - 1);
      float[] m0 = predictions.get(0);
      for (int i = 0; i < m0.length; i++) {
        // in the first order nothing remains, also where bh1 makes the scale infinite
        float residual = lastOrder == 1 ? 0 : update.scale * update.residual(weights, i);
        sample.set(i, update.base(lastSample[i], m0[i]) - residual);
      }
    }

    /** Takes the former step once more, now that there is a prediction at its end. */
    private void correct(int stepIndex, float[] prediction, Slice sample) {
      Update update = new Update(stepIndex - 1, lastOrder);
      float[] weights = lastOrder == 1 ? new float[] {0.5f} : update.weights(lastOrder);
      float[] m0 = predictions.get(0);
      for (int i = 0; i < m0.length; i++) {
        float residual =
            update.residual(weights, i) + weights[lastOrder - 1] * (prediction[i] - m0[i]);
        sample.set(i, update.base(lastSample[i], m0[i]) - update.scale * residual);
      }
    }

    /** What predictor and corrector share of one step. */
    private final class Update {
      private final int order;
      private final float ofSample;
      private final float ofPrediction;
      private final float scale;

      /** Where former predictions lie, in widths of the step from its beginning, and its end. */
      private final float[] rks;

      /** The moments that the weights must have. */
      private final float[] moments;

      Update(int stepIndex, int order) {
        Level t = tables.level(stepIndex + 1);
        Level s0 = tables.level(stepIndex);
        this.order = order;
        float h = t.lambda() - s0.lambda();
        float hh = predictX0 ? -h : h;
        float phi1 = (float) StrictMath.expm1(hh);
        float bh = solverType == SolverType.BH1 ? hh : phi1;
        float kept = predictX0 ? t.alpha() : t.sigma();
        this.ofSample = predictX0 ? t.sigma() / s0.sigma() : t.alpha() / s0.alpha();
        this.ofPrediction = kept * phi1;
        this.scale = kept * bh;
        this.rks = new float[order];
        for (int age = 1; age < order; age++) {
          rks[age - 1] = (tables.level(stepIndex - age).lambda() - s0.lambda()) / h;
        }
        rks[order - 1] = 1;
        this.moments = new float[order];
        float phi = phi1 / hh - 1;
        float factorial = 1;
        for (int i = 1; i <= order; i++) {
          moments[i - 1] = phi * factorial / bh;
          factorial *= i + 1;
          phi = phi / hh - 1 / factorial;
        }
      }

      float base(float x, float m0) {
        return ofSample * x - ofPrediction * m0;
      }

      /** Weighted slopes towards former predictions. */
      float residual(float[] weights, int i) {
        float m0 = predictions.get(0)[i];
        float sum = 0;
        for (int age = 1; age < order; age++) {
          sum += weights[age - 1] * ((predictions.get(age)[i] - m0) / rks[age - 1]);
        }
        return sum;
      }

      /** So many weights, which have the moments: Vandermonde's equations, by elimination. */
      float[] weights(int n) {
        double[][] rows = new double[n][n + 1];
        for (int row = 0; row < n; row++) {
          for (int column = 0; column < n; column++) {
            rows[row][column] = (float) StrictMath.pow(rks[column], row);
          }
          rows[row][n] = moments[row];
        }
        return solve(rows);
      }
    }
  }

  private static float[] solve(double[][] rows) {
    int n = rows.length;
    for (int pivot = 0; pivot < n; pivot++) {
      int greatest = pivot;
      for (int row = pivot; row < n; row++) {
        if (Math.abs(rows[row][pivot]) > Math.abs(rows[greatest][pivot])) {
          greatest = row;
        }
      }
      double[] swapped = rows[pivot];
      rows[pivot] = rows[greatest];
      rows[greatest] = swapped;
      for (int row = 0; row < n; row++) {
        double factor = row == pivot ? 0 : rows[row][pivot] / rows[pivot][pivot];
        for (int column = pivot; column <= n; column++) {
          rows[row][column] -= factor * rows[pivot][column];
        }
      }
    }
    float[] solution = new float[n];
    for (int row = 0; row < n; row++) {
      solution[row] = (float) (rows[row][n] / rows[row][row]);
    }
    return solution;
  }
}
