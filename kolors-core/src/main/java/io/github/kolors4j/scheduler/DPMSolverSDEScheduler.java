package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
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
  static final SchedulerType TYPE =
      new SchedulerType(
          "DPMSolverSDEScheduler",
          List.of("dpmsolver-sde"),
          defaults(),
          DPMSolverSDEScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;
  private final OptionalLong noiseSamplerSeed;
  private final float sNoise;

  private DPMSolverSDEScheduler(SchedulerConfig config) {
    this(config, 1);
  }

  private DPMSolverSDEScheduler(SchedulerConfig config, double sNoise) {
    super(TYPE, config);
    this.path = SigmaPath.of(config, NoiseSchedule.of(config, ZeroSnr.NO_OPTION));
    this.predictionType = config.choice("prediction_type", PredictionType.WITHOUT_SAMPLE);
    this.noiseSamplerSeed = noiseSamplerSeed(config);
    this.sNoise = (float) sNoise;
  }

  private static OptionalLong noiseSamplerSeed(SchedulerConfig config) {
    return switch (config.get("noise_sampler_seed")) {
      case null -> OptionalLong.empty();
      case Long seed when seed >= 0 -> OptionalLong.of(seed);
      case Object other ->
          throw new OptionException(
              "noise_sampler_seed", other, "use a whole number that is 0 or more.");
    };
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static DPMSolverSDEScheduler fromConfig(SchedulerConfig config) {
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
  public static DPMSolverSDEScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new DPMSolverSDEScheduler(TYPE.resolve(config, options));
  }

  private static Map<String, Object> defaults() {
    return SchedulerType.options(
        "num_train_timesteps",
        1000L,
        "beta_start",
        0.00085,
        "beta_end",
        0.012,
        "beta_schedule",
        "linear",
        "trained_betas",
        null,
        "prediction_type",
        "epsilon",
        "use_karras_sigmas",
        false,
        "use_exponential_sigmas",
        false,
        "use_beta_sigmas",
        false,
        "noise_sampler_seed",
        null,
        "timestep_spacing",
        "linspace",
        "steps_offset",
        0L);
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
    return new DPMSolverSDEScheduler(config, sNoise);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCountWithKarrasOfTimesteps(n, false);
    float[] sigmas = SecondOrder.sigmas(grid.sigmas());
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
      return noiseSamplerSeed.getAsLong();
    }
    return noise
        .seed()
        .orElseThrow(
            () ->
                new OptionException(
                    "noise_sampler_seed is null, and the image's noise has no seed: set one of"
                        + " them."));
  }

  private final class SdeSolver extends Solver {
    private final NoiseSource noise;
    private final long seed;

    private @Nullable BrownianInterval motion;

    /** The sample where the step began, and its middle; null there. */
    private float @Nullable [] begin;

    private float middle;

    SdeSolver(Tables tables, NoiseSource noise, long seed) {
      super(tables);
      this.noise = noise;
      this.seed = seed;
    }

    @Override
    float inputDivisor(int stepIndex) {
      return divisorOf(begin == null ? tables.sigma(stepIndex) : middle);
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
