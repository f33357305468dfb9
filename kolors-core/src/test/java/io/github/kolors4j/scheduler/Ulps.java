package io.github.kolors4j.scheduler;

/** Distances between floats, counted in floats. */
final class Ulps {
  private Ulps() {}

  static long between(float a, float b) {
    if (Float.isNaN(a) || Float.isNaN(b)) {
      return Long.MAX_VALUE;
    }
    return Math.abs(place(a) - place(b));
  }

  private static long place(float x) {
    int bits = Float.floatToIntBits(x);
    return bits >= 0 ? bits : (long) Integer.MIN_VALUE - bits;
  }
}
