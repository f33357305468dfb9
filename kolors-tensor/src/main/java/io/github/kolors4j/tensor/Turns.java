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
 * Who computes where several threads share a pool, in the order in which they came.
 *
 * <p>A long step has the threads of the pool for itself. Short ones are computed side by side, on a
 * processor each where many wait: an operation of some microseconds leaves processors idle, while
 * one thread computes what cannot be shared, while it waits for the last task, and while the next
 * thread wakes and calls for help again. A thread that shares nothing waits for nobody. What a step
 * takes is known by the one before it.
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
   * Up to which age a turn is kept, times how many have theirs at once, as they are slower then:
   * about what the smallest picture takes. A step that is longer is a turn by itself.
   */
  static final long KEEP_NANOS = 20_000_000;

  /**
   * How much of one processor's time a short step takes at most. What it works in has some
   * megabytes then, of which there may be as many as processors.
   */
  static final long SHORT_NANOS = 50_000_000;

  /** When a thread that has its turn gives away what another one keeps and does not use. */
  static final long MISSED_NANOS = 1_000_000;

  private final int processors;
  private final int threads;
  private final LongSupplier clock;
  private final Deque<Turn> waiting = new ArrayDeque<>();
  private final List<Turn> held;

  /** Processors of the turns that are held. */
  private int used;

  /** Of the last request that had its first turn: what is expected of one that had none. */
  private long firstWork = Long.MAX_VALUE;

  /**
   * Nobody has a turn.
   *
   * @param processors of the machine
   * @param threads of the pool
   */
  Turns(int processors, int threads) {
    this(processors, threads, System::nanoTime);
  }

  /** By a clock in nanoseconds. */
  Turns(int processors, int threads, LongSupplier clock) {
    this.processors = processors;
    this.threads = threads;
    this.clock = clock;
    this.held = new ArrayList<>(processors); // that fit: no end of a turn may need memory
  }

  /** What is known of the steps of a request. */
  static final class Pace {
    /** Processor time of the last step, in nanoseconds; negative where there was none. */
    private long work = -1;
  }

  /** A thread's turn, which may still have to come. */
  private static final class Turn {
    private final Thread thread = Thread.currentThread();
    private final BooleanSupplier stopped;
    private final Pace pace;

    /** Whether it has the pool's threads for itself. */
    private final boolean alone;

    /** How many processors it has at least. */
    private final int width;

    private volatile boolean called;
    private long begin;
    private long stepBegin;

    /** Whether its thread has given it back, and when. */
    private boolean kept;

    private long keptSince;

    Turn(BooleanSupplier stopped, Pace pace, boolean alone, int width) {
      this.stopped = stopped;
      this.pace = pace;
      this.alone = alone;
      this.width = width;
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

  /** As the first turn of a request. */
  boolean take(BooleanSupplier stopped) {
    return take(stopped, new Pace());
  }

  /**
   * Waits until it is the calling thread's turn.
   *
   * @param stopped whether it need not wait any more; other threads that wait ask too, and it may
   *     read the calling thread's interrupt
   * @param pace of its request; changed when the turn is given back
   * @return whether it has its turn; else it was stopped
   */
  boolean take(BooleanSupplier stopped, Pace pace) {
    Turn me = come(stopped, pace);
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
  private synchronized @Nullable Turn come(BooleanSupplier stopped, Pace pace) {
    Turn mine = mine();
    if (mine != null) {
      mine.kept = false;
      mine.stepBegin = clock.getAsLong();
      return null;
    }
    passOn(MISSED_NANOS);
    boolean alone = (pace.work < 0 ? firstWork : pace.work) > SHORT_NANOS;
    Turn me = new Turn(stopped, pace, alone, alone ? Math.min(threads, processors) : 1);
    if (waiting.isEmpty() && fits(me)) {
      begin(me);
      return null;
    }
    waiting.add(me);
    return me;
  }

  private boolean fits(Turn turn) {
    return used + turn.width <= processors;
  }

  private synchronized void leave(Turn me) {
    if (waiting.remove(me)) {
      callNext(); // who is shorter may have waited behind it
    } else { // it was called at this very moment
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
   * How many threads of the pool may help the calling one: all where it has the pool for itself or
   * has not asked for a turn, else its share of the processors that no turn has.
   */
  synchronized int helpers() {
    Turn mine = mine();
    return mine == null ? threads - 1 : helpers(mine);
  }

  private int helpers(Turn turn) {
    if (turn.alone || held.size() == 1) {
      return threads - 1;
    }
    int sharing = 0;
    for (int i = 0; i < held.size(); i++) {
      sharing += held.get(i).alone ? 0 : 1;
    }
    return Math.min(threads - 1, (processors - used) / sharing);
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
    long work = (now - mine.stepBegin) * (1 + helpers(mine));
    if (mine.pace.work < 0) {
      firstWork = work;
    }
    mine.pace.work = work;
    mine.kept = !waiting.isEmpty() && now - mine.begin < KEEP_NANOS * held.size();
    mine.keptSince = now;
    if (!mine.kept) {
      end(mine);
    }
    passOn(MISSED_NANOS);
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
   * Ends the turns that are kept and whose threads have not come back. Threads that have their turn
   * or wait for it do it, so that no turn is kept for ever.
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

  /** Ends the turns that are kept, if no other is held: for who sees that the pool is idle. */
  synchronized void passOnIfAllAreKept() {
    for (int i = 0; i < held.size(); i++) {
      if (!held.get(i).kept) {
        return;
      }
    }
    passOn(0);
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
    turn.stepBegin = turn.begin;
    used += turn.width;
    held.add(turn);
  }

  private void end(Turn turn) {
    held.remove(turn);
    used -= turn.width;
    callNext();
  }

  private void callNext() {
    for (Turn next = waiting.peek(); next != null && fits(next); next = waiting.peek()) {
      waiting.remove();
      begin(next);
      next.called = true;
      LockSupport.unpark(next.thread);
    }
  }
}
