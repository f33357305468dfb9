package io.github.kolors4j.scheduler;

/** What the model's output means. */
enum PredictionType {
  /** The noise in the sample. */
  EPSILON,
  /** The sample without noise. */
  SAMPLE,
  /** The velocity of Salimans and Ho. */
  V_PREDICTION;

  /**
   * The sample without noise, of {@code x = alpha · sample + sigma · noise} with {@code alpha² +
   * sigma² = 1}.
   */
  float originalSample(float x, float output, Level level) {
    return switch (this) {
      case EPSILON -> (x - level.sigma() * output) / level.alpha();
      case SAMPLE -> output;
      case V_PREDICTION -> level.alpha() * x - level.sigma() * output;
    };
  }

  /** The noise in the same. */
  float noise(float x, float output, Level level) {
    return switch (this) {
      case EPSILON -> output;
      case SAMPLE -> (x - level.alpha() * output) / level.sigma();
      case V_PREDICTION -> level.alpha() * output + level.sigma() * x;
    };
  }

  /**
   * The sample without noise, of {@code x = sample + sigma · noise}.
   *
   * @param sigmaHat the noise that {@code x} holds, where it was given more than sigma
   */
  float originalSample(float x, float output, float sigma, float sigmaHat) {
    return switch (this) {
      case EPSILON -> x - sigmaHat * output;
      case SAMPLE -> output;
      case V_PREDICTION -> {
        float variance = sigma * sigma + 1;
        yield output * (-sigma / (float) Math.sqrt(variance)) + x / variance;
      }
    };
  }
}
