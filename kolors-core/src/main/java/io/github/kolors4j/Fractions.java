package io.github.kolors4j;

import java.util.OptionalDouble;

/** Places on the way from noise to picture, as shares of it. */
final class Fractions {
  private Fractions() {}

  static void check(String name, OptionalDouble share) {
    if (share.isPresent() && !(share.getAsDouble() > 0 && share.getAsDouble() < 1)) {
      throw new IllegalArgumentException(
          "[request] %s is %s: a share of the steps, between 0 and 1; leave it out for all of them."
              .formatted(name, share.getAsDouble()));
    }
  }
}
