package io.github.kolors4j.scheduler;

import java.util.List;
import java.util.Locale;

/** The formulas of DPM-Solver and DPM-Solver++, and the options of their kin. */
final class DpmSolver {
  private DpmSolver() {}

  /** What is integrated, and whether noise is added. */
  enum AlgorithmType {
    DPMSOLVER("dpmsolver"),
    DPMSOLVER_PLUS_PLUS("dpmsolver++"),
    SDE_DPMSOLVER("sde-dpmsolver"),
    SDE_DPMSOLVER_PLUS_PLUS("sde-dpmsolver++");

    private final String text;

    AlgorithmType(String text) {
      this.text = text;
    }

    /** Whether it integrates over predicted pictures and not over predicted noise. */
    boolean predictsOriginalSample() {
      return this == DPMSOLVER_PLUS_PLUS || this == SDE_DPMSOLVER_PLUS_PLUS;
    }

    boolean drawsNoise() {
      return this == SDE_DPMSOLVER || this == SDE_DPMSOLVER_PLUS_PLUS;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** The formula of the second order. */
  enum SolverType {
    MIDPOINT,
    HEUN;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What a model predicts beside the mean. */
  enum VarianceType {
    LEARNED,
    LEARNED_RANGE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What a step multiplies the sample, the current prediction, its first and second differences,
   * and the noise by.
   */
  record Coefficients(float sample, float d0, float d1, float d2, float noise) {}

  /** The papers' formulas from level s to level t; {@code d2} counts in the third order alone. */
  static Coefficients coefficients(AlgorithmType type, Level t, Level s, boolean midpoint) {
    float h = t.lambda() - s.lambda();
    return switch (type) {
      case DPMSOLVER_PLUS_PLUS -> {
        float e = Level.exp(-h) - 1;
        yield new Coefficients(
            t.sigma() / s.sigma(),
            -(t.alpha() * e),
            midpoint ? -(0.5f * (t.alpha() * e)) : t.alpha() * (e / h + 1),
            -(t.alpha() * ((e + h) / (h * h) - 0.5f)),
            0);
      }
      case DPMSOLVER -> {
        float e = Level.exp(h) - 1;
        yield new Coefficients(
            t.alpha() / s.alpha(),
            -(t.sigma() * e),
            midpoint ? -(0.5f * (t.sigma() * e)) : -(t.sigma() * (e / h - 1)),
            -(t.sigma() * ((e - h) / (h * h) - 0.5f)),
            0);
      }
      case SDE_DPMSOLVER_PLUS_PLUS -> {
        float e = 1 - Level.exp(-2 * h);
        yield new Coefficients(
            t.sigma() / s.sigma() * Level.exp(-h),
            t.alpha() * e,
            midpoint ? 0.5f * (t.alpha() * e) : t.alpha() * (e / (-2 * h) + 1),
            t.alpha() * ((e - 2 * h) / (2 * h * (2 * h)) - 0.5f),
            t.sigma() * (float) Math.sqrt(e));
      }
      case SDE_DPMSOLVER -> {
        float e = Level.exp(h) - 1;
        yield new Coefficients(
            t.alpha() / s.alpha(),
            -(2 * (t.sigma() * e)),
            midpoint ? -(t.sigma() * e) : -(2 * (t.sigma() * (e / h - 1))),
            0,
            t.sigma() * (float) Math.sqrt(Level.exp(2 * h) - 1));
      }
    };
  }

  /** Names that other schedulers use become the nearest of these. */
  static SchedulerConfig known(SchedulerConfig config) {
    return config
        .renamed("algorithm_type", List.of("deis"), "dpmsolver++")
        .renamed("solver_type", List.of("logrho", "bh1", "bh2"), "midpoint");
  }

  static int solverOrder(SchedulerConfig config) {
    int solverOrder = config.integer("solver_order");
    if (solverOrder < 1 || solverOrder > 3) {
      throw new OptionException("solver_order", solverOrder, "use 1, 2 or 3.");
    }
    return solverOrder;
  }

  /** Asked of the name as given: diffusers refuses "deis" with "zero" too. */
  static void checkFinalSigma(SchedulerConfig given, FinalSigmasType finalSigmasType) {
    if (finalSigmasType == FinalSigmasType.ZERO
        && !String.valueOf(given.get("algorithm_type")).endsWith("dpmsolver++")) {
      throw new OptionException(
          "final_sigmas_type is \"zero\" and algorithm_type "
              + Json.write(given.get("algorithm_type"))
              + ", which needs \"sigma_min\".");
    }
  }

  /** How many of the training timesteps are left when the noisiest are clipped. */
  static int lastTimestep(SchedulerConfig config, NoiseSchedule noise) {
    double lambdaMinClipped = config.number("lambda_min_clipped");
    int clipped = 0;
    while (clipped < noise.length()
        && noise.lambda(noise.length() - 1 - clipped) < (float) lambdaMinClipped) {
      clipped++;
    }
    int numTrainTimesteps = config.integer("num_train_timesteps");
    if (clipped >= numTrainTimesteps) {
      throw new OptionException(
          "lambda_min_clipped", lambdaMinClipped, "no timestep is left, use less.");
    }
    return numTrainTimesteps - clipped;
  }

  /** Whether the model predicts a variance beside the noise. */
  static boolean learnedVariance(SchedulerConfig config, PredictionType predictionType) {
    return config.get("variance_type") != null
        && config.choice("variance_type", VarianceType.class) != null
        && predictionType == PredictionType.EPSILON;
  }

  /**
   * The mean alone of a model that predicts a variance beside it: the first three channels of each
   * pixel, channels last, as only pictures in three channels have such models.
   */
  static Slice firstThreeChannels(Slice modelOutput, int length) {
    boolean withVariance =
        modelOutput.length() > length
            && length % 3 == 0
            && modelOutput.length() % (length / 3) == 0;
    if (!withVariance) {
      Tables.checkLength("model output", modelOutput, length);
      return modelOutput;
    }
    int pixels = length / 3;
    int channels = modelOutput.length() / pixels;
    float[] mean = new float[length];
    for (int pixel = 0; pixel < pixels; pixel++) {
      int from = modelOutput.offset() + pixel * channels;
      System.arraycopy(modelOutput.values(), from, mean, pixel * 3, 3);
    }
    return Slice.of(mean);
  }
}
