package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.ThreadPool;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stages of tasks that run as one operation of a pool: a thread that finds a stage's tasks all
 * taken goes on to the next stage at once, and waits only where that needs one that others still
 * work on.
 *
 * <p>Tasks are picked up in the order of the stages, and a stage can only need earlier ones, so
 * what is waited for is always under way.
 */
final class Stages {
  /** How often a waiting thread looks before it lets others run. */
  private static final int SPINS = 1_000;

  private final List<Stage> stages = new ArrayList<>();
  private int count;
  private volatile boolean failed;

  /** Some tasks, and what must have ended before the first of them begins. */
  static final class Stage {
    private final int first;
    private final Stage needs;
    private final ThreadPool.Task task;
    private final AtomicInteger left;

    private Stage(int first, int count, Stage needs, ThreadPool.Task task) {
      this.first = first;
      this.needs = needs;
      this.task = task;
      this.left = new AtomicInteger(count);
    }
  }

  /**
   * Adds a stage.
   *
   * @param tasks how many tasks it has, at least 1
   * @param needs an earlier stage, or null for none
   * @param task called with indices from 0
   * @return the stage, for later ones to need
   */
  Stage add(int tasks, Stage needs, ThreadPool.Task task) {
    Stage stage = new Stage(count, tasks, needs, task);
    stages.add(stage);
    count += tasks;
    return stage;
  }

  /**
   * Runs all stages.
   *
   * @throws RuntimeException or {@code Error}, the first that a task threw
   */
  void run(ThreadPool threads) {
    threads.run(count, this::run);
  }

  private void run(int index, Scratch scratch) {
    Stage stage = stageOf(index);
    try {
      if (await(stage.needs)) {
        stage.task.run(index - stage.first, scratch);
      }
    } catch (Throwable e) {
      failed = true; // or those who wait for this task would wait for ever
      throw e;
    }
    stage.left.decrementAndGet();
  }

  /** The last stage that begins at a task or before it. */
  private Stage stageOf(int index) {
    int low = 0;
    int high = stages.size();
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (stages.get(middle).first <= index) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return stages.get(low);
  }

  /** Waits for the end of a stage; false where it will not come. */
  private boolean await(Stage stage) {
    for (int spins = 0; stage != null && stage.left.get() > 0; spins++) {
      if (failed) {
        return false;
      }
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    return true;
  }
}
