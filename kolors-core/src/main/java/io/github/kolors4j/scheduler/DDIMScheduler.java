package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.NoiseSchedule.ZeroSnr;
import java.util.List;
import java.util.Map;

/**
 * Denoising diffusion implicit models: deterministic, or with noise added as {@code eta} says.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2010.02502">Song et al., 2020</a>
 */
public final class DDIMScheduler extends ConfiguredScheduler {
  static final SchedulerType TYPE =
      new SchedulerType("DDIMScheduler", List.of("ddim"), defaults(), DDIMScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final int numTrainTimesteps;
  private final PredictionType predictionType;
  private final SampleBounds bounds;
  private final TimestepSpacing timestepSpacing;
  private final int stepsOffset;
  private final float finalAlphaCumprod;
  private final boolean useClippedModelOutput;

  private DDIMScheduler(SchedulerConfig config) {
    this(config, false);
  }

  private DDIMScheduler(SchedulerConfig config, boolean useClippedModelOutput) {
    super(TYPE, config);
    this.noiseSchedule = NoiseSchedule.of(config, ZeroSnr.EXACT);
    this.numTrainTimesteps = config.integer("num_train_timesteps");
    this.predictionType = config.choice("prediction_type", PredictionType.class);
    this.bounds = SampleBounds.of(config);
    this.timestepSpacing = config.choice("timestep_spacing", TimestepSpacing.class);
    this.stepsOffset = config.integer("steps_offset");
    this.finalAlphaCumprod = noiseSchedule.finalAlphaCumprod(config);
    this.useClippedModelOutput = useClippedModelOutput;
  }

  /**
   * A scheduler from any scheduler's configuration; diffusers {@code from_config}.
   *
   * @param config values that somebody set are taken over, those that were only defaults are not
   * @return the scheduler
   * @throws IllegalArgumentException if a value is not supported
   */
  public static DDIMScheduler fromConfig(SchedulerConfig config) {
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
  public static DDIMScheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return new DDIMScheduler(TYPE.resolve(config, options));
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
        "clip_sample",
        true,
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
        "clip_sample_range",
        1.0,
        "sample_max_value",
        1.0,
        "timestep_spacing",
        "leading",
        "rescale_betas_zero_snr",
        false);
  }

  /**
   * This scheduler with the noise taken from the bounded picture; diffusers' {@code
   * use_clipped_model_output}.
   *
   * @return another scheduler
   */
  public DDIMScheduler withClippedModelOutput() {
    return new DDIMScheduler(config, true);
  }

  @Override
  Schedule ofCount(int n) {
    checkCount(n, numTrainTimesteps);
    double[] timesteps =
        noiseSchedule.checkTrained(timestepSpacing.whole(numTrainTimesteps, n, stepsOffset));
    int ratio = numTrainTimesteps / n;
    return Tables.trained(
        className(),
        timesteps,
        noiseSchedule,
        finalAlphaCumprod,
        (tables, noise, eta) -> new DdimSolver(tables, noise, checkEta(eta), ratio));
  }

  private final class DdimSolver extends Solver {
    private final NoiseSource noise;
    private final float eta;
    private final int ratio;

    DdimSolver(Tables tables, NoiseSource noise, double eta, int ratio) {
      super(tables);
      this.noise = noise;
      this.eta = (float) eta;
      this.ratio = ratio;
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      int prevTimestep = tables.timestep(stepIndex) - ratio;
      float alphaProd = noiseSchedule.alphaCumprod(tables.timestep(stepIndex));
      float alphaProdPrev =
          prevTimestep >= 0 ? noiseSchedule.alphaCumprod(prevTimestep) : finalAlphaCumprod;
      float variance = (1 - alphaProdPrev) / (1 - alphaProd) * (1 - alphaProd / alphaProdPrev);
      float stdDev = eta == 0 ? 0 : eta * (float) Math.sqrt(variance);
      float direction = (float) Math.sqrt(1 - alphaProdPrev - stdDev * stdDev);
      float alphaPrev = (float) Math.sqrt(alphaProdPrev);
      Level level = tables.level(stepIndex);

      float[] predOriginalSample = new float[sample.length()];
      float[] predEpsilon = new float[sample.length()];
      for (int i = 0; i < sample.length(); i++) {
        float x = sample.get(i);
        float output = modelOutput.get(i);
        predOriginalSample[i] = predictionType.originalSample(x, output, level);
        predEpsilon[i] = predictionType.noise(x, output, level);
      }
      bounds.apply(predOriginalSample);
      float[] drawn = new float[sample.length()];
      if (eta > 0) {
        noise.draw(drawn);
      }
      for (int i = 0; i < sample.length(); i++) {
        float epsilon =
            useClippedModelOutput
                ? PredictionType.SAMPLE.noise(sample.get(i), predOriginalSample[i], level)
                : predEpsilon[i];
        sample.set(i, alphaPrev * predOriginalSample[i] + direction * epsilon + stdDev * drawn[i]);
      }
    }
  }
}
