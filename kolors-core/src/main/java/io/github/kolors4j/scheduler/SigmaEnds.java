package io.github.kolors4j.scheduler;

import java.util.Optional;

/**
 * What options say of the ends between which a law spaces sigmas. They count also with schedulers
 * that do not define them, where another one has left them.
 *
 * @param max the greatest sigma
 * @param min the least
 */
record SigmaEnds(Optional<Double> max, Optional<Double> min) {
  /** Nothing. */
  static final SigmaEnds FREE = new SigmaEnds(Optional.empty(), Optional.empty());

  static SigmaEnds of(OptionValues options) {
    return new SigmaEnds(
        options.get(SharedOptions.SIGMA_MAX), options.get(SharedOptions.SIGMA_MIN));
  }

  /** The ends that are set, else the given ones. */
  SigmaRange or(double max, double min) {
    return new SigmaRange(this.max.orElse(max), this.min.orElse(min));
  }
}
