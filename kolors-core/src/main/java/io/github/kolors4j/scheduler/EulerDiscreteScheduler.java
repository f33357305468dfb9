package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
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
public final class EulerDiscreteScheduler extends ConfiguredScheduler {
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

    /** Raises the noise of the sample where so asked, and returns its level. */
    float raise(float sigma, int sigmaCount, NoiseSource noise, Slice sample) {
      if (sChurn == 0 || sigma < sTmin || sigma > sTmax) {
        return sigma;
      }
      double gamma = Math.min(sChurn / (sigmaCount - 1), Math.sqrt(2) - 1);
      float sigmaHat = sigma * (float) (gamma + 1);
      float added = (float) Math.sqrt(sigmaHat * sigmaHat - sigma * sigma);
      float[] eps = new float[sample.length()];
      noise.draw(eps);
      for (int i = 0; i < eps.length; i++) {
        sample.set(i, sample.get(i) + eps[i] * (float) sNoise * added);
      }
      return sigmaHat;
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

  private final Churn churn;
  private final PredictionType predictionType;
  private final InterpolationType interpolationType;
  private final SigmaPath path;
  private final FinalSigmasType finalSigmasType;

  /** Whether the U-Net is told ln(σ)/4 in place of a timestep. */
  private final boolean continuous;

  private EulerDiscreteScheduler(SchedulerConfig config) {
    this(config, Churn.NONE);
  }

  private EulerDiscreteScheduler(SchedulerConfig config, Churn churn) {
    super(TYPE, config);
    this.churn = churn;
    this.path = SigmaPath.of(config, NoiseSchedule.of(config, ZeroSnr.NEAR));
    this.predictionType =
        "original_sample".equals(config.get("prediction_type"))
            ? PredictionType.SAMPLE
            : config.choice("prediction_type", PredictionType.class);
    this.interpolationType = config.choice("interpolation_type", InterpolationType.class);
    this.finalSigmasType = config.choice("final_sigmas_type", FinalSigmasType.class);
    this.continuous =
        config.choice("timestep_type", TimestepType.class) == TimestepType.CONTINUOUS
            && predictionType == PredictionType.V_PREDICTION;
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
        "prediction_type",
        "epsilon",
        "interpolation_type",
        "linear",
        "use_karras_sigmas",
        false,
        "use_exponential_sigmas",
        false,
        "use_beta_sigmas",
        false,
        "sigma_min",
        null,
        "sigma_max",
        null,
        "timestep_spacing",
        "linspace",
        "timestep_type",
        "discrete",
        "steps_offset",
        0L,
        "rescale_betas_zero_snr",
        false,
        "final_sigmas_type",
        "zero");
  }

  @Override
  Schedule ofCount(int n) {
    return tables(SigmaGrid.at(path.timesteps(n, true), path.noise()), n);
  }

  @Override
  boolean takesTimesteps() {
    return true;
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    SigmaGrid chosen = path.ofTimesteps(timesteps);
    if (continuous) {
      throw new OptionException(
          "timesteps cannot be chosen while timestep_type is \"continuous\" and prediction_type"
              + " is \"v_prediction\": use sigmas or a number of steps.");
    }
    return tables(chosen, timesteps.length);
  }

  @Override
  Schedule ofSigmas(float[] sigmas) {
    return tables(path.noise().timestepsOf(sigmas, sigmas.length - 1), sigmas);
  }

  private Schedule tables(SigmaGrid chosen, int n) {
    if (interpolationType == InterpolationType.LOG_LINEAR) {
      chosen = new SigmaGrid(chosen.timesteps(), logLinearSigmas(n));
    }
    SigmaGrid grid = path.byLaw(chosen, n);
    return tables(grid.timesteps(), finalSigmasType.append(grid.sigmas(), path.noise().minSigma()));
  }

  /** From the table's greatest to its least, one more than there are steps, all in F32. */
  private double[] logLinearSigmas(int n) {
    float[] logs = path.noise().logSigmas();
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
        timesteps[i] = 0.25 * Level.log(sigmas[i]);
      }
    }
    return Tables.exploding(
        className(),
        1,
        timesteps,
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new EulerSolver(tables, noise));
  }

  private final class EulerSolver extends Solver {
    private final NoiseSource noise;

    EulerSolver(Tables tables, NoiseSource noise) {
      super(tables);
      this.noise = noise;
    }

    @Override
    float inputDivisor(int stepIndex) {
      return divisorOf(tables.sigma(stepIndex));
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      float sigmaHat = churn.raise(sigma, tables.sigmaCount(), noise, sample);
      float dt = tables.sigma(stepIndex + 1) - sigmaHat;
      for (int i = 0; i < sample.length(); i++) {
        float x = sample.get(i);
        float predOriginalSample =
            predictionType.originalSample(x, modelOutput.get(i), sigma, sigmaHat);
        float derivative = (x - predOriginalSample) / sigmaHat;
        sample.set(i, x + derivative * dt);
      }
    }
  }
}
