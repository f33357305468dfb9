package io.github.kolors4j.tensor;

import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of threads that share the tasks of one operation at a time. The calling thread works
 * too, so a pool of one has no thread of its own. Several threads may call at once, virtual ones as
 * well; the workers help whom they find.
 *
 * <p>Tasks are picked up dynamically, so what a task computes must not depend on the thread that
 * runs it.
 */
public final class ThreadPool implements AutoCloseable {
  /** The most threads of a pool: far more than processors have, and far fewer than memory holds. */
  public static final int MOST_THREADS = 1_024;

  /** One task of an operation. */
  @FunctionalInterface
  public interface Task {
    /**
     * Computes one part of the operation.
     *
     * @param index which part, 0 to count − 1
     * @param scratch buffers of the thread that runs it
     */
    void run(int index, Scratch scratch);
  }

  /**
   * How often an idle worker looks for work before it sleeps: about 50 µs, longer than the pause
   * between two operations of a small model and shorter than a time slice.
   */
  private static final int SPINS = 2_000;

  private final Crew crew;
  private final @Nullable BooleanSupplier stop;
  private final int faultsBefore;

  /** Of the request whose view this is. */
  private final Turns.Pace pace = new Turns.Pace();

  /**
   * A pool.
   *
   * @param threads how many threads work on an operation, the caller's included; 1 to {@link
   *     #MOST_THREADS}
   * @throws IllegalArgumentException if {@code threads} is less or more
   * @throws OutOfMemoryError if the system does not give so many, with a sentence; none is left
   *     then
   */
  public ThreadPool(int threads) {
    checkThreads(threads);
    this.crew = new Crew(Runtime.getRuntime().availableProcessors(), threads);
    this.stop = null;
    this.faultsBefore = Crew.UNWATCHED;
    crew.start(threads - 1);
  }

  private ThreadPool(Crew crew, BooleanSupplier stop) {
    this.crew = crew;
    this.stop = stop;
    this.faultsBefore = crew.lateFaults.get();
  }

  /**
   * The same threads, for operations that can be ended from outside: they end with an {@link
   * OperationStoppedException} soon after the condition holds. It is looked at before each task, by
   * whichever thread takes that.
   *
   * @param condition whether nobody wants the result any more; once true it must stay so, it is
   *     asked by several threads at once, and it may read the calling thread's interrupt
   * @return a view; closing either closes both
   */
  public ThreadPool stoppedBy(BooleanSupplier condition) {
    BooleanSupplier before = stop;
    return new ThreadPool(
        crew, before == null ? condition : () -> before.getAsBoolean() || condition.getAsBoolean());
  }

  /**
   * Refuses a number of threads that no pool can have.
   *
   * @param threads how many
   * @return the same
   * @throws IllegalArgumentException if {@code threads} is less than 1 or more than {@link
   *     #MOST_THREADS}
   */
  public static int checkThreads(int threads) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "[threads] %d threads: use 1 to %d.", threads, MOST_THREADS));
    }
    return threads;
  }

  /**
   * The number of threads that work on an operation.
   *
   * @return at least 1
   */
  public int threads() {
    return crew.workers.size() + 1;
  }

  /**
   * Runs all tasks and returns when the last has ended.
   *
   * @param count how many
   * @param task what to do for each
   * @throws RuntimeException or {@code Error}, the first that a task threw; none runs any more then
   * @throws OperationStoppedException if the condition of {@link #stoppedBy} held before a task
   * @throws IllegalStateException if the pool is closed
   */
  public void run(int count, Task task) {
    if (crew.closed) {
      throw new IllegalStateException("[threads] the pool is closed.");
    }
    Scratch scratch = crew.borrowScratch();
    try {
      int helpers = Math.min(count - 1, crew.turns.helpers());
      if (helpers <= 0) {
        for (int i = 0; i < count; i++) {
          checkStopped();
          task.run(i, scratch);
        }
        return;
      }
      Job job = new Job(count, helpers, task, this, Thread.currentThread());
      crew.jobs.add(job);
      try {
        crew.call(helpers);
        job.work(scratch);
      } finally {
        crew.jobs.remove(job);
        job.await();
      }
      job.throwFailure();
    } finally {
      crew.giveBack(scratch);
    }
  }

  /**
   * Ends an operation that nobody wants any more. For tasks that take longer than some tenths of a
   * second, from within; before each task it is done for them.
   *
   * @throws OperationStoppedException if the condition of {@link #stoppedBy} holds
   * @throws InternalError if memory that a task has read since {@link #stoppedBy} was not there,
   *     and the JVM has noticed it after the task had ended: a mapped file was cut short
   */
  public void checkStopped() {
    if (isStopped()) {
      throw new OperationStoppedException();
    }
    if (faultsBefore != Crew.UNWATCHED && crew.lateFaults.get() != faultsBefore) {
      throw new InternalError("[threads] a task has read memory that was not there.");
    }
  }

  private boolean isStopped() {
    return stop != null && stop.getAsBoolean();
  }

  /** A stretch of operations that one thread has the pool for. */
  public interface Turn extends AutoCloseable {
    /** Lets the next thread have its turn. */
    @Override
    void close();
  }

  /**
   * Waits for the calling thread's turn to compute. Where several threads call operations at once,
   * each gets slower by more than its share: they take each other's workers and caches. Those that
   * take turns lose nothing, and come in the order in which they asked. As many have their turn at
   * once as the machine has processors for pools of this size; but steps of less than 50 ms of one
   * processor are computed side by side, one a processor, and their operations share the threads
   * that are left. How long a step takes is known by the last one of the same view ({@link
   * #stoppedBy}), and for its first by the first of the last view. A turn of less than 20 ms goes
   * on when its thread comes back at once: so a small picture is made in one. Operations do not ask
   * for a turn by themselves; who has one must not wait for another thread that wants one. A turn
   * within one's own is part of it.
   *
   * @return to be closed by the same thread, after a step and not after a request, so that others
   *     come to it
   * @throws OperationStoppedException if the condition of {@link #stoppedBy} held while it waited
   */
  public Turn turn() {
    if (crew.turns.isMine()) {
      return () -> {};
    }
    if (!crew.turns.take(this::isStopped, pace)) {
      throw new OperationStoppedException();
    }
    return crew.turn;
  }

  /**
   * Lets the next thread have its turn at once, where the calling thread has closed its own and
   * would still keep it for the moment. For who knows that he will not come back.
   */
  public void passTurnOn() {
    crew.turns.passTurnOn();
  }

  /** What a workspace works in, to be given back by {@link #giveBack}. */
  WorkMemory borrowMemory() {
    return crew.borrowMemory();
  }

  /** Takes back what {@link #borrowMemory} has lent; no tensor uses it any more. */
  void giveBack(WorkMemory memory) {
    crew.giveBack(memory);
  }

  /**
   * Ends the threads and gives their buffers back. Operations that are under way are finished by
   * their callers.
   */
  @Override
  public void close() {
    crew.close();
  }

  /** The tasks of one call. */
  private static final class Job {
    private final int count;
    private final Task task;
    private final ThreadPool pool;
    private final Thread caller;
    private final AtomicInteger next = new AtomicInteger();

    /** How many threads may still come to help. */
    private final AtomicInteger places;

    /** Threads that may be in a task. Whoever takes one is counted before. */
    private final AtomicInteger working = new AtomicInteger();

    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Job(int count, int helpers, Task task, ThreadPool pool, Thread caller) {
      this.count = count;
      this.places = new AtomicInteger(helpers);
      this.task = task;
      this.pool = pool;
      this.caller = caller;
    }

    /**
     * Takes tasks until none is left. The JVM reports a mapping whose file was cut short at any
     * point soon after the access, so whatever is thrown between two tasks ends the operation too.
     */
    void work(Scratch scratch) {
      working.incrementAndGet();
      try {
        for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
          pool.checkStopped();
          task.run(i, scratch);
        }
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
        next.set(count);
      } finally {
        if (working.decrementAndGet() == 0 && Thread.currentThread() != caller) {
          LockSupport.unpark(caller);
        }
      }
    }

    /** Waits for the threads that are still in a task; none is left to be taken. */
    void await() {
      boolean interrupted = false;
      for (int spins = 0; working.get() > 0; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
          if (caller.isInterrupted()) {
            pool.isStopped(); // who stops for an interrupt must see it first
            interrupted |= Thread.interrupted(); // a set flag would keep park from waiting
          }
        }
      }
      if (interrupted) {
        caller.interrupt();
      }
    }

    void throwFailure() {
      Throwable thrown = failure.get();
      if (thrown instanceof RuntimeException e) {
        throw e;
      }
      if (thrown instanceof Error e) {
        throw e;
      }
      if (thrown != null) {
        throw new IllegalStateException("[threads] a task failed.", thrown);
      }
    }
  }

  /** The threads and their work, shared by all views. */
  private static final class Crew {
    /** In place of a number of faults, for a pool that does not look. */
    private static final int UNWATCHED = -1;

    private final List<Worker> workers = new ArrayList<>();
    private final Deque<Job> jobs = new ConcurrentLinkedDeque<>();
    private final Turns turns;

    /** What each thread gets that has its turn: made before, as it must not fail then. */
    private final Turn turn = this::giveTurnBack;

    /** Faults that came to light in no task any more. */
    private final AtomicInteger lateFaults = new AtomicInteger();

    private volatile boolean closed;

    /** Buffers of callers, a list through {@link Scratch#nextFree}: giving one back makes none. */
    private @Nullable Scratch freeScratch;

    /** Of workspaces that are closed, the last one on top; for as many as compute at once. */
    private final @Nullable WorkMemory[] freeMemory;

    private int freeMemories;

    Crew(int processors, int threads) {
      turns = new Turns(processors, threads);
      freeMemory = new @Nullable WorkMemory[processors];
    }

    void start(int threads) {
      for (int i = 1; i <= threads; i++) {
        workers.add(new Worker("kolors4j-" + i, this));
      }
      int started = 0;
      try {
        for (Worker worker : workers) {
          worker.start();
          started++;
        }
      } catch (OutOfMemoryError e) {
        close();
        OutOfMemoryError few =
            new OutOfMemoryError(
                String.format(
                    Locale.ROOT,
                    "[threads] the system gave %d threads beside the caller's, of %d: use fewer, or"
                        + " let the process have more threads or more memory.",
                    started,
                    threads));
        few.initCause(e);
        throw few;
      }
    }

    synchronized Scratch borrowScratch() {
      Scratch scratch = freeScratch;
      if (scratch == null) {
        return new Scratch();
      }
      freeScratch = scratch.nextFree;
      scratch.nextFree = null;
      return scratch;
    }

    synchronized void giveBack(Scratch scratch) {
      if (!closed) {
        scratch.nextFree = freeScratch;
        freeScratch = scratch;
      }
    }

    synchronized WorkMemory borrowMemory() {
      if (freeMemories == 0) {
        return new WorkMemory();
      }
      freeMemories--;
      WorkMemory memory = Objects.requireNonNull(freeMemory[freeMemories]);
      freeMemory[freeMemories] = null;
      return memory;
    }

    /** It makes no object, as the heap may be full. */
    void giveBack(WorkMemory memory) {
      WorkMemory left = memory.isWorthKeeping() ? keep(memory) : memory;
      if (left != null) {
        left.clear();
      }
    }

    /** Puts it on top, and returns what there is no place for: the one that is cold for longest. */
    private synchronized @Nullable WorkMemory keep(WorkMemory memory) {
      if (closed) {
        return memory;
      }
      WorkMemory coldest = null;
      if (freeMemories == freeMemory.length) {
        coldest = freeMemory[0];
        freeMemories--;
        System.arraycopy(freeMemory, 1, freeMemory, 0, freeMemories);
      }
      freeMemory[freeMemories++] = memory;
      return coldest;
    }

    /** Wakes as many workers as are asked for; who is busy comes by himself, if there is room. */
    void call(int helpers) {
      int called = 0;
      for (int i = 0; i < workers.size() && called < helpers; i++) {
        Worker worker = workers.get(i);
        if (!worker.busy) {
          worker.wake();
          called++;
        }
      }
    }

    /** Whether a worker may help; whoever takes the last place shows it to nobody else. */
    boolean enter(Job job) {
      int left = job.places.decrementAndGet();
      if (left == 0) {
        jobs.remove(job);
      }
      return left >= 0;
    }

    /** A turn that is kept is looked after by the workers that are awake. */
    void giveTurnBack() {
      if (turns.giveBack()) {
        passTurnsOnIfAllSleep();
      }
    }

    /**
     * To be called after a worker has said that it sleeps, and after a turn was kept: one of the
     * two sees the other.
     */
    void passTurnsOnIfAllSleep() {
      for (Worker worker : workers) {
        if (!worker.asleep) {
          return;
        }
      }
      turns.passOnIfAllAreKept();
    }

    void close() {
      synchronized (this) {
        closed = true;
        freeScratch = null;
        while (freeMemories > 0) {
          borrowMemory().clear();
        }
      }
      workers.forEach(LockSupport::unpark);
    }
  }

  private static final class Worker extends Thread {
    private final Crew crew;
    private volatile boolean asleep;
    private volatile boolean busy;

    Worker(String name, Crew crew) {
      super(name);
      this.crew = crew;
      setDaemon(true);
    }

    void wake() {
      if (asleep) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Scratch scratch = new Scratch();
      while (!crew.closed) {
        try {
          work(scratch);
        } catch (InternalError _) { // late: the operation that it belongs to may have ended
          crew.lateFaults.incrementAndGet();
        } catch (Throwable _) {
          // As an OutOfMemoryError between two operations, which no result depends on.
        }
      }
      asleep = true;
      crew.passTurnsOnIfAllSleep();
    }

    private void work(Scratch scratch) {
      int spins = 0;
      while (!crew.closed) {
        Job job = crew.jobs.peek();
        if (job != null && crew.enter(job)) {
          busy = true;
          try {
            job.work(scratch);
          } finally {
            busy = false;
          }
          crew.jobs.remove(job);
          spins = 0;
        } else if (spins++ < SPINS) {
          Thread.onSpinWait();
        } else {
          asleep = true;
          crew.passTurnsOnIfAllSleep(); // nobody has called for help for as long
          if (crew.jobs.isEmpty() && !crew.closed) {
            LockSupport.park(this);
          }
          asleep = false;
          spins = 0;
        }
      }
    }
  }
}
