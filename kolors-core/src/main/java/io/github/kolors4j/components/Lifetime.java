package io.github.kolors4j.components;

import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * From the opening of a checkpoint to its closing, for all pipelines that were derived from one
 * another. Whoever computes with its weights is inside; they are unmapped when closing was asked
 * for and the last one has left, and by whoever that is: so nothing is unmapped under anyone's
 * feet, and nobody need wait.
 */
final class Lifetime {
  /** How long a close waits for those that it has cancelled: who computes needs half a second. */
  private static final long CANCELLED_NANOS = 5_000_000_000L;

  private static final String CLOSED =
      "[pipeline] is closed: its weights are unmapped. Open the checkpoint again.";

  private final Deque<Runnable> closers;

  /** Who is inside; a thread as often as it has entered. */
  private final List<Thread> users = new ArrayList<>();

  private volatile boolean closing;
  private volatile boolean cancelling;
  private boolean unmapped;

  Lifetime(Deque<Runnable> closers) {
    this.closers = closers;
  }

  /**
   * Goes inside.
   *
   * @throws IllegalStateException if somebody closes, also if others are still inside
   */
  synchronized void enter() {
    checkOpen();
    users.add(Thread.currentThread());
  }

  synchronized void leave() {
    users.remove(Thread.currentThread());
    unmapIfLeft();
  }

  void checkOpen() {
    if (closing) {
      throw new IllegalStateException(CLOSED);
    }
  }

  /** Whether those who are inside are to end early. */
  boolean isCancelling() {
    return cancelling;
  }

  /**
   * Lets nobody in any more, and waits for those who are inside. After the given time, or when the
   * waiting thread is interrupted, they are cancelled.
   *
   * @param patienceNanos how long they may go on
   * @return whether all have left and everything is unmapped; where not, the last one to leave
   *     unmaps it
   * @throws IllegalStateException if this thread is inside itself
   */
  synchronized boolean close(long patienceNanos) {
    if (users.contains(Thread.currentThread())) {
      throw new IllegalStateException(
          "[pipeline] close was called from a callback of a request that is running: cancel the"
              + " request there, and close when generate has returned.");
    }
    closing = true;
    unmapIfLeft();
    boolean interrupted = waitUnmapped(patienceNanos, false);
    if (!unmapped) {
      cancelling = true;
      interrupted |= waitUnmapped(CANCELLED_NANOS, true);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return unmapped;
  }

  /** Waits, and says whether that was interrupted; it then goes on only where it is to. */
  private boolean waitUnmapped(long nanos, boolean goOn) {
    long begin = System.nanoTime();
    boolean interrupted = false;
    for (long left = nanos; !unmapped && left > 0; left = nanos - (System.nanoTime() - begin)) {
      try {
        wait(left / 1_000_000, (int) (left % 1_000_000));
      } catch (InterruptedException _) {
        interrupted = true;
        if (!goOn) {
          break;
        }
      }
    }
    return interrupted;
  }

  private void unmapIfLeft() {
    if (closing && users.isEmpty() && !unmapped) {
      while (!closers.isEmpty()) {
        closers.pop().run();
      }
      unmapped = true;
      notifyAll();
    }
  }
}
