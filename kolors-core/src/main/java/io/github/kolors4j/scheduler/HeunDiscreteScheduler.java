package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.BetaSchedule;
import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Heun's method: a step of Euler's, then again with the mean of the slopes at both ends. The U-Net
 * runs twice a step.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 1</a>
 */
public final class HeunDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "HeunDiscreteScheduler", List.of("heun"), defaults(), HeunDiscreteScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;
  private final SampleBounds bounds;

  private HeunDiscreteScheduler(SchedulerConfig config) {
    super(TYPE, config);
    this.path = SigmaPath.of(config, NoiseSchedule.of(config, ZeroSnr.NO_OPTION, BetaSchedule.EXP));
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.bounds = SampleBounds.clip(config);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static HeunDiscreteScheduler fromConfig(SchedulerConfig config) {
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
  public static HeunDiscreteScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new HeunDiscreteScheduler(TYPE.resolve(config, options));
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
        "clip_sample",
        false,
        "clip_sample_range",
        1.0,
        "timestep_spacing",
        "linspace",
        "steps_offset",
        0L);
  }

  @Override
  Schedule ofCount(int n) {
    return tables(path.ofCount(n, true));
  }

  @Override
  boolean takesTimesteps() {
    return true;
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    return tables(path.ofTimesteps(timesteps));
  }

  private Schedule tables(SigmaGrid grid) {
    float[] sigmas = SecondOrder.sigmas(grid.sigmas());
    return Tables.exploding(
        className(),
        2,
        SecondOrder.withEnds(grid.timesteps()),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, _, _) -> new HeunSolver(tables));
  }

  private final class HeunSolver extends Solver {
    /** The slope at the beginning, and the sample there; null where a step begins. */
    private float @Nullable [] derivative;

    private float[] begin = new float[0];

    HeunSolver(Tables tables) {
      super(tables);
    }

    @Override
    float inputDivisor(int stepIndex) {
      return divisorOf(tables.sigma(stepIndex));
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float sigma = tables.sigma(stepIndex);
      float[] slope = new float[sample.length()];
      for (int i = 0; i < slope.length; i++) {
        slope[i] = predictionType.originalSample(sample.get(i), modelOutput.get(i), sigma, sigma);
      }
      bounds.apply(slope);
      for (int i = 0; i < slope.length; i++) {
        slope[i] = (sample.get(i) - slope[i]) / sigma;
      }

      float[] former = derivative;
      if (former == null) {
        float dt = tables.sigma(stepIndex + 1) - sigma;
        derivative = slope;
        begin = new float[slope.length];
        for (int i = 0; i < slope.length; i++) {
          begin[i] = sample.get(i);
          sample.set(i, begin[i] + slope[i] * dt);
        }
      } else {
        float dt = sigma - tables.sigma(stepIndex - 1);
        for (int i = 0; i < slope.length; i++) {
          sample.set(i, begin[i] + (former[i] + slope[i]) / 2 * dt);
        }
        derivative = null;
      }
    }
  }
}
