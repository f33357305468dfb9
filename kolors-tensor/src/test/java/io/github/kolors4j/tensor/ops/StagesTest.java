package io.github.kolors4j.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.tensor.ThreadPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stages of tasks in one run of the pool. No test here may hang. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StagesTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void everyTaskOfEveryStageRunsOnce(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      AtomicIntegerArray runs = new AtomicIntegerArray(5 + 1 + 17);
      Stages stages = new Stages();
      stages.add(5, null, (index, _) -> runs.incrementAndGet(index));
      stages.add(1, null, (index, _) -> runs.incrementAndGet(5 + index));
      stages.add(17, null, (index, _) -> runs.incrementAndGet(6 + index));
      stages.run(pool);
      for (int i = 0; i < runs.length(); i++) {
        assertEquals(1, runs.get(i), "task " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void aStageSeesAllThatTheOneItNeedsHasWritten(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int round = 1; round < 500; round++) {
        int[] written = new int[8];
        int value = round;
        AtomicInteger missing = new AtomicInteger();
        Stages stages = new Stages();
        Stages.Stage first = stages.add(8, null, (index, _) -> written[index] = value);
        stages.add(3, null, (_, _) -> {});
        stages.add(
            8,
            first,
            (_, _) -> {
              for (int each : written) {
                missing.addAndGet(each == value ? 0 : 1);
              }
            });
        stages.run(pool);
        assertEquals(0, missing.get());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void aTaskThatFailsEndsTheRunAndNobodyWaitsForIt(int threads) {
    IllegalStateException failure = new IllegalStateException("test");
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int round = 0; round < 100; round++) {
        AtomicInteger after = new AtomicInteger();
        Stages stages = new Stages();
        Stages.Stage first =
            stages.add(
                6,
                null,
                (index, _) -> {
                  if (index == 3) {
                    throw failure;
                  }
                });
        stages.add(20, first, (_, _) -> after.incrementAndGet());
        assertSame(failure, assertThrows(IllegalStateException.class, () -> stages.run(pool)));
        assertEquals(0, after.get(), "a stage began though the one it needs had failed");
      }
    }
  }
}
