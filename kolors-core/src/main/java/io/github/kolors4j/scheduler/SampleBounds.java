package io.github.kolors4j.scheduler;

/** How far predicted pictures may go: not at all bounded, by a fixed number, or by themselves. */
@FunctionalInterface
interface SampleBounds {
  /** Changes one image's values. */
  void apply(float[] sample);

  /** By {@code thresholding}, else {@code clip_sample}, with their companions. */
  static SampleBounds of(OptionValues options) {
    return options.get(SharedOptions.THRESHOLDING)
        ? DynamicThresholding.of(options)::apply
        : clip(options);
  }

  /** By {@code clip_sample} alone. */
  static SampleBounds clip(OptionValues options) {
    if (!options.get(SharedOptions.CLIP_SAMPLE)) {
      return _ -> {};
    }
    float range = options.get(SharedOptions.CLIP_SAMPLE_RANGE).floatValue();
    return sample -> {
      for (int i = 0; i < sample.length; i++) {
        sample[i] = Math.clamp(sample[i], -range, range);
      }
    };
  }
}
