package io.github.kolors4j.scheduler;

import org.jspecify.annotations.Nullable;

/**
 * Makes a picture of the model's output, or noise, as a solver needs it that keeps the variance.
 *
 * @param predictionType what the output is
 * @param target what is wanted
 * @param thresholding bounds for pictures; null for none
 */
record ModelConversion(
    PredictionType predictionType, Target target, @Nullable DynamicThresholding thresholding) {
  /** What a solver integrates. */
  enum Target {
    ORIGINAL_SAMPLE,
    NOISE,
    /** The noise that a picture leaves, so that the picture can be bounded first. */
    NOISE_BY_ORIGINAL_SAMPLE
  }

  static ModelConversion of(OptionValues options, PredictionType predictionType, Target target) {
    DynamicThresholding thresholding =
        options.get(SharedOptions.THRESHOLDING) ? DynamicThresholding.of(options) : null;
    boolean bounded = thresholding != null && target == Target.NOISE;
    return new ModelConversion(
        predictionType, bounded ? Target.NOISE_BY_ORIGINAL_SAMPLE : target, thresholding);
  }

  void convert(Level level, Slice modelOutput, Slice sample, float[] converted) {
    for (int i = 0; i < converted.length; i++) {
      float x = sample.get(i);
      float output = modelOutput.get(i);
      converted[i] =
          target == Target.NOISE
              ? predictionType.noise(x, output, level)
              : predictionType.originalSample(x, output, level);
    }
    if (thresholding != null) {
      thresholding.apply(converted);
    }
    if (target == Target.NOISE_BY_ORIGINAL_SAMPLE) {
      for (int i = 0; i < converted.length; i++) {
        converted[i] = PredictionType.SAMPLE.noise(sample.get(i), converted[i], level);
      }
    }
  }
}
