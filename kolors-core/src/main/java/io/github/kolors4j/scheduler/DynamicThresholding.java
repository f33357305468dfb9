package io.github.kolors4j.scheduler;

import java.util.Arrays;

/**
 * Keeps predicted pictures within bounds that follow the picture: what passes a quantile of its
 * absolute values is cut off, and all is scaled down by it.
 *
 * @param ratio which quantile, 0 to 1
 * @param sampleMaxValue the quantile counts no more than this, and no less than 1
 * @see <a href="https://arxiv.org/abs/2205.11487">Saharia et al., 2022, section 2.3</a>
 */
record DynamicThresholding(double ratio, double sampleMaxValue) {
  static DynamicThresholding of(OptionValues options) {
    return new DynamicThresholding(
        options.get(SharedOptions.DYNAMIC_THRESHOLDING_RATIO),
        options.get(SharedOptions.SAMPLE_MAX_VALUE));
  }

  /** Changes one image's values. */
  void apply(float[] sample) {
    float bound = Math.min(Math.max(quantile(sample), 1), (float) sampleMaxValue);
    for (int i = 0; i < sample.length; i++) {
      sample[i] = Math.min(Math.max(sample[i], -bound), bound) / bound;
    }
  }

  /** The quantile of the absolute values, between two of them by {@code torch.lerp}. */
  private float quantile(float[] sample) {
    float[] sorted = new float[sample.length];
    for (int i = 0; i < sample.length; i++) {
      sorted[i] = Math.abs(sample[i]);
    }
    Arrays.sort(sorted);
    float rank = (float) ratio * (sample.length - 1);
    float below = sorted[(int) rank];
    float above = sorted[(int) Math.ceil(rank)];
    float weight = rank - (int) rank;
    return weight < 0.5f
        ? below + weight * (above - below)
        : above - (above - below) * (1 - weight);
  }
}
