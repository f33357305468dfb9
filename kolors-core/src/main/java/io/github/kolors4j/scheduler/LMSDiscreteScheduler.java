package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;

/**
 * Linear multistep: the derivatives of up to four steps, integrated as one polynomial.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 */
public final class LMSDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "LMSDiscreteScheduler", List.of("lms"), defaults(), LMSDiscreteScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;
  private final int order;

  private LMSDiscreteScheduler(SchedulerConfig config) {
    this(config, 4);
  }

  private LMSDiscreteScheduler(SchedulerConfig config, int order) {
    super(TYPE, config);
    this.path = SigmaPath.of(config, NoiseSchedule.of(config, ZeroSnr.NO_OPTION));
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.order = order;
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static LMSDiscreteScheduler fromConfig(SchedulerConfig config) {
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
  public static LMSDiscreteScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new LMSDiscreteScheduler(TYPE.resolve(config, options));
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
        "use_karras_sigmas",
        false,
        "use_exponential_sigmas",
        false,
        "use_beta_sigmas",
        false,
        "prediction_type",
        "epsilon",
        "timestep_spacing",
        "linspace",
        "steps_offset",
        0L);
  }

  /**
   * This scheduler with another number of derivatives; diffusers' argument {@code order}.
   *
   * @param order 1 or more; 4 without this
   * @return another scheduler
   * @throws IllegalArgumentException if it is below 1
   */
  public LMSDiscreteScheduler withOrder(int order) {
    if (order < 1) {
      throw new OptionException("order", order, "use 1 or more.");
    }
    return new LMSDiscreteScheduler(config, order);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCountWithKarrasOfTimesteps(n, true);
    float[] sigmas = FinalSigmasType.append(0, grid.sigmas());
    return Tables.exploding(
        className(),
        1,
        grid.timesteps(),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, _, _) -> new LmsSolver(tables));
  }

  private final class LmsSolver extends Solver {
    private final History derivatives = new History(order);

    LmsSolver(Tables tables) {
      super(tables);
    }

    @Override
    float inputDivisor(int stepIndex) {
      return divisorOf(tables.sigma(stepIndex));
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
