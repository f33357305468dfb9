package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;

/**
 * Euler's method with more noise taken away than a step asks for, and new noise added.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 */
public final class EulerAncestralDiscreteScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType(
          "EulerAncestralDiscreteScheduler",
          List.of("euler-ancestral", "euler-a"),
          defaults(),
          EulerAncestralDiscreteScheduler::new);

  private final SigmaPath path;
  private final PredictionType predictionType;

  private EulerAncestralDiscreteScheduler(SchedulerConfig config) {
    super(TYPE, config);
    this.path =
        SigmaPath.of(config, NoiseSchedule.of(config, ZeroSnr.NEAR), SigmaSpacing.TIMESTEPS);
    this.predictionType = config.choice("prediction_type", PredictionType.WITHOUT_SAMPLE);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static EulerAncestralDiscreteScheduler fromConfig(SchedulerConfig config) {
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
  public static EulerAncestralDiscreteScheduler fromConfig(
      SchedulerConfig config, Map<String, ?> options) {
    return new EulerAncestralDiscreteScheduler(TYPE.resolve(config, options));
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
        "timestep_spacing",
        "linspace",
        "steps_offset",
        0L,
        "rescale_betas_zero_snr",
        false);
  }

  @Override
  Schedule ofCount(int n) {
    SigmaGrid grid = path.ofCount(n, true);
    float[] sigmas = FinalSigmasType.append(0, grid.sigmas());
    return Tables.exploding(
        className(),
        1,
        grid.timesteps(),
        sigmas,
        path.initNoiseSigma(sigmas),
        (tables, noise, _) -> new AncestralSolver(tables, noise));
  }

  private final class AncestralSolver extends Solver {
    private final NoiseSource noise;

    AncestralSolver(Tables tables, NoiseSource noise) {
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
      Ancestral ancestral = Ancestral.of(sigma, tables.sigma(stepIndex + 1));
      float dt = ancestral.down() - sigma;
      float[] drawn = new float[sample.length()];
      noise.draw(drawn);
      for (int i = 0; i < drawn.length; i++) {
        float x = sample.get(i);
        float predOriginalSample =
            predictionType.originalSample(x, modelOutput.get(i), sigma, sigma);
        float derivative = (x - predOriginalSample) / sigma;
        sample.set(i, x + derivative * dt + drawn[i] * ancestral.up());
      }
    }
  }
}
