package io.github.kolors4j.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.OperationStoppedException;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.ThreadPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups of tasks with something prepared for each. No test here may hang. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GroupsTest {
  private static final int GROUPS = 5;
  private static final int TASKS = 17;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void everyGroupIsPreparedOnceAndEveryTaskRunsOnceWithWhatWasPrepared(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int round = 1; round < 300; round++) {
        int value = round;
        AtomicIntegerArray prepared = new AtomicIntegerArray(GROUPS);
        AtomicIntegerArray runs = new AtomicIntegerArray(GROUPS * TASKS);
        AtomicInteger wrong = new AtomicInteger();
        Groups.run(
            pool,
            GROUPS,
            TASKS,
            new Groups.Work<int[]>() {
              @Override
              public int[] prepare(int group, Scratch scratch) {
                prepared.incrementAndGet(group);
                return new int[] {group, value};
              }

              @Override
              public void run(int group, int[] made, int task, Scratch scratch) {
                wrong.addAndGet(made[0] == group && made[1] == value ? 0 : 1);
                runs.incrementAndGet(group * TASKS + task);
              }
            });
        assertEquals(0, wrong.get());
        for (int i = 0; i < runs.length(); i++) {
          assertEquals(1, runs.get(i), "task " + i);
          assertEquals(1, prepared.get(i / TASKS), "group " + i / TASKS);
        }
      }
    }
  }

  /** The owner's scratch holds what it prepared: it may be used again only when all have ended. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void whatIsPreparedStaysUntilTheLastTaskOfItsGroupHasEnded(int threads) {
    Scratch.Slot<float[]> slot = Scratch.Slot.floats("what is prepared");
    try (ThreadPool pool = new ThreadPool(threads)) {
      AtomicInteger wrong = new AtomicInteger();
      for (int round = 0; round < 300; round++) {
        Groups.run(
            pool,
            GROUPS,
            TASKS,
            new Groups.Work<float[]>() {
              @Override
              public float[] prepare(int group, Scratch scratch) {
                float[] made = scratch.get(slot, 1);
                made[0] = group;
                return made;
              }

              @Override
              public void run(int group, float[] made, int task, Scratch scratch) {
                Thread.onSpinWait();
                wrong.addAndGet(made[0] == group ? 0 : 1);
              }
            });
      }
      assertEquals(0, wrong.get());
    }
  }

  @Test
  void aThreadWithoutAGroupHelpsTheOneThatHasIt() {
    try (ThreadPool pool = new ThreadPool(2)) {
      AtomicReference<Thread> first = new AtomicReference<>();
      AtomicInteger helped = new AtomicInteger();
      Groups.run(
          pool,
          1,
          2,
          work(
              group -> group,
              _ -> {
                // Whoever comes first stays until another thread has come for the second task.
                if (first.compareAndSet(null, Thread.currentThread())) {
                  while (helped.get() == 0) {
                    Thread.onSpinWait();
                  }
                } else if (first.get() != Thread.currentThread()) {
                  helped.incrementAndGet();
                }
              }));
      assertEquals(1, helped.get());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void aFailureEndsTheRunAndNobodyWaitsForIt(int threads) {
    IllegalStateException failure = new IllegalStateException("test");
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int round = 0; round < 100; round++) {
        AtomicInteger runs = new AtomicInteger();
        Groups.Work<Integer> taskFails =
            work(
                group -> group,
                task -> {
                  runs.incrementAndGet();
                  if (task == 3) {
                    throw failure;
                  }
                });
        assertSame(
            failure,
            assertThrows(
                IllegalStateException.class, () -> Groups.run(pool, GROUPS, TASKS, taskFails)));
        assertTrue(runs.get() < GROUPS * TASKS, "went on after a failure");
        Groups.Work<Integer> preparingFails =
            work(
                group -> {
                  if (group == 1) {
                    throw failure;
                  }
                  return group;
                },
                _ -> {});
        assertSame(
            failure,
            assertThrows(
                IllegalStateException.class,
                () -> Groups.run(pool, GROUPS, TASKS, preparingFails)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void aRunThatNobodyWantsAnyMoreEndsBeforeTheNextTask(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int round = 0; round < 100; round++) {
        AtomicInteger runs = new AtomicInteger();
        ThreadPool stopped = pool.stoppedBy(() -> runs.get() >= 20);
        assertThrows(
            OperationStoppedException.class,
            () ->
                Groups.run(
                    stopped, GROUPS, TASKS, work(group -> group, _ -> runs.incrementAndGet())));
        assertTrue(runs.get() < 20 + threads, "went on: " + runs);
      }
    }
  }

  private static Groups.Work<Integer> work(IntFunction<Integer> prepare, IntConsumer run) {
    return new Groups.Work<>() {
      @Override
      public Integer prepare(int group, Scratch scratch) {
        return prepare.apply(group);
      }

      @Override
      public void run(int group, Integer prepared, int task, Scratch scratch) {
        run.accept(task);
      }
    };
  }
}
