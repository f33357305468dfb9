package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver-2 along sigmas, with new noise added after each step. The U-Net runs twice a step.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
public final class KDPM2AncestralDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "KDPM2AncestralDiscreteScheduler",
          List.of("dpm2-ancestral", "dpm2-a", "kdpm2-ancestral"),
          defaults(),
          KDPM2AncestralDiscreteScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;

  private KDPM2AncestralDiscreteScheduler(SchedulerConfig config) {
    super(TYPE, config);
    this.path = SigmaPath.of(config, NoiseSchedule.of(config, ZeroSnr.NO_OPTION));
    this.predictionType = config.choice("prediction_type", PredictionType.WITHOUT_SAMPLE);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static KDPM2AncestralDiscreteScheduler fromConfig(SchedulerConfig config) {
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
  public static KDPM2AncestralDiscreteScheduler fromConfig(
      SchedulerConfig config, Map<String, ?> options) {
    return new KDPM2AncestralDiscreteScheduler(TYPE.resolve(config, options));
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

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n, true);
    if (path.sigmaSpacing() == SigmaSpacing.KARRAS) {
      grid = grid.whole(true);
    }
    float[] sigmas = FinalSigmasType.append(0, grid.sigmas());
    float[] middles = middles(sigmas);
    double[] between = path.noise().timestepsOf(middles, middles.length - 1);
    return Tables.exploding(
        className(),
        2,
        SecondOrder.timesteps(grid.timesteps(), between),
        SecondOrder.doubled(sigmas),
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new Dpm2Solver(tables, noise, middles));
  }

  /** Half way in the logarithm to where the noise is taken away to; 0 before the last. */
  private static float[] middles(float[] sigmas) {
    float[] middles = new float[sigmas.length - 1];
    for (int i = 0; i < middles.length - 1; i++) {
      middles[i] = SecondOrder.middle(sigmas[i], Ancestral.of(sigmas[i], sigmas[i + 1]).down());
    }
    return middles;
  }

  private final class Dpm2Solver extends Solver {
    private final NoiseSource noise;
    private final float[] middles;

    /** The sample where the step began; null there. */
    private float @Nullable [] begin;

    Dpm2Solver(Tables tables, NoiseSource noise, float[] middles) {
      super(tables);
      this.noise = noise;
      this.middles = middles;
    }

    @Override
    float inputDivisor(int stepIndex) {
      return divisorOf(begin == null ? tables.sigma(stepIndex) : middles[stepIndex / 2]);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      boolean first = begin == null;
      float sigma = tables.sigma(first ? stepIndex : stepIndex - 1);
      float middle = middles[stepIndex / 2];
      Ancestral ancestral =
          first ? new Ancestral(0, middle) : Ancestral.of(sigma, tables.sigma(stepIndex));
      float at = first ? sigma : middle;
      float dt = ancestral.down() - sigma;
      float[] x = begin == null ? sample.copy() : begin;
      float[] drawn = new float[x.length];
      if (!first) {
        noise.draw(drawn);
      }
      for (int i = 0; i < x.length; i++) {
        float current = sample.get(i);
        float derivative =
            (current - predictionType.originalSample(current, modelOutput.get(i), at, at)) / at;
        sample.set(i, x[i] + derivative * dt + drawn[i] * ancestral.up());
      }
      begin = first ? x : null;
    }
  }
}
