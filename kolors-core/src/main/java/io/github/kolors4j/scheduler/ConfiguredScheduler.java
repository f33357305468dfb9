package io.github.kolors4j.scheduler;

/** What all schedulers that come from a configuration share. */
abstract class ConfiguredScheduler implements Scheduler {
  final OptionValues options;

  ConfiguredScheduler(OptionValues options) {
    this.options = options;
  }

  @Override
  public final String className() {
    return options.type().className();
  }

  @Override
  public final SchedulerConfig config() {
    return options.config();
  }

  @Override
  public final Schedule schedule(Steps steps) {
    Schedule schedule = ofSteps(steps);
    return schedule instanceof Tables tables
        ? tables.predicting(options.get(SharedOptions.PREDICTION_TYPE))
        : schedule;
  }

  private Schedule ofSteps(Steps steps) {
    return switch (steps) {
      case Steps.Count count -> ofCount(count.numInferenceSteps());
      case Steps.Timesteps given -> {
        if (!options.type().takesTimesteps()) {
          throw new OptionException(
              className() + " takes no chosen timesteps: use a number of steps.");
        }
        yield ofTimesteps(given.timesteps());
      }
      case Steps.Sigmas given -> ofSigmas(given.sigmas());
    };
  }

  abstract Schedule ofCount(int n);

  /** Only of types that take them. */
  Schedule ofTimesteps(float[] timesteps) {
    throw new IllegalStateException(className());
  }

  Schedule ofSigmas(float[] sigmas) {
    throw new OptionException(
        className()
            + " takes no chosen sigmas: use "
            + (options.type().takesTimesteps()
                ? "timesteps or a number of steps."
                : "a number of steps."));
  }

  static double checkEta(double eta) {
    if (!(eta >= 0 && eta <= 1)) {
      throw new OptionException("eta", eta, "use 0 to 1.");
    }
    return eta;
  }
}
