package io.github.kolors4j.scheduler;

/** The timesteps that a consistency model was distilled at, and the choice among them. */
record DistilledTimesteps(int numTrainTimesteps, int originalInferenceSteps) {
  static DistilledTimesteps of(SchedulerConfig config) {
    int numTrainTimesteps = config.integer("num_train_timesteps");
    int originalInferenceSteps = config.integer("original_inference_steps");
    if (originalInferenceSteps < 1 || originalInferenceSteps > numTrainTimesteps) {
      throw new OptionException(
          "original_inference_steps",
          originalInferenceSteps,
          "use 1 to num_train_timesteps, which is " + numTrainTimesteps + ".");
    }
    return new DistilledTimesteps(numTrainTimesteps, originalInferenceSteps);
  }

  /** So many of them, evenly from the last on. */
  double[] ofCount(int n) {
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
    return timesteps;
  }
}
