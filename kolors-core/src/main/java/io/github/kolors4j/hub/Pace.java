package io.github.kolors4j.hub;

import java.time.Duration;

/**
 * How the connections of a transfer spend their time. While they mostly wait for bytes, another one
 * brings more; where they are busy with what has come, as on a line that is faster than the
 * processors, it only takes their time and mixes up the order in which a hash needs its bytes.
 *
 * <p>Times are those of {@link System#nanoTime}.
 */
final class Pace {
  /** Less says nothing: the first answer of a cold process takes a tenth of a second. */
  private static final long EVIDENCE_NANOS = Duration.ofMillis(500).toNanos();

  /** Of what was longer ago, less and less counts. */
  private static final long MEMORY_NANOS = Duration.ofSeconds(20).toNanos();

  /** A connection that is busy for a quarter of its time brings as much as four that are not. */
  private static final int BUSY_SHARE = 4;

  private int connections;
  private long since; // of no meaning before the first connection

  /** Of all connections together. */
  private long connectedNanos;

  private long busyNanos;

  synchronized void opened(long now) {
    pass(now);
    connections++;
  }

  synchronized void closed(long now) {
    pass(now);
    connections--;
  }

  /** A connection had bytes to write and to hash for so long. */
  synchronized void busy(long nanos) {
    busyNanos += nanos;
  }

  synchronized int connections() {
    return connections;
  }

  /** Whether another connection brings more. */
  synchronized boolean hasRoom(long now) {
    pass(now);
    return connectedNanos > EVIDENCE_NANOS && busyNanos * BUSY_SHARE < connectedNanos;
  }

  private void pass(long now) {
    connectedNanos += connections * (now - since);
    since = now;
    if (connectedNanos > MEMORY_NANOS) {
      connectedNanos /= 2;
      busyNanos /= 2;
    }
  }
}
