package io.github.kolors4j.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Bytes a second, over the last ones. */
final class Rate {
  private static final long WINDOW_NANOS = Duration.ofSeconds(10).toNanos();

  private record Point(long nanos, long bytes) {}

  private final Deque<Point> points = new ArrayDeque<>();
  private double bytesPerSecond;

  double of(long bytes) {
    return of(bytes, System.nanoTime());
  }

  double of(long bytes, long nanos) {
    points.addLast(new Point(nanos, bytes));
    while (points.size() > 2 && nanos - points.getFirst().nanos() > WINDOW_NANOS) {
      points.removeFirst();
    }
    Point first = points.getFirst();
    bytesPerSecond =
        nanos == first.nanos() ? 0 : (bytes - first.bytes()) / ((nanos - first.nanos()) / 1e9);
    return bytesPerSecond;
  }

  Optional<Duration> timeLeft(long bytes) {
    return bytesPerSecond <= 0
        ? Optional.empty()
        : Optional.of(Duration.ofMillis((long) (bytes / bytesPerSecond * 1000)));
  }
}
