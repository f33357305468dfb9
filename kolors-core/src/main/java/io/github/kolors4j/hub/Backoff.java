package io.github.kolors4j.hub;

import java.time.Duration;

/**
 * How long to wait before the next attempt, and how often.
 *
 * @param first pause, which doubles each time
 * @param longest pause
 * @param longestTold the longest pause that a server may ask for
 * @param attempts without any progress before it is given up
 */
record Backoff(Duration first, Duration longest, Duration longestTold, int attempts) {
  /** As Python's client waits. */
  static final Backoff STANDARD =
      new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(8), Duration.ofMinutes(10), 6);

  /** After so many failures in a row, at least 1. */
  Duration pause(int failures) {
    Duration pause = first;
    for (int i = 1; i < failures && pause.compareTo(longest) < 0; i++) {
      pause = pause.multipliedBy(2);
    }
    return pause.compareTo(longest) < 0 ? pause : longest;
  }
}
