package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;

/**
 * Trajectory consistency distillation: few steps with weights that were distilled for it, and noise
 * added as {@code eta} says.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2402.19159">Zheng et al., 2024</a>
 */
public final class TCDScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType("TCDScheduler", List.of("tcd"), defaults(), TCDScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final DistilledTimesteps distilled;
  private final PredictionType predictionType;
  private final float finalAlphaCumprod;

  private TCDScheduler(SchedulerConfig config) {
    super(TYPE, config);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.EXACT);
    this.distilled = DistilledTimesteps.of(config);
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.finalAlphaCumprod = noiseSchedule.finalAlphaCumprod(config);
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static TCDScheduler fromConfig(SchedulerConfig config) {
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
  public static TCDScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new TCDScheduler(TYPE.resolve(config, options));
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
        "scaled_linear",
        "trained_betas",
        null,
        "original_inference_steps",
        50L,
        "clip_sample",
        false,
        "clip_sample_range",
        1.0,
        "set_alpha_to_one",
        true,
        "steps_offset",
        0L,
        "prediction_type",
        "epsilon",
        "thresholding",
        false,
        "dynamic_thresholding_ratio",
        0.995,
        "sample_max_value",
        1.0,
        "timestep_spacing",
        "leading",
        "timestep_scaling",
        10.0,
        "rescale_betas_zero_snr",
        false);
  }

  @Override
  Schedule ofCount(int n) {
    return tables(distilled.ofCount(n));
  }

  @Override
  boolean takesTimesteps() {
    return true;
  }

  @Override
  Schedule ofTimesteps(float[] timesteps) {
    return tables(falling(timesteps, distilled.numTrainTimesteps()));
  }

  private Schedule tables(double[] timesteps) {
    return Tables.trained(
        className(),
        noiseSchedule.checkTrained(timesteps),
        noiseSchedule,
        finalAlphaCumprod,
        (tables, noise, eta) -> new TcdSolver(tables, noise, checkEta(eta)));
  }

  private final class TcdSolver extends Solver {
    private final NoiseSource noise;
    private final double eta;

    TcdSolver(Tables tables, NoiseSource noise, double eta) {
      super(tables);
      this.noise = noise;
      this.eta = eta;
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      boolean last = stepIndex == tables.stepCount() - 1;
      int prevTimestep = last ? 0 : tables.timestep(stepIndex + 1);
      int timestepS = (int) Math.floor((float) (1 - eta) * prevTimestep);
      float alphaProdPrev = noiseSchedule.alphaCumprod(prevTimestep);
      float alphaProdS = noiseSchedule.alphaCumprod(timestepS);
      float alphaS = (float) Math.sqrt(alphaProdS);
      float sigmaS = (float) Math.sqrt(1 - alphaProdS);
      Level level = tables.level(stepIndex);
      for (int i = 0; i < sample.length(); i++) {
        float x = sample.get(i);
        float output = modelOutput.get(i);
        float predOriginalSample = predictionType.originalSample(x, output, level);
        float predEpsilon = predictionType.noise(x, output, level);
        sample.set(i, alphaS * predOriginalSample + sigmaS * predEpsilon);
      }
      if (eta > 0 && !last) {
        float[] drawn = new float[sample.length()];
        noise.draw(drawn);
        float kept = (float) Math.sqrt(alphaProdPrev / alphaProdS);
        float added = (float) Math.sqrt(1 - alphaProdPrev / alphaProdS);
        for (int i = 0; i < sample.length(); i++) {
          sample.set(i, kept * sample.get(i) + added * drawn[i]);
        }
      }
    }
  }
}
