package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.OperationStoppedException;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.ThreadPool;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Groups of tasks that share something which is prepared for them. A thread takes a group, prepares
 * it and works through its tasks; one that finds no group left helps the others with theirs.
 *
 * <p>So a core works on what it has in its own caches, for as long as there is enough for all. The
 * two cores of a virtual machine may share no cache at all: there a line that the other has written
 * takes 230 ns to come (Zen 5).
 *
 * @param <P> what is prepared
 */
final class Groups<P> {
  /** How often a waiting thread looks before it lets others run. */
  private static final int SPINS = 1_000;

  /** What the threads do. */
  interface Work<P> {
    /**
     * Prepares a group.
     *
     * @param group which one, from 0
     * @param scratch of the thread that does it; what is prepared may stand there
     * @return what the tasks need, not null; read by other threads until all tasks have ended
     */
    P prepare(int group, Scratch scratch);

    /**
     * Runs a task.
     *
     * @param group the group
     * @param prepared what was prepared for it
     * @param task which one, from 0
     * @param scratch of the thread that runs it
     */
    void run(int group, P prepared, int task, Scratch scratch);
  }

  private final ThreadPool threads;
  private final int tasks;
  private final Work<P> work;
  private final List<Group<P>> groups = new ArrayList<>();
  private final AtomicInteger taken = new AtomicInteger();
  private volatile boolean failed;

  private static final class Group<P> {
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private volatile @Nullable P prepared;
  }

  private Groups(ThreadPool threads, int groups, int tasks, Work<P> work) {
    this.threads = threads;
    this.tasks = tasks;
    this.work = work;
    for (int g = 0; g < groups; g++) {
      this.groups.add(new Group<>());
    }
  }

  /**
   * Runs all tasks of all groups.
   *
   * @param threads who works
   * @param groups how many groups there are
   * @param tasks how many tasks each has
   * @param work what they are
   * @throws RuntimeException or {@code Error}, the first that was thrown
   * @throws OperationStoppedException if it was stopped before a group or a task
   */
  static <P> void run(ThreadPool threads, int groups, int tasks, Work<P> work) {
    Groups<P> all = new Groups<>(threads, groups, tasks, work);
    int workers = (int) Math.min(threads.threads(), (long) groups * tasks);
    threads.run(workers, (_, scratch) -> all.work(scratch));
  }

  private void work(Scratch scratch) {
    try {
      for (int g = taken.getAndIncrement(); g < groups.size(); g = taken.getAndIncrement()) {
        threads.checkStopped();
        Group<P> own = groups.get(g);
        own.prepared = work.prepare(g, scratch);
        workOn(g, scratch);
        await(() -> own.ended.get() == tasks);
      }
      for (int g = 0; g < groups.size(); g++) {
        Group<P> other = groups.get(g);
        await(() -> other.prepared != null);
        workOn(g, scratch);
      }
    } catch (Throwable e) {
      failed = true; // or those who wait for this thread would wait for ever
      throw e;
    }
  }

  /** Works on the tasks of a group that nobody has taken yet. */
  private void workOn(int g, Scratch scratch) {
    Group<P> group = groups.get(g);
    P prepared = group.prepared; // null only where a thread has failed
    while (prepared != null && group.next.get() < tasks && !failed) {
      int task = group.next.getAndIncrement();
      if (task < tasks) {
        threads.checkStopped();
        work.run(g, prepared, task, scratch);
        group.ended.incrementAndGet();
      }
    }
  }

  /** Waits until something is so, or will not come because a thread has failed. */
  @SuppressWarnings("ThreadPriorityCheck") // a courtesy that nothing relies on
  private void await(BooleanSupplier done) {
    for (int spins = 0; !done.getAsBoolean() && !failed; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }
}
