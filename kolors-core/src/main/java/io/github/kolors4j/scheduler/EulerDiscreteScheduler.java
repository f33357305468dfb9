package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;

/**
 * Euler's method along the noise levels: the scheduler that Kolors ships with.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
public final class EulerDiscreteScheduler extends ConfiguredScheduler {
  private enum InterpolationType {
    LINEAR,
    LOG_LINEAR
  }

  private enum TimestepType {
    DISCRETE,
    CONTINUOUS
  }

  private static final Option<InterpolationType> INTERPOLATION_TYPE =
      Option.choice(
          "interpolation_type",
          "how noise levels lie between those of whole timesteps",
          InterpolationType.class);

  private static final Option<TimestepType> TIMESTEP_TYPE =
      Option.choice(
          "timestep_type",
          "continuous: with v_prediction the model is told a quarter of the noise level's logarithm",
          TimestepType.class);

  static final SchedulerType TYPE =
      SchedulerType.of(EulerDiscreteScheduler.class, "euler")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(
              PREDICTION_TYPE.alias("original_sample", PredictionType.SAMPLE),
              PredictionType.EPSILON)
          .option(INTERPOLATION_TYPE, InterpolationType.LINEAR)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .option(SIGMA_MIN)
          .option(SIGMA_MAX)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(TIMESTEP_TYPE, TimestepType.DISCRETE)
          .option(STEPS_OFFSET, 0)
          .option(RESCALE_BETAS_ZERO_SNR, false)
          .option(FINAL_SIGMAS_TYPE, FinalSigmasType.ZERO)
          .takesTimesteps()
          .build(EulerDiscreteScheduler::new);

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

  private final Churn churn;
  private final PredictionType predictionType;
  private final InterpolationType interpolationType;
  private final SigmaPath path;
  private final FinalSigmasType finalSigmasType;

  /** Whether the U-Net is told ln(σ)/4 in place of a timestep. */
  private final boolean continuous;

  private EulerDiscreteScheduler(OptionValues options) {
    this(options, Churn.NONE);
  }

  private EulerDiscreteScheduler(OptionValues options, Churn churn) {
    super(options);
    this.churn = churn;
    this.path = SigmaPath.of(options, NoiseSchedule.withFiniteSigmas(options));
    this.predictionType = options.get(PREDICTION_TYPE);
    this.interpolationType = options.get(INTERPOLATION_TYPE);
    this.finalSigmasType = options.get(FINAL_SIGMAS_TYPE);
    this.continuous =
        options.get(TIMESTEP_TYPE) == TimestepType.CONTINUOUS
            && predictionType == PredictionType.V_PREDICTION;
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
  public static EulerDiscreteScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new EulerDiscreteScheduler(TYPE.values(config, options));
  }

  /**
   * This scheduler with noise added before steps; diffusers' {@code s_churn} and its companions.
   *
   * @param churn how much, and where
   * @return another scheduler
   */
  public EulerDiscreteScheduler withChurn(Churn churn) {
    return new EulerDiscreteScheduler(options, churn);
  }

  @Override
  Schedule ofCount(int n) {
    return tables(path.ofTimesteps(n, true), n);
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

  private final class EulerSolver extends SigmaSolver {
    EulerSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
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
