package io.github.kolors4j.scheduler;

/** The noise level after the last step. */
enum FinalSigmasType {
  /** None. */
  ZERO,
  /** The least of the training timesteps. */
  SIGMA_MIN;

  /** The sigmas in F32 with the final one appended. */
  float[] append(double[] sigmas, double sigmaMin) {
    return append(this == ZERO ? 0 : sigmaMin, sigmas);
  }

  static float[] append(double last, double[] sigmas) {
    float[] all = new float[sigmas.length + 1];
    for (int i = 0; i < sigmas.length; i++) {
      all[i] = (float) sigmas[i];
    }
    all[sigmas.length] = (float) last;
    return all;
  }
}
