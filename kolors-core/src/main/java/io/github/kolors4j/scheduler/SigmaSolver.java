package io.github.kolors4j.scheduler;

/** The run of one image whose samples are the picture with noise added. */
abstract class SigmaSolver extends Solver {
  SigmaSolver(Tables tables, NoiseSource noise) {
    super(tables, noise);
  }

  @Override
  float inputDivisor(int stepIndex) {
    return divisorOf(tables.sigma(stepIndex));
  }

  static float divisorOf(float sigma) {
    return (float) Math.sqrt(sigma * sigma + 1);
  }
}
