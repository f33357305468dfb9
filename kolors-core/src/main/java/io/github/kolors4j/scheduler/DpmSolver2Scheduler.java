package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver-2 along sigmas: Euler's method to the middle of a step, and from its beginning the
 * slope of the middle all the way. The U-Net runs twice a step.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
abstract class DpmSolver2Scheduler extends ConfiguredScheduler {
  private final SigmaPath path;
  private final PredictionType predictionType;

  DpmSolver2Scheduler(OptionValues options) {
    super(options);
    this.path = SigmaPath.of(options, NoiseSchedule.of(options));
    this.predictionType = options.get(PREDICTION_TYPE);
  }

  /** The options of both. */
  static SchedulerType.Builder type(
      Class<? extends DpmSolver2Scheduler> type, String... shortNames) {
    return SchedulerType.of(type, shortNames)
        .option(NUM_TRAIN_TIMESTEPS, 1000)
        .option(BETA_START, 0.00085)
        .option(BETA_END, 0.012)
        .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
        .option(TRAINED_BETAS)
        .option(USE_KARRAS_SIGMAS, false)
        .option(USE_EXPONENTIAL_SIGMAS, false)
        .option(USE_BETA_SIGMAS, false)
        .option(
            PREDICTION_TYPE.only(PredictionType.EPSILON, PredictionType.V_PREDICTION),
            PredictionType.EPSILON)
        .option(TIMESTEP_SPACING, TimestepSpacing.LINSPACE)
        .option(STEPS_OFFSET, 0);
  }

  /** Half way in the logarithm through the step between two sigmas. */
  abstract float middle(float sigma, float next);

  /** How a step goes to the next sigma. */
  abstract Ancestral split(float sigma, float next);

  /** Whether steps draw noise. */
  abstract boolean drawsNoise();

  @Override
  final Schedule ofCount(int n) {
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

  /** The middle of each step; 0 of the last. */
  private float[] middles(float[] sigmas) {
    float[] middles = new float[sigmas.length - 1];
    for (int i = 0; i < middles.length - 1; i++) {
      middles[i] = middle(sigmas[i], sigmas[i + 1]);
    }
    return middles;
  }

  private final class Dpm2Solver extends SigmaSolver {
    private final float[] middles;

    /** The sample where the step began; null there. */
    private float @Nullable [] begin;

    Dpm2Solver(Tables tables, NoiseSource noise, float[] middles) {
      super(tables, noise);
      this.middles = middles;
    }

    @Override
    float sigmaOf(int stepIndex) {
      return begin == null ? tables.sigma(stepIndex) : middles[stepIndex / 2];
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      boolean first = begin == null;
      float sigma = tables.sigma(first ? stepIndex : stepIndex - 1);
      float middle = middles[stepIndex / 2];
      Ancestral to = first ? new Ancestral(0, middle) : split(sigma, tables.sigma(stepIndex));
      float at = first ? sigma : middle;
      float dt = to.down() - sigma;
      float[] x = begin == null ? sample.copy() : begin;
      float[] drawn = new float[x.length];
      if (!first && drawsNoise()) {
        noise.draw(drawn);
      }
      for (int i = 0; i < x.length; i++) {
        float current = sample.get(i);
        float derivative =
            (current - predictionType.originalSample(current, modelOutput.get(i), at, at)) / at;
        sample.set(i, x[i] + derivative * dt + drawn[i] * to.up());
      }
      begin = first ? x : null;
    }
  }
}
