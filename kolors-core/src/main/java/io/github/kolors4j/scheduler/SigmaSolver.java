package io.github.kolors4j.scheduler;

/** The run of one image whose samples are the picture with noise added. */
abstract class SigmaSolver extends Solver {
  SigmaSolver(Tables tables, NoiseSource noise) {
    super(tables, noise);
  }

  @Override
  float inputDivisor(int stepIndex) {
    return divisorOf(sigmaOf(stepIndex));
  }

  /** The noise in the sample that the model is about to see. */
  float sigmaOf(int stepIndex) {
    return tables.sigma(stepIndex);
  }

  @Override
  void denoise(int stepIndex, Slice modelOutput, Slice sample, Slice original) {
    float sigma = sigmaOf(stepIndex);
    for (int i = 0; i < sample.length(); i++) {
      original.set(
          i,
          tables.predictionType().originalSample(sample.get(i), modelOutput.get(i), sigma, sigma));
    }
  }

  static float divisorOf(float sigma) {
    return (float) Math.sqrt(sigma * sigma + 1);
  }
}
