package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.Map;

/**
 * Pseudo numerical methods: linear multistep of order 4, begun with Runge-Kutta steps, or without
 * ({@code skip_prk_steps}).
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2202.09778">Liu et al., 2022</a>
 */
public final class PNDMScheduler extends ConfiguredScheduler {
  private static final Option<Boolean> SKIP_PRK_STEPS =
      Option.flag("skip_prk_steps", "whether the first steps are taken without Runge-Kutta");

  static final SchedulerType TYPE =
      SchedulerType.of(PNDMScheduler.class, "pndm", "plms")
          .option(NUM_TRAIN_TIMESTEPS, 1000)
          .option(BETA_START, 0.0001)
          .option(BETA_END, 0.02)
          .option(BETA_SCHEDULE, BetaSchedule.LINEAR)
          .option(TRAINED_BETAS)
          .option(SKIP_PRK_STEPS, false)
          .option(SET_ALPHA_TO_ONE, false)
          .option(
              PREDICTION_TYPE.only(PredictionType.EPSILON, PredictionType.V_PREDICTION),
              PredictionType.EPSILON)
          .option(TIMESTEP_SPACING, TimestepSpacing.LEADING)
          .option(STEPS_OFFSET, 0)
          .build(PNDMScheduler::new);

  private static final int ORDER = 4;

  private final NoiseSchedule noiseSchedule;
  private final TimestepChoice timesteps;
  private final boolean skipPrkSteps;
  private final PredictionType predictionType;
  private final float finalAlphaCumprod;

  private PNDMScheduler(OptionValues options) {
    super(options);
    this.noiseSchedule = NoiseSchedule.of(options);
    this.timesteps = TimestepChoice.of(options);
    this.skipPrkSteps = options.get(SKIP_PRK_STEPS);
    this.predictionType = options.get(PREDICTION_TYPE);
    this.finalAlphaCumprod = noiseSchedule.finalAlphaCumprod(options);
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("skip_prk_steps", true)}; may be left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static PNDMScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new PNDMScheduler(TYPE.values(config, options));
  }

  @Override
  Schedule ofCount(int n) {
    double[] chosen = timesteps.whole(n);
    if (!skipPrkSteps && chosen.length < ORDER) { // a negative steps_offset leaves fewer than n
      throw new OptionException(
          "num_inference_steps is "
              + chosen.length
              + " and skip_prk_steps false, which needs 4 or more: use true for fewer steps.");
    }
    noiseSchedule.checkTrained(chosen);
    int ratio = timesteps.trained() / n;
    int prkSteps = skipPrkSteps ? 0 : 3 * ORDER;
    return Tables.trained(
        className(),
        noiseSchedule.checkTrained(
            skipPrkSteps ? secondTwice(chosen) : withRungeKutta(chosen, ratio / 2)),
        noiseSchedule,
        finalAlphaCumprod,
        (tables, noise, _) -> new PndmSolver(tables, noise, ratio, prkSteps));
  }

  /** The second timestep twice: without Runge-Kutta, the first step is taken again. */
  private static double[] secondTwice(double[] chosen) {
    if (chosen.length == 1) {
      return chosen;
    }
    double[] timesteps = new double[chosen.length + 1];
    System.arraycopy(chosen, 0, timesteps, 0, 2);
    System.arraycopy(chosen, 1, timesteps, 2, chosen.length - 1);
    return timesteps;
  }

  /** Three Runge-Kutta steps, each with four runs of the model, before the others. */
  private static double[] withRungeKutta(double[] chosen, int half) {
    double[] timesteps = new double[3 * ORDER + chosen.length - 3];
    for (int step = 0; step < 3; step++) {
      double middle = chosen[step + 1] + half;
      timesteps[ORDER * step] = chosen[step];
      timesteps[ORDER * step + 1] = middle;
      timesteps[ORDER * step + 2] = middle;
      timesteps[ORDER * step + 3] = chosen[step + 1];
    }
    System.arraycopy(chosen, 3, timesteps, 3 * ORDER, chosen.length - 3);
    return timesteps;
  }

  private final class PndmSolver extends Solver {
    private final int ratio;
    private final int prkSteps;

    /** Former outputs of the model. */
    private final History outputs = new History(ORDER);

    private int counter;
    private float[] curModelOutput = new float[0];
    private float[] curSample = new float[0];

    PndmSolver(Tables tables, NoiseSource noise, int ratio, int prkSteps) {
      super(tables, noise);
      this.ratio = ratio;
      this.prkSteps = prkSteps;
    }

    @Override
    void advance(int stepIndex, Slice modelOutput, Slice sample) {
      if (counter < prkSteps) {
        stepPrk(tables.timestep(stepIndex), modelOutput, sample);
      } else {
        stepPlms(tables.timestep(stepIndex), modelOutput, sample);
      }
      counter++;
    }

    private void stepPrk(int timestep, Slice modelOutput, Slice sample) {
      int prevTimestep = timestep - (counter % 2 == 0 ? ratio / 2 : 0);
      int stage = counter % ORDER;
      if (stage == 0) {
        curModelOutput = new float[sample.length()];
        curSample = sample.copy();
        remember(modelOutput);
      }
      float weight = stage == 0 || stage == 3 ? 1f / 6 : 1f / 3;
      float[] output = new float[sample.length()];
      for (int i = 0; i < output.length; i++) {
        curModelOutput[i] += weight * modelOutput.get(i);
        output[i] = stage == 3 ? curModelOutput[i] : modelOutput.get(i);
      }
      int begin = tables.timestep(counter / ORDER * ORDER);
      transfer(begin, prevTimestep, output, curSample, sample);
    }

    private void stepPlms(int given, Slice modelOutput, Slice sample) {
      boolean again = counter == 1;
      int timestep = again ? given + ratio : given;
      int prevTimestep = again ? given : given - ratio;
      if (!again) {
        remember(modelOutput);
      }
      if (counter == 0) {
        curSample = sample.copy();
      }
      float[] output = new float[sample.length()];
      for (int i = 0; i < output.length; i++) {
        output[i] = again ? (modelOutput.get(i) + past(0, i)) / 2 : extrapolated(i);
      }
      transfer(timestep, prevTimestep, output, again ? curSample : sample.copy(), sample);
    }

    private void remember(Slice modelOutput) {
      float[] target = outputs.push(modelOutput.length());
      for (int i = 0; i < target.length; i++) {
        target[i] = modelOutput.get(i);
      }
    }

    private float past(int age, int i) {
      return outputs.get(age)[i];
    }

    /** Adams and Bashforth's formulas, of the order that the memory allows. */
    private float extrapolated(int i) {
      return switch (outputs.count()) {
        case 1 -> past(0, i);
        case 2 -> (3 * past(0, i) - past(1, i)) / 2;
        case 3 -> (23 * past(0, i) - 16 * past(1, i) + 5 * past(2, i)) / 12;
        default -> 1f / 24 * (55 * past(0, i) - 59 * past(1, i) + 37 * past(2, i) - 9 * past(3, i));
      };
    }

    /** From one timestep to the other; formula (9) of the paper. */
    private void transfer(int from, int to, float[] output, float[] x, Slice target) {
      float alphaProd = noiseSchedule.alphaCumprod(from);
      float alphaProdPrev = to >= 0 ? noiseSchedule.alphaCumprod(to) : finalAlphaCumprod;
      Level level = Level.ofAlphaCumprod(alphaProd);
      float ofSample = (float) Math.sqrt(alphaProdPrev / alphaProd);
      float denominator =
          alphaProd * (float) Math.sqrt(1 - alphaProdPrev)
              + (float) Math.sqrt(alphaProd * (1 - alphaProd) * alphaProdPrev);
      for (int i = 0; i < output.length; i++) {
        float epsilon = predictionType.noise(x[i], output[i], level);
        target.set(i, ofSample * x[i] - (alphaProdPrev - alphaProd) * epsilon / denominator);
      }
    }
  }
}
