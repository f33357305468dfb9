package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

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
      SchedulerType.of(DDIMScheduler.class, "ddim")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(CLIP_SAMPLE, true)
          .option(SET_ALPHA_TO_ONE, true)
          .option(STEPS_OFFSET, 0)
          .option(PREDICTION_TYPE, PredictionType.EPSILON)
          .option(THRESHOLDING, false)
          .option(DYNAMIC_THRESHOLDING_RATIO, 0.995)
          .option(CLIP_SAMPLE_RANGE, 1.0)
          .option(SAMPLE_MAX_VALUE, 1.0)
          .option(TIMESTEP_SPACING, TimestepSpacing.LEADING)
          .option(RESCALE_BETAS_ZERO_SNR, false)
          .build(DDIMScheduler::new);

  private final NoiseSchedule noiseSchedule;
  private final TimestepChoice timesteps;
  private final PredictionType predictionType;
  private final SampleBounds bounds;
  private final float finalAlphaCumprod;
  private final boolean useClippedModelOutput;

  private DDIMScheduler(OptionValues options) {
    this(options, false);
  }

  private DDIMScheduler(OptionValues options, boolean useClippedModelOutput) {
    super(options);
    this.noiseSchedule = NoiseSchedule.of(options);
    this.timesteps = TimestepChoice.of(options);
    this.predictionType = options.get(PREDICTION_TYPE);
    this.bounds = SampleBounds.of(options);
    this.finalAlphaCumprod = noiseSchedule.finalAlphaCumprod(options);
    this.useClippedModelOutput = useClippedModelOutput;
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("clip_sample", false)}; may be left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static DDIMScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new DDIMScheduler(TYPE.values(config, options));
  }

  /**
   * This scheduler with the noise taken from the bounded picture; diffusers' {@code
   * use_clipped_model_output}.
   *
   * @return another scheduler
   */
  public DDIMScheduler withClippedModelOutput() {
    return new DDIMScheduler(options, true);
  }

  @Override
  Schedule ofCount(int n) {
    int ratio = timesteps.trained() / n;
    return Tables.trained(
        className(),
        noiseSchedule.checkTrained(timesteps.whole(n)),
        noiseSchedule,
        finalAlphaCumprod,
        (tables, noise, eta) -> new DdimSolver(tables, noise, checkEta(eta), ratio));
  }

  private final class DdimSolver extends Solver {
    private final float eta;
    private final int ratio;

    DdimSolver(Tables tables, NoiseSource noise, double eta, int ratio) {
      super(tables, noise);
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
