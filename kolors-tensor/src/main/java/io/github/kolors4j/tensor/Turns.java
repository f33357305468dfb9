package io.github.kolors4j.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Who computes where several threads share a pool: as many at once as there are processors for, in
 * the order in which they came.
 */
final class Turns {
  /**
   * How long a cancellation can go unheard by a thread that waits; an interrupt is heard at once.
   * Each look takes a timer and some switches of threads from those who compute.
   */
  private static final long LOOK_EVERY_NANOS = 40_000_000;

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final Set<Thread> computing = new HashSet<>();
  private int free;

  Turns(int atOnce) {
    this.free = atOnce;
  }

  /** One that has come and not had its turn. */
  private static final class Waiting {
    private final Thread thread = Thread.currentThread();
    private volatile boolean called;
  }

  /**
   * Waits until it is the calling thread's turn.
   *
   * @param checkStopped throws where the thread need not wait any more; it may read the thread's
   *     interrupt
   */
  void take(Runnable checkStopped) {
    Waiting me = come();
    if (me == null) {
      return;
    }
    boolean interrupted = false;
    try {
      while (!me.called) {
        LockSupport.parkNanos(this, LOOK_EVERY_NANOS);
        checkStopped.run();
        interrupted |= Thread.interrupted(); // a set flag would keep park from waiting
      }
    } catch (Throwable e) {
      leave(me);
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private synchronized @Nullable Waiting come() {
    if (free > 0) {
      free--;
      computing.add(Thread.currentThread());
      return null;
    }
    Waiting me = new Waiting();
    waiting.add(me);
    return me;
  }

  private synchronized void leave(Waiting me) {
    if (!waiting.remove(me)) { // it was called at this very moment
      giveBack();
    }
  }

  /** Whether the calling thread has its turn. */
  synchronized boolean isMine() {
    return computing.contains(Thread.currentThread());
  }

  /** Ends the calling thread's turn, and begins that of the one who has waited longest. */
  synchronized void giveBack() {
    computing.remove(Thread.currentThread());
    Waiting next = waiting.poll();
    if (next == null) {
      free++;
    } else {
      computing.add(next.thread);
      next.called = true;
      LockSupport.unpark(next.thread);
    }
  }
}
