package io.github.kolors4j.tensor;

import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed set of threads that share the tasks of one operation at a time. The calling thread works
 * too, so a pool of one has no thread of its own. Several threads may call at once; the workers
 * help whom they find.
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

  private final List<Worker> workers = new ArrayList<>();
  private final Deque<Job> jobs = new ConcurrentLinkedDeque<>();
  private final Deque<Scratch> callerScratch = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

  /**
   * A pool.
   *
   * @param threads how many threads work on an operation, the caller's included; 1 to {@link
   *     #MOST_THREADS}
   * @throws IllegalArgumentException if {@code threads} is less or more
   */
  public ThreadPool(int threads) {
    checkThreads(threads);
    for (int i = 1; i < threads; i++) {
      Worker worker = new Worker("kolors4j-" + i);
      workers.add(worker);
      worker.start();
    }
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
    return workers.size() + 1;
  }

  /**
   * Runs all tasks and returns when the last has ended.
   *
   * @param count how many
   * @param task what to do for each
   * @throws RuntimeException or {@code Error}, the first that a task threw
   */
  public void run(int count, Task task) {
    if (closed) {
      throw new IllegalStateException("[threads] the pool is closed.");
    }
    Scratch scratch = callerScratch.poll();
    if (scratch == null) {
      scratch = new Scratch();
    }
    try {
      if (count == 1 || workers.isEmpty()) {
        for (int i = 0; i < count; i++) {
          task.run(i, scratch);
        }
        return;
      }
      Job job = new Job(count, task, Thread.currentThread());
      jobs.add(job);
      int helpers = Math.min(count - 1, workers.size());
      for (int i = 0; i < helpers; i++) {
        workers.get(i).wake();
      }
      job.work(scratch);
      jobs.remove(job);
      job.await();
    } finally {
      callerScratch.push(scratch);
    }
  }

  /** Ends the threads. Operations that are under way are finished by their callers. */
  @Override
  public void close() {
    closed = true;
    workers.forEach(LockSupport::unpark);
  }

  /** The tasks of one call. */
  private static final class Job {
    private final int count;
    private final Task task;
    private final Thread caller;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Job(int count, Task task, Thread caller) {
      this.count = count;
      this.task = task;
      this.caller = caller;
    }

    void work(Scratch scratch) {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        try {
          if (failure.get() == null) {
            task.run(i, scratch);
          }
        } catch (Throwable e) {
          failure.compareAndSet(null, e);
        }
        if (finished.incrementAndGet() == count) {
          LockSupport.unpark(caller);
        }
      }
    }

    void await() {
      boolean interrupted = false;
      for (int spins = 0; finished.get() < count; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
          interrupted |= Thread.interrupted(); // a set flag would keep park from waiting
        }
      }
      if (interrupted) {
        caller.interrupt();
      }
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

  private final class Worker extends Thread {
    private final Scratch scratch = new Scratch();
    private volatile boolean asleep;

    Worker(String name) {
      super(name);
      setDaemon(true);
    }

    void wake() {
      if (asleep) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      int spins = 0;
      while (!closed) {
        Job job = jobs.peek();
        if (job != null) {
          job.work(scratch);
          jobs.remove(job);
          spins = 0;
        } else if (spins++ < SPINS) {
          Thread.onSpinWait();
        } else {
          asleep = true;
          if (jobs.isEmpty() && !closed) {
            LockSupport.park(this);
          }
          asleep = false;
          spins = 0;
        }
      }
    }
  }
}
