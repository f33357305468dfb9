package io.github.kolors4j.run;

import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.RunControl;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether anybody wants a request to end: its token, its thread's interrupt, its time limit, or who
 * closes its pipeline. All threads that compute for it ask, before each of their tasks.
 */
final class Cancellation {
  private final Thread thread = Thread.currentThread();
  private final long begin = System.nanoTime();
  private final @Nullable CancellationToken token;
  private final @Nullable Duration timeLimit;
  private final BooleanSupplier closing;

  /** Who wanted it first: an interrupt may be cleared while the threads are on their way out. */
  private volatile @Nullable String reason;

  /**
   * For a request that begins now, on this thread.
   *
   * @param control its token and its time limit
   * @param closing whether its pipeline is being closed, and does not want to wait for it
   */
  Cancellation(RunControl control, BooleanSupplier closing) {
    this.token = control.cancellation().orElse(null);
    this.timeLimit = control.timeLimit().orElse(null);
    this.closing = closing;
  }

  /** Whether the request is to end; if once, then always. */
  boolean isWanted() {
    return reason() != null;
  }

  /** Who wants it to end, to follow "cancelled" in a sentence; null where nobody does. */
  @Nullable String reason() {
    String known = reason;
    if (known == null) {
      known = look();
      if (known != null) {
        reason = known;
      }
    }
    return known;
  }

  private @Nullable String look() {
    if (thread.isInterrupted()) {
      return "because its thread was interrupted";
    }
    if (token != null && token.isCancelled()) {
      return "by its caller";
    }
    if (closing.getAsBoolean()) {
      return "because its pipeline is being closed";
    }
    if (timeLimit != null && isOver(timeLimit)) {
      return "because its time limit of %s s is over".formatted(timeLimit.toMillis() / 1e3);
    }
    return null;
  }

  private boolean isOver(Duration limit) {
    return limit.minusNanos(System.nanoTime() - begin).isNegative();
  }
}
