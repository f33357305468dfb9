package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;

/**
 * Linear multistep: the derivatives of up to four steps, integrated as one polynomial.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 */
public final class LMSDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      SchedulerType.of(LMSDiscreteScheduler.class, "lms")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .option(PREDICTION_TYPE, PredictionType.EPSILON)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .build(LMSDiscreteScheduler::new);

  /** More would be remembered and integrated than pays. */
  private static final int HIGHEST_ORDER = 100;

  private final SigmaPath path;
  private final PredictionType predictionType;
  private final int order;

  private LMSDiscreteScheduler(OptionValues options) {
    this(options, 4);
  }

  private LMSDiscreteScheduler(OptionValues options, int order) {
    super(options);
    this.path = SigmaPath.withKarrasOfTimesteps(options, NoiseSchedule.of(options));
    this.predictionType = options.get(PREDICTION_TYPE);
    this.order = order;
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
  public static LMSDiscreteScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new LMSDiscreteScheduler(TYPE.values(config, options));
  }

  /**
   * This scheduler with another number of derivatives; diffusers' argument {@code order}.
   *
   * @param order 1 to 100; 4 without this
   * @return another scheduler
   * @throws IllegalArgumentException if it is another
   */
  public LMSDiscreteScheduler withOrder(int order) {
    if (order < 1 || order > HIGHEST_ORDER) {
      throw new OptionException("order", order, "use 1 to " + HIGHEST_ORDER + ".");
    }
    return new LMSDiscreteScheduler(options, order);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n, true);
    float[] sigmas = FinalSigmasType.append(0, grid.sigmas());
    return Tables.exploding(
        className(),
        1,
        grid.timesteps(),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new LmsSolver(tables, noise));
  }

  private final class LmsSolver extends SigmaSolver {
    private final History derivatives;

    LmsSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
      this.derivatives = new History(Math.min(order, tables.stepCount()));
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      float[] derivative = derivatives.push(sample.length());
      for (int i = 0; i < derivative.length; i++) {
        float x = sample.get(i);
        derivative[i] =
            (x - predictionType.originalSample(x, modelOutput.get(i), sigma, sigma)) / sigma;
      }
      // by the step and not by what is remembered: so diffusers has it, also for image to image
      int terms = Math.min(stepIndex + 1, order);
      int known = Math.min(terms, derivatives.count());
      float[] coefficients = new float[known];
      for (int age = 0; age < known; age++) {
        coefficients[age] = (float) coefficient(stepIndex, age, terms);
      }
      for (int i = 0; i < derivative.length; i++) {
        float sum = 0;
        for (int age = 0; age < known; age++) {
          sum += coefficients[age] * derivatives.get(age)[i];
        }
        sample.set(i, sample.get(i) + sum);
      }
    }

    /** The integral over the step of Lagrange's polynomial that is 1 at a former sigma. */
    private double coefficient(int stepIndex, int age, int terms) {
      double start = tables.sigma(stepIndex);
      double[] polynomial = {1};
      for (int other = 0; other < terms; other++) {
        if (other != age) {
          double root = tables.sigma(stepIndex - other) - start;
          double distance = tables.sigma(stepIndex - age) - start - root;
          polynomial = times(polynomial, root, distance);
        }
      }
      double width = tables.sigma(stepIndex + 1) - start;
      double integral = 0;
      for (int power = polynomial.length - 1; power >= 0; power--) {
        integral = integral * width + polynomial[power] / (power + 1);
      }
      return integral * width;
    }

    /** A polynomial times {@code (x − root) / distance}; powers rise. */
    private static double[] times(double[] polynomial, double root, double distance) {
      double[] product = new double[polynomial.length + 1];
      for (int power = 0; power < polynomial.length; power++) {
        product[power] -= polynomial[power] * root / distance;
        product[power + 1] += polynomial[power] / distance;
      }
      return product;
    }
  }
}
