package io.github.kolors4j.scheduler;

/** How far predicted pictures may go: not at all bounded, by a fixed number, or by themselves. */
@FunctionalInterface
interface SampleBounds {
  /** Changes one image's values. */
  void apply(float[] sample);

  /** By {@code thresholding}, else {@code clip_sample}, with their companions. */
  static SampleBounds of(SchedulerConfig config) {
    return config.flag("thresholding") ? DynamicThresholding.of(config)::apply : clip(config);
  }

  /** By {@code clip_sample} alone. */
  static SampleBounds clip(SchedulerConfig config) {
    if (!config.flag("clip_sample")) {
      return _ -> {};
    }
    float range = (float) config.number("clip_sample_range");
    if (!(range >= 0)) {
      throw new OptionException(
          "clip_sample_range", config.get("clip_sample_range"), "use 0 or more.");
    }
    return sample -> {
      for (int i = 0; i < sample.length; i++) {
        sample[i] = Math.clamp(sample[i], -range, range);
      }
    };
  }
}
