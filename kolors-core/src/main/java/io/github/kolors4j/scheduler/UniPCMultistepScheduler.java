package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import io.github.kolors4j.scheduler.ModelConversion.Target;
import java.util.List;
import java.util.Map;
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
  /** The function of the step's width that predictor and corrector are scaled by. */
  private enum SolverType {
    BH1,
    BH2
  }

  private static final Option<Integer> SOLVER_ORDER =
      Option.integer("solver_order", "how many predictions a step is made of")
          .where("1 to 100", order -> order >= 1 && order <= 100);

  private static final Option<Boolean> PREDICT_X0 =
      Option.flag("predict_x0", "whether predicted pictures are integrated, and not the noise");

  private static final Option<SolverType> SOLVER_TYPE =
      Option.choice("solver_type", "how the width of a step scales it", SolverType.class)
          .renaming(SolverType.BH2, "midpoint", "heun", "logrho");

  private static final Option<List<Double>> DISABLE_CORRECTOR =
      Option.numbers("disable_corrector", "steps, counted from 0, that are not corrected");

  private static final Option<Boolean> SOLVER_P =
      Option.fixed(
          "solver_p",
          "what predicts in its place; a scheduler, so that no file can say it",
          null,
          "leave it null, and call withSolverP.");

  static final SchedulerType TYPE =
      SchedulerType.of(UniPCMultistepScheduler.class, "unipc")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(SOLVER_ORDER, 2)
          .option(FlowMatching.PREDICTION_TYPE, PredictionType.EPSILON)
          .option(THRESHOLDING, false)
          .option(DYNAMIC_THRESHOLDING_RATIO, 0.995)
          .option(SAMPLE_MAX_VALUE, 1.0)
          .option(PREDICT_X0, true)
          .option(SOLVER_TYPE, SolverType.BH2)
          .option(DpmSolver.LOWER_ORDER_FINAL, true)
          .option(DISABLE_CORRECTOR, List.of())
          .fixed(SOLVER_P, null)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .fixed(FlowMatching.USE_FLOW_SIGMAS, false)
          .fixed(FlowMatching.FLOW_SHIFT, 1.0)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .option(FINAL_SIGMAS_TYPE, FinalSigmasType.ZERO)
          .option(RESCALE_BETAS_ZERO_SNR, false)
          .fixed(FlowMatching.USE_DYNAMIC_SHIFTING, false)
          .fixed(FlowMatching.TIME_SHIFT_TYPE, "exponential")
          .option(SIGMA_MIN)
          .option(SIGMA_MAX)
          .fixed(FlowMatching.SHIFT_TERMINAL, null)
          .build(UniPCMultistepScheduler::new);

  private final PreservingPath path;
  private final int solverOrder;
  private final boolean predictX0;
  private final SolverType solverType;
  private final boolean lowerOrderFinal;
  private final List<Double> disableCorrector;
  private final FinalSigmasType finalSigmasType;
  private final ModelConversion conversion;

  /** What takes the steps in place of the predictor; null for the predictor. */
  private final @Nullable Scheduler solverP;

  private UniPCMultistepScheduler(OptionValues options) {
    this(options, null);
  }

  private UniPCMultistepScheduler(OptionValues options, @Nullable Scheduler solverP) {
    super(options);
    FlowMatching.refuse(options);
    options.get(FlowMatching.USE_DYNAMIC_SHIFTING); // diffusers refuses these also without it
    options.get(FlowMatching.SHIFT_TERMINAL);
    options.get(SOLVER_P);
    this.solverP = solverP;
    this.path = PreservingPath.of(options, NoiseSchedule.withFiniteSigmas(options));
    this.solverOrder = options.get(SOLVER_ORDER);
    this.predictX0 = options.get(PREDICT_X0);
    this.solverType = options.get(SOLVER_TYPE);
    this.lowerOrderFinal = options.get(DpmSolver.LOWER_ORDER_FINAL);
    this.disableCorrector = options.get(DISABLE_CORRECTOR);
    this.finalSigmasType = options.get(FINAL_SIGMAS_TYPE);
    PredictionType predictionType = options.get(FlowMatching.PREDICTION_TYPE);
    this.conversion =
        predictX0
            ? ModelConversion.of(options, predictionType, Target.ORIGINAL_SAMPLE)
            : new ModelConversion(predictionType, Target.NOISE, null);
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

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("use_karras_sigmas", true)}; may be left
   *     out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static UniPCMultistepScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new UniPCMultistepScheduler(TYPE.values(config, options));
  }

  /**
   * This scheduler with another in the place of its predictor, corrected as its own; diffusers'
   * {@code solver_p}.
   *
   * @param solverP takes as many steps, with its own timesteps
   * @return another scheduler
   */
  public UniPCMultistepScheduler withSolverP(Scheduler solverP) {
    return new UniPCMultistepScheduler(options, solverP);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n);
    @Nullable Schedule predictor = solverP == null ? null : solverP.schedule(Steps.of(n));
    return Tables.preserving(
        className(),
        grid.timesteps(),
        finalSigmasType.append(grid.sigmas(), path.lastSigma(grid)),
        (tables, noise, _) ->
            new UniPcSolver(tables, noise, predictor == null ? null : predictor.start(noise)));
  }

  private final class UniPcSolver extends Solver {
    private final Schedule.@Nullable Run predictor;
    private final History predictions;
    private float[] lastSample = new float[0];
    private int lastOrder;

    UniPcSolver(Tables tables, NoiseSource noise, Schedule.@Nullable Run predictor) {
      super(tables, noise);
      this.predictor = predictor;
      this.predictions = new History(Math.min(solverOrder, tables.stepCount()));
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float[] prediction = new float[sample.length()];
      conversion.convert(tables.level(stepIndex), modelOutput, sample, prediction);
      if (lastOrder > 0 && !disableCorrector.contains(stepIndex - 1.0)) {
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
