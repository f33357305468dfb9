package io.github.kolors4j.scheduler;

/** The tables of a schedule that runs along sigmas, and the checks that each of its steps needs. */
abstract class SigmaTables implements Schedule {
  private final String name;
  private final float[] timesteps;
  private final float[] sigmas;
  private final float initNoiseSigma;

  SigmaTables(String name, double[] timesteps, float[] sigmas, float initNoiseSigma) {
    this.name = name;
    this.timesteps = new float[timesteps.length];
    for (int i = 0; i < timesteps.length; i++) {
      this.timesteps[i] = (float) timesteps[i];
    }
    this.sigmas = sigmas;
    this.initNoiseSigma = initNoiseSigma;
  }

  @Override
  public final float[] timesteps() {
    return timesteps.clone();
  }

  @Override
  public final float[] sigmas() {
    return sigmas.clone();
  }

  @Override
  public final float initNoiseSigma() {
    return initNoiseSigma;
  }

  @Override
  public final int order() {
    return 1;
  }

  final int stepCount() {
    return timesteps.length;
  }

  final float sigma(int index) {
    return sigmas[index];
  }

  final int sigmaCount() {
    return sigmas.length;
  }

  final void checkStep(int stepIndex) {
    if (stepIndex < 0 || stepIndex >= timesteps.length) {
      throw new IllegalArgumentException(
          "[scheduler] "
              + name
              + " has no step "
              + stepIndex
              + ": its steps are 0 to "
              + (timesteps.length - 1)
              + ".");
    }
  }

  final void checkLength(String what, Slice slice, int length) {
    if (slice.length() != length) {
      throw new IllegalArgumentException(
          "[scheduler] "
              + what
              + " has "
              + slice.length()
              + " values: the sample has "
              + length
              + ", and they must agree.");
    }
  }
}
