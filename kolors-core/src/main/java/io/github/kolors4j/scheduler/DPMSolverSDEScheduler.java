package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver-2 for the stochastic equation, whose noise is one Brownian motion over sigma: more
 * steps show the same picture in more detail. The U-Net runs twice a step.
 *
 * <p>The motion's seed is {@code noise_sampler_seed}, else that of the image.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022</a>
 */
public final class DPMSolverSDEScheduler extends ConfiguredScheduler {
  private static final Option<Optional<Long>> NOISE_SAMPLER_SEED =
      Option.seed("noise_sampler_seed", "of the Brownian motion; null for the image's own seed")
          .optional();

  static final SchedulerType TYPE =
      SchedulerType.of(DPMSolverSDEScheduler.class, "dpmsolver-sde")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.00085)
          .option(BETA_END, 0.012)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(
              PREDICTION_TYPE.only(PredictionType.EPSILON, PredictionType.V_PREDICTION),
              PredictionType.EPSILON)
          .option(USE_KARRAS_SIGMAS, false)
          .option(USE_EXPONENTIAL_SIGMAS, false)
          .option(USE_BETA_SIGMAS, false)
          .option(NOISE_SAMPLER_SEED)
          .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
          .option(STEPS_OFFSET, 0)
          .build(DPMSolverSDEScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;
  private final Optional<Long> noiseSamplerSeed;
  private final float sNoise;

  private DPMSolverSDEScheduler(OptionValues options) {
    this(options, 1);
  }

  private DPMSolverSDEScheduler(OptionValues options, double sNoise) {
    super(options);
    this.path = SigmaPath.withKarrasOfTimesteps(options, NoiseSchedule.of(options));
    this.predictionType = options.get(PREDICTION_TYPE);
    this.noiseSamplerSeed = options.get(NOISE_SAMPLER_SEED);
    this.sNoise = (float) sNoise;
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
  public static DPMSolverSDEScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new DPMSolverSDEScheduler(TYPE.values(config, options));
  }

  /**
   * This scheduler with more or less noise; diffusers' argument {@code s_noise}.
   *
   * @param sNoise what the noise is multiplied by; 1 without this
   * @return another scheduler
   * @throws IllegalArgumentException if it is negative or not a number
   */
  public DPMSolverSDEScheduler withNoise(double sNoise) {
    if (!(sNoise >= 0)) {
      throw new OptionException("s_noise", sNoise, "use 0 or more.");
    }
    return new DPMSolverSDEScheduler(options, sNoise);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n, false);
    float[] sigmas = SecondOrder.sigmas(grid.sigmas());
    for (float sigma : sigmas) {
      if (!Float.isFinite(sigma)) {
        throw new OptionException(
            "a sigma is " + sigma + ", and the Brownian motion needs a number: use smaller betas.");
      }
    }
    return Tables.exploding(
        className(),
        2,
        SecondOrder.timesteps(grid.timesteps(), between(grid.sigmas())),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new SdeSolver(tables, noise, seed(noise)));
  }

  /** The timesteps half way in the logarithm from each sigma to the next. */
  private double[] between(double[] sigmas) {
    double[] middles = new double[sigmas.length - 1];
    for (int i = 0; i < middles.length; i++) {
      double t = -StrictMath.log(sigmas[i]);
      double width = -StrictMath.log(sigmas[i + 1]) - t;
      middles[i] = StrictMath.exp(-(t + width * 0.5));
    }
    return path.noise().timestepsOf(middles);
  }

  private long seed(NoiseSource noise) {
    if (noiseSamplerSeed.isPresent()) {
      return noiseSamplerSeed.get();
    }
    return noise
        .seed()
        .orElseThrow(
            () ->
                new OptionException(
                    "noise_sampler_seed is null, and the image's noise has no seed: set one of"
                        + " them."));
  }

  private final class SdeSolver extends SigmaSolver {
    private final long seed;

    private @Nullable BrownianInterval motion;

    /** The sample where the step began, and its middle; null there. */
    private float @Nullable [] begin;

    private float middle;

    SdeSolver(Tables tables, NoiseSource noise, long seed) {
      super(tables, noise);
      this.seed = seed;
    }

    @Override
    float sigmaOf(int stepIndex) {
      return begin == null ? tables.sigma(stepIndex) : middle;
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      boolean first = begin == null;
      float sigma = tables.sigma(first ? stepIndex : stepIndex - 1);
      float sigmaNext = tables.sigma(first ? stepIndex + 1 : stepIndex);
      if (sigmaNext == 0) {
        finish(sigma, modelOutput, sample);
        return;
      }
      float t = -Level.log(sigma);
      float tNext = -Level.log(sigmaNext);
      float tMiddle = t + (tNext - t) * 0.5f;
      float at = first ? sigma : Level.exp(-tMiddle);
      float sigmaFrom = Level.exp(-t);
      float sigmaTo = Level.exp(-(first ? tMiddle : tNext));
      float up = Math.min(sigmaTo, Ancestral.of(sigmaFrom, sigmaTo).up());
      float down = (float) Math.sqrt(sigmaTo * sigmaTo - up * up);
      float tDown = -Level.log(down);
      float ofSample = Level.exp(-tDown) / sigmaFrom;
      float ofOriginal = (float) StrictMath.expm1(t - tDown);

      float[] increments = motion(sample.length()).between(sigmaTo, sigmaFrom);
      float width = (float) Math.sqrt(Math.abs(sigmaTo - sigmaFrom));
      float[] x = begin == null ? sample.copy() : begin;
      for (int i = 0; i < x.length; i++) {
        float predOriginalSample =
            predictionType.originalSample(sample.get(i), modelOutput.get(i), at, at);
        float moved = ofSample * x[i] - ofOriginal * predOriginalSample;
        sample.set(i, moved + -increments[i] / width * sNoise * up);
      }
      begin = first ? x : null;
      middle = sigmaTo;
    }

    /** The last step, without noise, by Euler's method. */
    private void finish(float sigma, Slice modelOutput, Slice sample) {
      for (int i = 0; i < sample.length(); i++) {
        float x = sample.get(i);
        float predOriginalSample =
            predictionType.originalSample(x, modelOutput.get(i), sigma, sigma);
        sample.set(i, x + (x - predOriginalSample) / sigma * -sigma);
      }
    }

    private BrownianInterval motion(int length) {
      if (motion == null) {
        float least = Float.POSITIVE_INFINITY;
        float greatest = 0;
        for (int i = 0; i < tables.sigmaCount(); i++) {
          float sigma = tables.sigma(i);
          greatest = Math.max(greatest, sigma);
          least = sigma > 0 ? Math.min(least, sigma) : least;
        }
        motion = new BrownianInterval(least, greatest, seed, length, noise::drawFrom);
      }
      return motion;
    }
  }
}
