package io.github.kolors4j.tensor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who computes where several threads share a pool: as many at once as there are processors for, in
 * the order in which they came.
 *
 * <p>Whoever gives a young turn back while others wait keeps it for the moment. The next step of a
 * small picture comes some microseconds later and finds its memory in the caches; a change of
 * threads for each step of a millisecond cost a tenth of all. A kept turn goes on where its thread
 * comes back, and goes to the next thread when somebody sees that it does not: see {@link #passOn}.
 *
 * <p>Of those who wait, the last looks for all whether they still have to: if each did, 32 of them
 * would take the processor from who computes a dozen times a picture. Nobody comes before his turn,
 * so the last is there as long as anybody waits.
 */
final class Turns {
  /**
   * How long a cancellation can go unheard by a thread that waits; an interrupt is heard at once.
   * Each look takes a timer and some switches of threads from who computes.
   */
  static final long LOOK_EVERY_NANOS = 40_000_000;

  /**
   * Up to which age a turn is kept: about what the smallest picture takes. A step that is longer is
   * a turn by itself.
   */
  static final long KEEP_NANOS = 20_000_000;

  private final LongSupplier clock;
  private final Deque<Turn> waiting = new ArrayDeque<>();
  private final List<Turn> held;
  private final int atOnce;

  Turns(int atOnce) {
    this(atOnce, System::nanoTime);
  }

  /** By a clock in nanoseconds. */
  Turns(int atOnce, LongSupplier clock) {
    this.atOnce = atOnce;
    this.clock = clock;
    this.held = new ArrayList<>(atOnce); // that fit: no end of a turn may need memory
  }

  /** A thread's turn, which may still have to come. */
  private static final class Turn {
    private final Thread thread = Thread.currentThread();
    private final BooleanSupplier stopped;
    private volatile boolean called;
    private long begin;

    /** Whether its thread has given it back, and when. */
    private boolean kept;

    private long keptSince;

    Turn(BooleanSupplier stopped) {
      this.stopped = stopped;
    }

    /**
     * Whether its thread need not wait; also where asking fails, as the thread then asks itself.
     */
    boolean isStopped() {
      try {
        return stopped.getAsBoolean();
      } catch (RuntimeException _) {
        return true;
      }
    }
  }

  /**
   * Waits until it is the calling thread's turn.
   *
   * @param stopped whether it need not wait any more; other threads that wait ask too, and it may
   *     read the calling thread's interrupt
   * @return whether it has its turn; else it was stopped
   */
  boolean take(BooleanSupplier stopped) {
    Turn me = come(stopped);
    if (me == null) {
      return true;
    }
    boolean interrupted = false;
    try {
      while (!me.called) {
        if (isLast(me)) {
          LockSupport.parkNanos(this, LOOK_EVERY_NANOS);
          passOn(LOOK_EVERY_NANOS);
          wakeStopped(me);
        } else {
          LockSupport.park(this);
        }
        if (stopped.getAsBoolean()) {
          leave(me);
          return false;
        }
        interrupted |= Thread.interrupted(); // a set flag would keep park from waiting
      }
      return true;
    } catch (Throwable e) {
      leave(me);
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private synchronized boolean isLast(Turn me) {
    return waiting.peekLast() == me;
  }

  /** Those who wait and need not any more leave by themselves, when they are awake. */
  private void wakeStopped(Turn me) {
    for (Turn turn : waiting()) { // without the lock, as what it asks is not ours
      if (turn != me && turn.isStopped()) {
        LockSupport.unpark(turn.thread);
      }
    }
  }

  private synchronized List<Turn> waiting() {
    return List.copyOf(waiting);
  }

  /** Begins or continues the calling thread's turn, or puts it where it must wait. */
  private synchronized @Nullable Turn come(BooleanSupplier stopped) {
    Turn mine = mine();
    if (mine != null) {
      mine.kept = false;
      return null;
    }
    Turn me = new Turn(stopped);
    if (held.size() < atOnce) {
      begin(me);
      return null;
    }
    waiting.add(me);
    return me;
  }

  private synchronized void leave(Turn me) {
    if (!waiting.remove(me)) { // it was called at this very moment
      end(me);
    }
    Turn last = waiting.peekLast();
    if (last != null) {
      LockSupport.unpark(last.thread); // it looks for all from now on
    }
  }

  /** Whether the calling thread has its turn, and has not given it back. */
  synchronized boolean isMine() {
    Turn mine = mine();
    return mine != null && !mine.kept;
  }

  /**
   * Ends the calling thread's turn and begins that of the one who has waited longest, or keeps it.
   *
   * @return whether it is kept
   */
  synchronized boolean giveBack() {
    Turn mine = mine();
    if (mine == null) {
      return false;
    }
    long now = clock.getAsLong();
    mine.kept = !waiting.isEmpty() && now - mine.begin < KEEP_NANOS;
    mine.keptSince = now;
    if (!mine.kept) {
      end(mine);
    }
    return mine.kept;
  }

  /** Ends the calling thread's turn if it is kept. */
  synchronized void passTurnOn() {
    Turn mine = mine();
    if (mine != null && mine.kept) {
      end(mine);
    }
  }

  /**
   * Ends the turns that are kept and whose threads have not come back. It is called with 0 by who
   * has seen that nobody computes. Threads that wait do it too, so that no turn is kept for ever.
   *
   * @param nanos kept for at least so long
   */
  synchronized void passOn(long nanos) {
    long now = clock.getAsLong();
    for (int i = held.size() - 1; i >= 0; i--) { // who is called comes behind
      Turn turn = held.get(i);
      if (turn.kept && now - turn.keptSince >= nanos) {
        end(turn);
      }
    }
  }

  private @Nullable Turn mine() {
    for (int i = 0; i < held.size(); i++) {
      if (held.get(i).thread == Thread.currentThread()) {
        return held.get(i);
      }
    }
    return null;
  }

  private void begin(Turn turn) {
    turn.begin = clock.getAsLong();
    held.add(turn);
  }

  private void end(Turn turn) {
    held.remove(turn);
    Turn next = waiting.poll();
    if (next != null) {
      begin(next);
      next.called = true;
      LockSupport.unpark(next.thread);
    }
  }
}
