package io.github.kolors4j.scheduler;

import java.util.Map;

/**
 * Trajectory consistency distillation: few steps with weights that were distilled for it, and noise
 * added as {@code eta} says.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2402.19159">Zheng et al., 2024</a>
 */
public final class TCDScheduler extends ConsistencyScheduler {
  static final SchedulerType TYPE = type(TCDScheduler.class, "tcd").build(TCDScheduler::new);

  private TCDScheduler(OptionValues options) {
    super(options);
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
  public static TCDScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new TCDScheduler(TYPE.values(config, options));
  }

  @Override
  Solver solver(Tables tables, NoiseSource noise, double eta) {
    return new TcdSolver(tables, noise, checkEta(eta));
  }

  private final class TcdSolver extends Solver {
    private final double eta;

    TcdSolver(Tables tables, NoiseSource noise, double eta) {
      super(tables, noise);
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
        float[] drawn = draw(sample);
        float kept = (float) Math.sqrt(alphaProdPrev / alphaProdS);
        float added = (float) Math.sqrt(1 - alphaProdPrev / alphaProdS);
        for (int i = 0; i < sample.length(); i++) {
          sample.set(i, kept * sample.get(i) + added * drawn[i]);
        }
      }
    }
  }
}
