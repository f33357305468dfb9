package io.github.kolors4j.scheduler;

/** What all schedulers that come from a configuration share. */
abstract class ConfiguredScheduler implements Scheduler {
  final SchedulerConfig config;
  private final SchedulerType type;

  ConfiguredScheduler(SchedulerType type, SchedulerConfig config) {
    this.type = type;
    this.config = config;
  }

  @Override
  public final String className() {
    return type.className();
  }

  @Override
  public final SchedulerConfig config() {
    return config;
  }

  @Override
  public final Schedule schedule(Steps steps) {
    return switch (steps) {
      case Steps.Count count -> ofCount(count.numInferenceSteps());
      case Steps.Timesteps given -> {
        if (!takesTimesteps()) {
          throw new OptionException(
              className() + " takes no chosen timesteps: use a number of steps.");
        }
        yield ofTimesteps(given.timesteps());
      }
      case Steps.Sigmas given -> ofSigmas(given.sigmas());
    };
  }

  abstract Schedule ofCount(int n);

  boolean takesTimesteps() {
    return false;
  }

  Schedule ofTimesteps(float[] timesteps) {
    throw new IllegalStateException(className());
  }

  Schedule ofSigmas(float[] sigmas) {
    throw new OptionException(
        className()
            + " takes no chosen sigmas: use "
            + (takesTimesteps() ? "timesteps or a number of steps." : "a number of steps."));
  }

  static double checkEta(double eta) {
    if (!(eta >= 0 && eta <= 1)) {
      throw new OptionException("eta", eta, "use 0 to 1.");
    }
    return eta;
  }

  /** Refuses more steps than timesteps were trained. */
  static void checkCount(int n, int numTrainTimesteps) {
    if (n > numTrainTimesteps) {
      throw new OptionException(
          "num_inference_steps is "
              + n
              + ": the model was trained on "
              + numTrainTimesteps
              + " timesteps, use no more.");
    }
  }

  /** Whole timesteps that a user chose; they must fall, from one that was trained. */
  static double[] falling(float[] given, int numTrainTimesteps) {
    double[] timesteps = whole(given);
    if (timesteps[0] >= numTrainTimesteps) {
      throw new OptionException(
          "timesteps start at "
              + (long) timesteps[0]
              + ": the model was trained on 0 to "
              + (numTrainTimesteps - 1)
              + ".");
    }
    for (int i = 1; i < timesteps.length; i++) {
      if (timesteps[i] >= timesteps[i - 1]) {
        throw new OptionException(
            "timesteps hold "
                + (long) timesteps[i - 1]
                + " before "
                + (long) timesteps[i]
                + ": each must be less than the one before.");
      }
    }
    return timesteps;
  }

  /** Timesteps that a user chose, cut off to whole numbers. */
  static double[] whole(float[] given) {
    double[] timesteps = new double[given.length];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = (long) given[i];
    }
    return timesteps;
  }

  static double[] widened(float[] given) {
    double[] timesteps = new double[given.length];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = given[i];
    }
    return timesteps;
  }
}
