package io.github.kolors4j.scheduler;

import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.ModelConversion.Target;
import java.util.Arrays;
import java.util.Optional;

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
    HEUN
  }

  static final Option<AlgorithmType> ALGORITHM_TYPE =
      Option.choice(
              "algorithm_type",
              "what is integrated, and whether noise is added (sde)",
              AlgorithmType.class)
          .renaming(AlgorithmType.DPMSOLVER_PLUS_PLUS, "deis");

  static final Option<Integer> SOLVER_ORDER =
      Option.integer("solver_order", "how many predictions a step is made of")
          .where("1, 2 or 3", order -> order >= 1 && order <= 3);

  static final Option<SolverType> SOLVER_TYPE =
      Option.choice("solver_type", "the formula of the second order", SolverType.class)
          .renaming(SolverType.MIDPOINT, "logrho", "bh1", "bh2");

  static final Option<Boolean> LOWER_ORDER_FINAL =
      Option.flag("lower_order_final", "whether the last of few steps are of lower order");

  static final Option<Boolean> EULER_AT_FINAL =
      Option.flag("euler_at_final", "whether the last step is of the first order");

  static final Option<Double> LAMBDA_MIN_CLIPPED =
      Option.number(
          "lambda_min_clipped", "timesteps whose log(alpha / sigma) is below this are left out");

  /** What a model predicts beside the noise, where it was learned. */
  enum VarianceType {
    LEARNED,
    LEARNED_RANGE
  }

  /** Values of DDPM's are ignored, as everything else that another scheduler leaves. */
  static final Option<Optional<VarianceType>> VARIANCE_TYPE =
      Option.choice(
              "variance_type",
              "what the model predicts beside the noise, which is left out",
              VarianceType.class)
          .optional()
          .alias("fixed_small", Optional.empty())
          .alias("fixed_small_log", Optional.empty())
          .alias("fixed_large", Optional.empty())
          .alias("fixed_large_log", Optional.empty());

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

  /** What the algorithm needs of the model's output. */
  static ModelConversion conversion(OptionValues options) {
    return ModelConversion.of(
        options,
        options.get(FlowMatching.PREDICTION_TYPE),
        options.get(ALGORITHM_TYPE).predictsOriginalSample()
            ? Target.ORIGINAL_SAMPLE
            : Target.NOISE);
  }

  /** Asked of the name as given: diffusers refuses "deis" with "zero" too. */
  static void checkFinalSigma(OptionValues options) {
    Object algorithmType = options.given(ALGORITHM_TYPE);
    if (options.get(SharedOptions.FINAL_SIGMAS_TYPE) == FinalSigmasType.ZERO
        && !String.valueOf(algorithmType).endsWith("dpmsolver++")) {
      throw new OptionException(
          "final_sigmas_type is \"zero\" and algorithm_type "
              + JsonWriter.abbreviated(algorithmType)
              + ", which needs \"sigma_min\".");
    }
  }

  /** How many of the training timesteps are left when the noisiest are clipped. */
  static int lastTimestep(OptionValues options, NoiseSchedule noise) {
    double lambdaMinClipped = options.get(LAMBDA_MIN_CLIPPED);
    int clipped = 0;
    while (clipped < noise.length()
        && noise.lambda(noise.length() - 1 - clipped) < (float) lambdaMinClipped) {
      clipped++;
    }
    int numTrainTimesteps = options.get(SharedOptions.NUM_TRAIN_TIMESTEPS);
    if (clipped >= numTrainTimesteps) {
      throw new OptionException(
          LAMBDA_MIN_CLIPPED.key(), lambdaMinClipped, "no timestep is left, use less.");
    }
    return numTrainTimesteps - clipped;
  }

  /** Whether the model predicts a variance beside the noise. */
  static boolean learnedVariance(OptionValues options) {
    return options.get(FlowMatching.PREDICTION_TYPE) == PredictionType.EPSILON
        && options.given(VARIANCE_TYPE) instanceof String given
        && Arrays.stream(VarianceType.values()).map(Option::name).anyMatch(given::equals);
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
