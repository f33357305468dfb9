package io.github.kolors4j.scheduler;

/**
 * A step from one sigma to another, split: down further than asked for, and up again by new noise.
 *
 * @param up the standard deviation of the new noise
 * @param down where the noise is taken away to
 */
record Ancestral(float up, float down) {
  static Ancestral of(float from, float to) {
    float up = (float) Math.sqrt(to * to * (from * from - to * to) / (from * from));
    return new Ancestral(up, (float) Math.sqrt(to * to - up * up));
  }
}
