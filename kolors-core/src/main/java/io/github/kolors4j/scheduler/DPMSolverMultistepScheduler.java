package io.github.kolors4j.scheduler;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * DPM-Solver and DPM-Solver++ of order 1 to 3, deterministic or as an SDE: good pictures in 20 to
 * 25 steps.
 *
 * <p>Immutable. All options of diffusers 0.40 are there, except those of flow matching, which must
 * be left at their defaults.
 *
 * @see <a href="https://arxiv.org/abs/2206.00927">DPM-Solver, Lu et al., 2022</a>
 * @see <a href="https://arxiv.org/abs/2211.01095">DPM-Solver++, Lu et al., 2022</a>
 */
public final class DPMSolverMultistepScheduler implements Scheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "DPMSolverMultistepScheduler",
          List.of("dpmsolver++"),
          defaults(),
          DPMSolverMultistepScheduler::new);

  private static final List<String> FLOW_MATCHING =
      List.of("use_flow_sigmas", "flow_shift", "use_dynamic_shifting", "time_shift_type");

  /** With few steps the last ones are of lower order, for stability. */
  private static final int FEW_STEPS = 15;

  private enum AlgorithmType {
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

  private enum SolverType {
    MIDPOINT,
    HEUN;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private enum VarianceType {
    LEARNED,
    LEARNED_RANGE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final SchedulerConfig config;
  private final NoiseSchedule noiseSchedule;
  private final int numTrainTimesteps;
  private final int solverOrder;
  private final PredictionType predictionType;
  private final DynamicThresholding thresholding;
  private final AlgorithmType algorithmType;
  private final SolverType solverType;
  private final boolean lowerOrderFinal;
  private final boolean eulerAtFinal;
  private final SigmaSpacing sigmaSpacing;
  private final FinalSigmasType finalSigmasType;
  private final boolean learnedVariance;
  private final TimestepSpacing timestepSpacing;
  private final int stepsOffset;

  /** How many of the training timesteps are left when the noisiest are clipped. */
  private final int lastTimestep;

  /** Whether timesteps of spaced sigmas are rounded and not cut off. */
  private final boolean roundTimesteps;

  private DPMSolverMultistepScheduler(SchedulerConfig given) {
    refuseFlowMatching(given);
    this.config = known(given);
    SigmaSpacing spacing = SigmaSpacing.of(config);
    this.sigmaSpacing =
        config.flag("use_lu_lambdas") && spacing != SigmaSpacing.KARRAS ? SigmaSpacing.LU : spacing;
    SigmaRange.of(config, 1, 1);
    this.noiseSchedule = NoiseSchedule.of(config);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    this.solverOrder = config.integer("solver_order");
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.thresholding = config.flag("thresholding") ? DynamicThresholding.of(config) : null;
    this.algorithmType = config.choice("algorithm_type", AlgorithmType.class);
    this.solverType = config.choice("solver_type", SolverType.class);
    this.lowerOrderFinal = config.flag("lower_order_final");
    this.eulerAtFinal = config.flag("euler_at_final");
    this.finalSigmasType = config.choice("final_sigmas_type", FinalSigmasType.class);
    this.learnedVariance =
        config.get("variance_type") != null
            && config.choice("variance_type", VarianceType.class) != null;
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
    this.lastTimestep = lastTimestep(config.number("lambda_min_clipped"));
    this.roundTimesteps =
        (sigmaSpacing == SigmaSpacing.KARRAS || sigmaSpacing == SigmaSpacing.LU)
            && !"squaredcos_cap_v2".equals(config.get("beta_schedule"));

    if (solverOrder < 1 || solverOrder > 3) {
      throw new OptionException("solver_order", solverOrder, "use 1, 2 or 3.");
    }
    if (solverOrder == 3 && algorithmType == AlgorithmType.SDE_DPMSOLVER) {
      throw new OptionException(
          "solver_order is 3 and algorithm_type \"sde-dpmsolver\", which has no third order: use 1"
              + " or 2, or \"sde-dpmsolver++\".");
    }
    // asked of the name as given: diffusers refuses "deis" with "zero" too
    if (finalSigmasType == FinalSigmasType.ZERO
        && !String.valueOf(given.get("algorithm_type")).endsWith("dpmsolver++")) {
      throw new OptionException(
          "final_sigmas_type is \"zero\" and algorithm_type "
              + Json.write(given.get("algorithm_type"))
              + ", which needs \"sigma_min\".");
    }
  }

  private static void refuseFlowMatching(SchedulerConfig config) {
    for (String key : FLOW_MATCHING) {
      Object value = config.get(key);
      Object allowed = TYPE.defaults().get(key);
      boolean equal =
          value instanceof Number number && allowed instanceof Number least
              ? number.doubleValue() == least.doubleValue()
              : allowed.equals(value);
      if (!equal) {
        throw new OptionException(
            key, value, "flow matching is not supported, leave it at " + Json.write(allowed) + ".");
      }
    }
    if ("flow_prediction".equals(config.get("prediction_type"))) {
      throw new OptionException(
          "prediction_type",
          "flow_prediction",
          "flow matching is not supported, use epsilon, sample or v_prediction.");
    }
  }

  /** Names that other schedulers use become the nearest of this one. */
  private static SchedulerConfig known(SchedulerConfig config) {
    if ("deis".equals(config.get("algorithm_type"))) {
      config = config.with("algorithm_type", AlgorithmType.DPMSOLVER_PLUS_PLUS.toString());
    }
    if (config.get("solver_type") instanceof String type
        && List.of("logrho", "bh1", "bh2").contains(type)) {
      config = config.with("solver_type", SolverType.MIDPOINT.toString());
    }
    return config;
  }

  private int lastTimestep(double lambdaMinClipped) {
    int clipped = 0;
    while (clipped < noiseSchedule.length()
        && noiseSchedule.lambda(noiseSchedule.length() - 1 - clipped) < (float) lambdaMinClipped) {
      clipped++;
    }
    if (clipped >= numTrainTimesteps) {
      throw new OptionException(
          "lambda_min_clipped", lambdaMinClipped, "no timestep is left, use less.");
    }
    return numTrainTimesteps - clipped;
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static DPMSolverMultistepScheduler fromConfig(SchedulerConfig config) {
    return fromConfig(config, Map.of());
  }

  /**
   * A scheduler from any scheduler's configuration, with some options changed.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @param options values that go first, as {@code Map.of("use_karras_sigmas", true)}
   * @return the scheduler
   * @throws IllegalArgumentException if there is no such option or a value is not supported
   */
  public static DPMSolverMultistepScheduler fromConfig(
      SchedulerConfig config, Map<String, ?> options) {
    return new DPMSolverMultistepScheduler(TYPE.resolve(config, options));
  }

  private static Map<String, Object> defaults() {
    Map<String, Object> defaults = new LinkedHashMap<>();
    defaults.put("num_train_timesteps", 1000L);
    defaults.put("beta_start", 0.0001);
    defaults.put("beta_end", 0.02);
    defaults.put("beta_schedule", "linear");
    defaults.put("trained_betas", null);
    defaults.put("solver_order", 2L);
    defaults.put("prediction_type", "epsilon");
    defaults.put("thresholding", false);
    defaults.put("dynamic_thresholding_ratio", 0.995);
    defaults.put("sample_max_value", 1.0);
    defaults.put("algorithm_type", "dpmsolver++");
    defaults.put("solver_type", "midpoint");
    defaults.put("lower_order_final", true);
    defaults.put("euler_at_final", false);
    defaults.put("use_karras_sigmas", false);
    defaults.put("use_exponential_sigmas", false);
    defaults.put("use_beta_sigmas", false);
    defaults.put("use_lu_lambdas", false);
    defaults.put("use_flow_sigmas", false);
    defaults.put("flow_shift", 1.0);
    defaults.put("final_sigmas_type", "zero");
    defaults.put("lambda_min_clipped", Double.NEGATIVE_INFINITY);
    defaults.put("variance_type", null);
    defaults.put("timestep_spacing", "linspace");
    defaults.put("steps_offset", 0L);
    defaults.put("rescale_betas_zero_snr", false);
    defaults.put("use_dynamic_shifting", false);
    defaults.put("time_shift_type", "exponential");
    return defaults;
  }

  @Override
  public String className() {
    return TYPE.className();
  }

  @Override
  public SchedulerConfig config() {
    return config;
  }

  @Override
  public Schedule schedule(Steps steps) {
    return switch (steps) {
      case Steps.Sigmas _ ->
          throw new OptionException(
              TYPE.className() + " takes no chosen sigmas: use timesteps or a number of steps.");
      case Steps.Timesteps given -> {
        sigmaSpacing.refuseTimesteps();
        float[] values = given.timesteps();
        double[] timesteps = new double[values.length];
        for (int i = 0; i < timesteps.length; i++) {
          timesteps[i] = (long) values[i];
        }
        yield tables(timesteps, noiseSchedule.sigmasAt(timesteps));
      }
      case Steps.Count count -> {
        int n = count.numInferenceSteps();
        if (sigmaSpacing == SigmaSpacing.TIMESTEPS) {
          double[] timesteps = timesteps(n);
          yield tables(timesteps, noiseSchedule.sigmasAt(timesteps));
        }
        SigmaRange range =
            sigmaSpacing == SigmaSpacing.LU
                ? new SigmaRange(noiseSchedule.maxSigma(), noiseSchedule.minSigma())
                : SigmaRange.of(config, noiseSchedule.maxSigma(), noiseSchedule.minSigma());
        double[] sigmas = sigmaSpacing.between(range.max(), range.min(), n);
        double[] timesteps = noiseSchedule.timestepsOf(sigmas);
        for (int i = 0; i < n; i++) {
          timesteps[i] = (long) (roundTimesteps ? Math.rint(timesteps[i]) : timesteps[i]);
        }
        yield tables(timesteps, sigmas);
      }
    };
  }

  private double[] timesteps(int n) {
    return switch (timestepSpacing) {
      case LINSPACE -> {
        double[] rising = Grid.linspace(0, lastTimestep - 1.0, n + 1);
        double[] timesteps = new double[n];
        for (int i = 0; i < n; i++) {
          timesteps[i] = Math.rint(rising[n - i]);
        }
        yield timesteps;
      }
      case LEADING -> TimestepSpacing.leading(lastTimestep / (n + 1), 1, n + 1, stepsOffset);
      case TRAILING -> TimestepSpacing.trailing(lastTimestep, numTrainTimesteps, n);
    };
  }

  private Schedule tables(double[] timesteps, double[] sigmas) {
    return new Tables(timesteps, finalSigmasType.append(sigmas, noiseSchedule));
  }

  /**
   * A noise level of the variance-preserving process: a sample is α times picture + σ times noise.
   */
  private record Level(float alpha, float sigma, float lambda) {
    static Level of(float sigma) {
      float alpha = 1 / (float) Math.sqrt(sigma * sigma + 1);
      float scaled = sigma * alpha;
      return new Level(alpha, scaled, log(alpha) - log(scaled));
    }
  }

  /**
   * What a step multiplies the sample, the current prediction, its first and second differences,
   * and the noise by.
   */
  private record Coefficients(float sample, float d0, float d1, float d2, float noise) {}

  private static float log(float x) {
    return (float) StrictMath.log(x);
  }

  private static float exp(float x) {
    return (float) StrictMath.exp(x);
  }

  /** The papers' formulas from level s to level t; {@code d2} counts in the third order alone. */
  private Coefficients coefficients(Level t, Level s, boolean midpoint) {
    float h = t.lambda - s.lambda;
    return switch (algorithmType) {
      case DPMSOLVER_PLUS_PLUS -> {
        float e = exp(-h) - 1;
        yield new Coefficients(
            t.sigma / s.sigma,
            -(t.alpha * e),
            midpoint ? -(0.5f * (t.alpha * e)) : t.alpha * (e / h + 1),
            -(t.alpha * ((e + h) / (h * h) - 0.5f)),
            0);
      }
      case DPMSOLVER -> {
        float e = exp(h) - 1;
        yield new Coefficients(
            t.alpha / s.alpha,
            -(t.sigma * e),
            midpoint ? -(0.5f * (t.sigma * e)) : -(t.sigma * (e / h - 1)),
            -(t.sigma * ((e - h) / (h * h) - 0.5f)),
            0);
      }
      case SDE_DPMSOLVER_PLUS_PLUS -> {
        float e = 1 - exp(-2 * h);
        yield new Coefficients(
            t.sigma / s.sigma * exp(-h),
            t.alpha * e,
            midpoint ? 0.5f * (t.alpha * e) : t.alpha * (e / (-2 * h) + 1),
            t.alpha * ((e - 2 * h) / (2 * h * (2 * h)) - 0.5f),
            t.sigma * (float) Math.sqrt(e));
      }
      case SDE_DPMSOLVER -> {
        float e = exp(h) - 1;
        yield new Coefficients(
            t.alpha / s.alpha,
            -(2 * (t.sigma * e)),
            midpoint ? -(t.sigma * e) : -(2 * (t.sigma * (e / h - 1))),
            0,
            t.sigma * (float) Math.sqrt(exp(2 * h) - 1));
      }
    };
  }

  private final class Tables extends SigmaTables {
    Tables(double[] timesteps, float[] sigmas) {
      super(TYPE.className(), timesteps, sigmas, 1);
    }

    Level level(int index) {
      return Level.of(sigma(index));
    }

    @Override
    public Run start(NoiseSource noise) {
      return new DpmRun(this, noise);
    }
  }

  private final class DpmRun implements Schedule.Run {
    private final Tables tables;
    private final NoiseSource noise;

    /** Predictions of the latest steps, the newest first. */
    private final float[][] predictions = new float[solverOrder][];

    /** How many of them there are. */
    private int known;

    private float[] drawn;

    DpmRun(Tables tables, NoiseSource noise) {
      this.tables = tables;
      this.noise = noise;
    }

    @Override
    public void scaleModelInput(int stepIndex, Slice sample, Slice scaled) {
      tables.checkStep(stepIndex);
      tables.checkLength("scaled", scaled, sample.length());
      System.arraycopy(
          sample.values(), sample.offset(), scaled.values(), scaled.offset(), sample.length());
    }

    @Override
    public void step(int stepIndex, Slice modelOutput, Slice sample) {
      tables.checkStep(stepIndex);
      float[] prediction = nextPrediction(sample.length());
      convertModelOutput(tables.level(stepIndex), modelOutput, sample, prediction);
      drawn = new float[algorithmType.drawsNoise() ? sample.length() : 0];
      if (algorithmType.drawsNoise()) {
        noise.draw(drawn);
      }

      switch (order(stepIndex)) {
        case 1 -> firstOrderUpdate(stepIndex, sample);
        case 2 -> secondOrderUpdate(stepIndex, sample);
        default -> thirdOrderUpdate(stepIndex, sample);
      }
    }

    /** Moves the predictions back by one and returns the place of the new one. */
    private float[] nextPrediction(int length) {
      float[] oldest = predictions[solverOrder - 1];
      System.arraycopy(predictions, 0, predictions, 1, solverOrder - 1);
      predictions[0] = oldest != null && oldest.length == length ? oldest : new float[length];
      known = Math.min(known + 1, solverOrder);
      return predictions[0];
    }

    /** The order of a step: less than asked for while predictions are few, and towards the end. */
    private int order(int stepIndex) {
      int left = tables.stepCount() - stepIndex;
      boolean lowered = lowerOrderFinal && tables.stepCount() < FEW_STEPS;
      if (left == 1 && (eulerAtFinal || lowered || finalSigmasType == FinalSigmasType.ZERO)) {
        return 1;
      }
      return Math.min(known, left == 2 && lowered ? 2 : solverOrder);
    }

    /** Makes a picture of the model's output, or noise, as the algorithm needs it. */
    private void convertModelOutput(Level level, Slice modelOutput, Slice sample, float[] target) {
      Slice mean = mean(modelOutput, sample.length());
      float alpha = level.alpha;
      float sigma = level.sigma;
      boolean toOriginal = algorithmType.predictsOriginalSample();
      for (int i = 0; i < target.length; i++) {
        float x = sample.get(i);
        float output = mean.get(i);
        target[i] =
            switch (predictionType) {
              case EPSILON -> toOriginal ? (x - sigma * output) / alpha : output;
              case SAMPLE -> toOriginal ? output : (x - alpha * output) / sigma;
              case V_PREDICTION ->
                  toOriginal ? alpha * x - sigma * output : alpha * output + sigma * x;
            };
      }
      if (thresholding != null) {
        threshold(level, sample, target);
      }
    }

    private void threshold(Level level, Slice sample, float[] target) {
      if (algorithmType.predictsOriginalSample()) {
        thresholding.apply(target);
        return;
      }
      for (int i = 0; i < target.length; i++) {
        target[i] = (sample.get(i) - level.sigma * target[i]) / level.alpha;
      }
      thresholding.apply(target);
      for (int i = 0; i < target.length; i++) {
        target[i] = (sample.get(i) - level.alpha * target[i]) / level.sigma;
      }
    }

    /**
     * The mean alone of a model that predicts a variance beside it: the first three channels of
     * each pixel, channels last, as only pictures in three channels have such models.
     */
    private Slice mean(Slice modelOutput, int length) {
      boolean withVariance =
          learnedVariance
              && predictionType == PredictionType.EPSILON
              && modelOutput.length() > length
              && length % 3 == 0
              && modelOutput.length() % (length / 3) == 0;
      if (!withVariance) {
        tables.checkLength("model output", modelOutput, length);
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

    private void firstOrderUpdate(int stepIndex, Slice sample) {
      Coefficients c =
          coefficients(tables.level(stepIndex + 1), tables.level(stepIndex), midpoint());
      float[] m0 = predictions[0];
      for (int i = 0; i < m0.length; i++) {
        sample.set(i, c.sample * sample.get(i) + c.d0 * m0[i] + noise(c, i));
      }
    }

    private void secondOrderUpdate(int stepIndex, Slice sample) {
      Level t = tables.level(stepIndex + 1);
      Level s0 = tables.level(stepIndex);
      Level s1 = tables.level(stepIndex - 1);
      float r0 = (s0.lambda - s1.lambda) / (t.lambda - s0.lambda);
      Coefficients c = coefficients(t, s0, midpoint());
      float[] m0 = predictions[0];
      float[] m1 = predictions[1];
      for (int i = 0; i < m0.length; i++) {
        float d1 = 1 / r0 * (m0[i] - m1[i]);
        sample.set(i, c.sample * sample.get(i) + c.d0 * m0[i] + c.d1 * d1 + noise(c, i));
      }
    }

    private void thirdOrderUpdate(int stepIndex, Slice sample) {
      Level t = tables.level(stepIndex + 1);
      Level s0 = tables.level(stepIndex);
      Level s1 = tables.level(stepIndex - 1);
      Level s2 = tables.level(stepIndex - 2);
      float h = t.lambda - s0.lambda;
      float r0 = (s0.lambda - s1.lambda) / h;
      float r1 = (s1.lambda - s2.lambda) / h;
      Coefficients c = coefficients(t, s0, false);
      float[] m0 = predictions[0];
      float[] m1 = predictions[1];
      float[] m2 = predictions[2];
      for (int i = 0; i < m0.length; i++) {
        float newer = 1 / r0 * (m0[i] - m1[i]);
        float older = 1 / r1 * (m1[i] - m2[i]);
        float d1 = newer + r0 / (r0 + r1) * (newer - older);
        float d2 = 1 / (r0 + r1) * (newer - older);
        sample.set(
            i, c.sample * sample.get(i) + c.d0 * m0[i] + c.d1 * d1 + c.d2 * d2 + noise(c, i));
      }
    }

    private boolean midpoint() {
      return solverType == SolverType.MIDPOINT;
    }

    private float noise(Coefficients c, int i) {
      return algorithmType.drawsNoise() ? c.noise * drawn[i] : 0;
    }
  }
}
