package io.github.kolors4j.scheduler;

import java.util.Map;

/**
 * Latent consistency models: 1 to 8 steps with weights that were distilled for it.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2310.04378">Luo et al., 2023</a>
 */
public final class LCMScheduler extends ConsistencyScheduler {
  static final SchedulerType TYPE = type(LCMScheduler.class, "lcm").build(LCMScheduler::new);

  private final SampleBounds bounds;
  private final float timestepScaling;

  private LCMScheduler(OptionValues options) {
    super(options);
    this.bounds = SampleBounds.of(options);
    this.timestepScaling = options.get(TIMESTEP_SCALING).floatValue();
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("original_inference_steps", 100)}; may be
   *     left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static LCMScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new LCMScheduler(TYPE.values(config, options));
  }

  @Override
  Solver solver(Tables tables, NoiseSource noise, double eta) {
    return new LcmSolver(tables, noise);
  }

  private final class LcmSolver extends Solver {
    private static final float SIGMA_DATA = 0.5f;

    LcmSolver(Tables tables, NoiseSource noise) {
      super(tables, noise);
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      float scaled = tables.timestep(stepIndex) * timestepScaling;
      float variance = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
      float cSkip = SIGMA_DATA * SIGMA_DATA / variance;
      float cOut = scaled / (float) Math.sqrt(variance);

      float[] predOriginalSample = new float[sample.length()];
      for (int i = 0; i < sample.length(); i++) {
        predOriginalSample[i] =
            predictionType.originalSample(
                sample.get(i), modelOutput.get(i), tables.level(stepIndex));
      }
      bounds.apply(predOriginalSample);
      for (int i = 0; i < sample.length(); i++) {
        sample.set(i, cOut * predOriginalSample[i] + cSkip * sample.get(i));
      }
      if (stepIndex < tables.stepCount() - 1) {
        float[] drawn = draw(sample);
        Level next = tables.level(stepIndex + 1);
        for (int i = 0; i < sample.length(); i++) {
          sample.set(i, next.alpha() * sample.get(i) + next.sigma() * drawn[i]);
        }
      }
    }
  }
}
