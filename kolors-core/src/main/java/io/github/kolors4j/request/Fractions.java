package io.github.kolors4j.request;

import java.util.OptionalDouble;

/** Numbers that are shares of something. */
final class Fractions {
  private Fractions() {}

  /** A place on the way from noise to picture, strictly inside of it. */
  static void check(String name, OptionalDouble share) {
    if (share.isPresent() && !(share.getAsDouble() > 0 && share.getAsDouble() < 1)) {
      throw new IllegalArgumentException(
          "[request] %s is %s: a share of the steps, between 0 and 1; leave it out for all of them."
              .formatted(name, share.getAsDouble()));
    }
  }

  /** A share that may be nothing or all. */
  static void checkShare(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException("[request] %s is %s: use 0 to 1.".formatted(name, value));
    }
  }
}
