package io.github.kolors4j.scheduler;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Euler's method along the noise levels: the scheduler that Kolors ships with.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
public final class EulerDiscreteScheduler implements Scheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "EulerDiscreteScheduler", List.of("euler"), defaults(), EulerDiscreteScheduler::new);

  /**
   * Noise that is added before steps, to be taken away again with older errors.
   *
   * @param sChurn how much over all steps; 0 for none
   * @param sTmin not below this sigma
   * @param sTmax not above this sigma
   * @param sNoise the standard deviation of the noise
   */
  public record Churn(double sChurn, double sTmin, double sTmax, double sNoise) {
    /** No added noise. */
    public static final Churn NONE = new Churn(0, 0, Double.POSITIVE_INFINITY, 1);

    /**
     * Noise before steps.
     *
     * @throws IllegalArgumentException if a value is negative or not a number
     */
    public Churn {
      if (!(sChurn >= 0 && sTmin >= 0 && sTmax >= 0 && sNoise >= 0)) {
        throw new IllegalArgumentException(
            "[scheduler] s_churn "
                + sChurn
                + ", s_tmin "
                + sTmin
                + ", s_tmax "
                + sTmax
                + ", s_noise "
                + sNoise
                + ": each must be 0 or more.");
      }
    }
  }

  private enum InterpolationType {
    LINEAR,
    LOG_LINEAR;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private enum TimestepType {
    DISCRETE,
    CONTINUOUS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final SchedulerConfig config;
  private final Churn churn;
  private final NoiseSchedule noiseSchedule;
  private final int numTrainTimesteps;
  private final PredictionType predictionType;
  private final InterpolationType interpolationType;
  private final SigmaSpacing sigmaSpacing;
  private final TimestepSpacing timestepSpacing;
  private final int stepsOffset;
  private final FinalSigmasType finalSigmasType;

  /** Whether the U-Net is told ln(σ)/4 in place of a timestep. */
  private final boolean continuous;

  private EulerDiscreteScheduler(SchedulerConfig config) {
    this(config, Churn.NONE);
  }

  private EulerDiscreteScheduler(SchedulerConfig config, Churn churn) {
    this.config = config;
    this.churn = churn;
    this.sigmaSpacing = SigmaSpacing.of(config);
    this.noiseSchedule = NoiseSchedule.of(config);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    this.predictionType =
        "original_sample".equals(config.get("prediction_type"))
            ? PredictionType.SAMPLE
            : config.choice("prediction_type", PredictionType.class);
    this.interpolationType = config.choice("interpolation_type", InterpolationType.class);
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
    this.finalSigmasType = config.choice("final_sigmas_type", FinalSigmasType.class);
    this.continuous =
        config.choice("timestep_type", TimestepType.class) == TimestepType.CONTINUOUS
            && predictionType == PredictionType.V_PREDICTION;
    SigmaRange.of(config, 1, 1);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static EulerDiscreteScheduler fromConfig(SchedulerConfig config) {
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
  public static EulerDiscreteScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new EulerDiscreteScheduler(TYPE.resolve(config, options));
  }

  /**
   * This scheduler with noise added before steps; diffusers' {@code s_churn} and its companions.
   *
   * @param churn how much, and where
   * @return another scheduler
   */
  public EulerDiscreteScheduler withChurn(Churn churn) {
    return new EulerDiscreteScheduler(config, churn);
  }

  private static Map<String, Object> defaults() {
    Map<String, Object> defaults = new LinkedHashMap<>();
    defaults.put("num_train_timesteps", 1000L);
    defaults.put("beta_start", 0.0001);
    defaults.put("beta_end", 0.02);
    defaults.put("beta_schedule", "linear");
    defaults.put("trained_betas", null);
    defaults.put("prediction_type", "epsilon");
    defaults.put("interpolation_type", "linear");
    defaults.put("use_karras_sigmas", false);
    defaults.put("use_exponential_sigmas", false);
    defaults.put("use_beta_sigmas", false);
    defaults.put("sigma_min", null);
    defaults.put("sigma_max", null);
    defaults.put("timestep_spacing", "linspace");
    defaults.put("timestep_type", "discrete");
    defaults.put("steps_offset", 0L);
    defaults.put("rescale_betas_zero_snr", false);
    defaults.put("final_sigmas_type", "zero");
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
      case Steps.Sigmas given -> {
        float[] sigmas = given.sigmas();
        yield tables(noiseSchedule.timestepsOf(sigmas, sigmas.length - 1), sigmas);
      }
      case Steps.Timesteps given -> {
        sigmaSpacing.refuseTimesteps();
        if (continuous) {
          throw new OptionException(
              "timesteps cannot be chosen while timestep_type is \"continuous\" and prediction_type"
                  + " is \"v_prediction\": use sigmas or a number of steps.");
        }
        float[] values = given.timesteps();
        double[] timesteps = new double[values.length];
        for (int i = 0; i < timesteps.length; i++) {
          timesteps[i] = values[i];
        }
        yield fromTimesteps(timesteps, timesteps.length);
      }
      case Steps.Count count -> {
        int n = count.numInferenceSteps();
        yield fromTimesteps(timesteps(n), n);
      }
    };
  }

  private double[] timesteps(int n) {
    return switch (timestepSpacing) {
      case LINSPACE -> {
        double[] rising = Grid.linspace(0, numTrainTimesteps - 1.0, n);
        double[] timesteps = new double[n];
        for (int i = 0; i < n; i++) {
          timesteps[i] = (float) rising[n - 1 - i];
        }
        yield timesteps;
      }
      case LEADING -> TimestepSpacing.leading(numTrainTimesteps / n, 0, n, stepsOffset);
      case TRAILING -> TimestepSpacing.trailing(numTrainTimesteps, numTrainTimesteps, n);
    };
  }

  private Schedule fromTimesteps(double[] timesteps, int n) {
    double[] sigmas =
        switch (interpolationType) {
          case LINEAR -> noiseSchedule.sigmasAt(timesteps);
          case LOG_LINEAR -> logLinearSigmas(n);
        };
    if (sigmaSpacing != SigmaSpacing.TIMESTEPS) {
      // not the whole table, as with other schedulers, but what the chosen timesteps span of it
      SigmaRange range = SigmaRange.of(config, sigmas[0], sigmas[sigmas.length - 1]);
      sigmas = sigmaSpacing.between(range.max(), range.min(), n);
      timesteps = noiseSchedule.timestepsOf(sigmas);
    }
    return tables(timesteps, finalSigmasType.append(sigmas, noiseSchedule));
  }

  /** From the table's greatest to its least, one more than there are steps, all in F32. */
  private double[] logLinearSigmas(int n) {
    float[] logs = noiseSchedule.logSigmas();
    float[] logSigmas = Grid.torchLinspace(logs[logs.length - 1], logs[0], n + 1);
    double[] sigmas = new double[n + 1];
    for (int i = 0; i <= n; i++) {
      sigmas[i] = (float) StrictMath.exp(logSigmas[i]);
    }
    return sigmas;
  }

  private Schedule tables(double[] timesteps, float[] sigmas) {
    if (continuous) {
      timesteps = new double[sigmas.length - 1];
      for (int i = 0; i < timesteps.length; i++) {
        timesteps[i] = 0.25 * (float) StrictMath.log(sigmas[i]);
      }
    }
    float max = 0;
    for (float sigma : sigmas) {
      max = Math.max(max, sigma);
    }
    float initNoiseSigma =
        timestepSpacing == TimestepSpacing.LEADING ? (float) Math.sqrt(max * max + 1) : max;
    return new Tables(timesteps, sigmas, initNoiseSigma);
  }

  private final class Tables extends SigmaTables {
    Tables(double[] timesteps, float[] sigmas, float initNoiseSigma) {
      super(TYPE.className(), timesteps, sigmas, initNoiseSigma);
    }

    @Override
    public Run start(NoiseSource noise) {
      return new EulerRun(this, noise);
    }
  }

  private final class EulerRun implements Schedule.Run {
    private final Tables tables;
    private final NoiseSource noise;

    EulerRun(Tables tables, NoiseSource noise) {
      this.tables = tables;
      this.noise = noise;
    }

    @Override
    public void scaleModelInput(int stepIndex, Slice sample, Slice scaled) {
      tables.checkStep(stepIndex);
      tables.checkLength("scaled", scaled, sample.length());
      float sigma = tables.sigma(stepIndex);
      float scale = (float) Math.sqrt(sigma * sigma + 1);
      for (int i = 0; i < sample.length(); i++) {
        scaled.set(i, sample.get(i) / scale);
      }
    }

    @Override
    public void step(int stepIndex, Slice modelOutput, Slice sample) {
      tables.checkStep(stepIndex);
      tables.checkLength("model output", modelOutput, sample.length());
      float sigma = tables.sigma(stepIndex);
      float sigmaHat = churn(sigma, sample);
      float dt = tables.sigma(stepIndex + 1) - sigmaHat;
      float variance = sigma * sigma + 1;
      float cOut = -sigma / (float) Math.sqrt(variance);
      for (int i = 0; i < sample.length(); i++) {
        float x = sample.get(i);
        float output = modelOutput.get(i);
        float predOriginalSample =
            switch (predictionType) {
              case EPSILON -> x - sigmaHat * output;
              case SAMPLE -> output;
              case V_PREDICTION -> output * cOut + x / variance;
            };
        float derivative = (x - predOriginalSample) / sigmaHat;
        sample.set(i, x + derivative * dt);
      }
    }

    /** Raises the noise of the sample where so asked, and returns its level. */
    private float churn(float sigma, Slice sample) {
      if (churn.sChurn() == 0 || sigma < churn.sTmin() || sigma > churn.sTmax()) {
        return sigma;
      }
      double gamma = Math.min(churn.sChurn() / (tables.sigmaCount() - 1), Math.sqrt(2) - 1);
      float sigmaHat = sigma * (float) (gamma + 1);
      float added = (float) Math.sqrt(sigmaHat * sigmaHat - sigma * sigma);
      float[] eps = new float[sample.length()];
      noise.draw(eps);
      for (int i = 0; i < eps.length; i++) {
        sample.set(i, sample.get(i) + eps[i] * (float) churn.sNoise() * added);
      }
      return sigmaHat;
    }
  }
}
