package io.github.kolors4j.scheduler;

/**
 * What a multistep solver remembers: one array for each of the latest steps, no more than needed.
 */
final class History {
  private final float[][] latest;
  private int count;

  History(int capacity) {
    this.latest = new float[capacity][];
  }

  /** Moves all back by one and returns the place of the new one, of any content. */
  float[] push(int length) {
    float[] oldest = latest[latest.length - 1];
    System.arraycopy(latest, 0, latest, 1, latest.length - 1);
    latest[0] = oldest != null && oldest.length == length ? oldest : new float[length];
    count = Math.min(count + 1, latest.length);
    return latest[0];
  }

  /** The one of so many steps ago; 0 is the newest. */
  float[] get(int age) {
    return latest[age];
  }

  int count() {
    return count;
  }
}
