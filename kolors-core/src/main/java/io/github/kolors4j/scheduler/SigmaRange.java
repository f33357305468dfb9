package io.github.kolors4j.scheduler;

import java.util.OptionalDouble;

/**
 * The ends between which sigmas are spaced.
 *
 * @param max the greatest
 * @param min the least
 */
record SigmaRange(double max, double min) {
  /**
   * The ends that a configuration sets, or else the given ones. The keys count also with schedulers
   * that do not define them, where another one has left them.
   */
  static SigmaRange of(SchedulerConfig config, double max, double min) {
    return new SigmaRange(
        positive("sigma_max", config.optionalNumber("sigma_max"), max),
        positive("sigma_min", config.optionalNumber("sigma_min"), min));
  }

  private static double positive(String key, OptionalDouble set, double otherwise) {
    double sigma = set.orElse(otherwise);
    if (set.isPresent() && !(sigma > 0 && sigma < Double.POSITIVE_INFINITY)) {
      throw new OptionException(key, sigma, "use a finite number above 0.");
    }
    return sigma;
  }
}
