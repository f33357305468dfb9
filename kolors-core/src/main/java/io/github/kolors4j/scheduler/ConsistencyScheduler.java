package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

/** What consistency models share: a few of the timesteps that they were distilled at. */
abstract class ConsistencyScheduler extends ConfiguredScheduler {
  static final Option<Integer> ORIGINAL_INFERENCE_STEPS =
      Option.integer("original_inference_steps", "at how many timesteps the model was distilled");

  static final Option<Double> TIMESTEP_SCALING =
      Option.number("timestep_scaling", "how fast a step's own sample loses its part");

  final NoiseSchedule noiseSchedule;
  final PredictionType predictionType;
  private final int numTrainTimesteps;
  private final int originalInferenceSteps;
  private final float finalAlphaCumprod;

  ConsistencyScheduler(OptionValues options) {
    super(options);
    this.noiseSchedule = NoiseSchedule.of(options);
    this.predictionType = options.get(PREDICTION_TYPE);
    this.numTrainTimesteps = options.get(NUM_TRAIN_TIMESTEPS);
    this.originalInferenceSteps = options.get(ORIGINAL_INFERENCE_STEPS);
    this.finalAlphaCumprod = noiseSchedule.finalAlphaCumprod(options);
    if (originalInferenceSteps < 1 || originalInferenceSteps > numTrainTimesteps) {
      throw new OptionException(
          ORIGINAL_INFERENCE_STEPS.key(),
          originalInferenceSteps,
          "use 1 to num_train_timesteps, which is " + numTrainTimesteps + ".");
    }
  }

  /** The options of all consistency models. */
  static SchedulerType.Builder type(
      Class<? extends ConsistencyScheduler> type, String... shortNames) {
    return SchedulerType.of(type, shortNames)
        .option(NUM_TRAIN_TIMESTEPS, 1000)
        .option(BETA_START, 0.00085)
        .option(BETA_END, 0.012)
        .option(BETA_SCHEDULE, BetaSchedule.SCALED_LINEAR)
        .option(TRAINED_BETAS)
        .option(ORIGINAL_INFERENCE_STEPS, 50)
        .option(CLIP_SAMPLE, false)
        .option(CLIP_SAMPLE_RANGE, 1.0)
        .option(SET_ALPHA_TO_ONE, true)
        .option(STEPS_OFFSET, 0)
        .option(PREDICTION_TYPE, PredictionType.EPSILON)
        .option(THRESHOLDING, false)
        .option(DYNAMIC_THRESHOLDING_RATIO, 0.995)
        .option(SAMPLE_MAX_VALUE, 1.0)
        .option(TIMESTEP_SPACING, TimestepSpacing.LEADING)
        .option(TIMESTEP_SCALING, 10.0)
        .option(RESCALE_BETAS_ZERO_SNR, false)
        .takesTimesteps();
  }

  /** The run of one image. */
  abstract Solver solver(Tables tables, NoiseSource noise, double eta);

  /** So many of the distilled timesteps, evenly from the last on. */
  @Override
  final Schedule ofCount(int n) {
    if (n > originalInferenceSteps) {
      throw new OptionException(
          "num_inference_steps is "
              + n
              + ": original_inference_steps is "
              + originalInferenceSteps
              + ", use no more.");
    }
    int ratio = numTrainTimesteps / originalInferenceSteps;
    double[] timesteps = new double[n];
    for (int i = 0; i < n; i++) {
      int index = (int) Math.floor(i * (originalInferenceSteps / (double) n));
      timesteps[i] = (double) (originalInferenceSteps - index) * ratio - 1;
    }
    return tables(timesteps);
  }

  @Override
  final Schedule ofTimesteps(float[] given) {
    return tables(TimestepChoice.falling(given, numTrainTimesteps));
  }

  private Schedule tables(double[] timesteps) {
    return Tables.trained(
        className(),
        noiseSchedule.checkTrained(timesteps),
        noiseSchedule,
        finalAlphaCumprod,
        this::solver);
  }
}
