package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that share a pool and compute one after another. No test here may hang. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("once")
class TurnsTest {
  private static final int ALL_PROCESSORS = Runtime.getRuntime().availableProcessors();

  private static Thread start(boolean virtual, Runnable body) {
    return virtual ? Thread.startVirtualThread(body) : Thread.ofPlatform().start(body);
  }

  private static void awaitWaiting(Thread thread) throws InterruptedException {
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.sleep(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whoCameFirstHasHisTurnFirst(boolean virtual) throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(ALL_PROCESSORS)) {
      List<Integer> order = Collections.synchronizedList(new ArrayList<>());
      List<Thread> threads = new ArrayList<>();
      try (var _ = pool.turn()) {
        for (int i = 0; i < 16; i++) {
          int own = i;
          Thread thread =
              start(
                  virtual,
                  () -> {
                    try (var _ = pool.turn()) {
                      order.add(own);
                    }
                  });
          awaitWaiting(thread);
          threads.add(thread);
        }
        assertEquals(List.of(), order);
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(IntStream.range(0, 16).boxed().toList(), order);
    }
  }

  @Test
  void asManyComputeAtOnceAsThereAreProcessorsFor() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(1)) {
      AtomicInteger inside = new AtomicInteger();
      AtomicInteger most = new AtomicInteger();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 4 * ALL_PROCESSORS; i++) {
        threads.add(
            start(
                false,
                () -> {
                  for (int round = 0; round < 20; round++) {
                    try (var _ = pool.turn()) {
                      most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                      Thread.yield();
                      inside.decrementAndGet();
                    }
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertTrue(most.get() <= ALL_PROCESSORS, most + " at once on " + ALL_PROCESSORS);
    }
  }

  @Test
  void whoIsStoppedWhileHeWaitsLeavesAndTheNextOneComes() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(ALL_PROCESSORS)) {
      AtomicBoolean stop = new AtomicBoolean();
      AtomicBoolean stopped = new AtomicBoolean();
      AtomicBoolean came = new AtomicBoolean();
      Thread first;
      Thread second;
      try (var _ = pool.turn()) {
        first =
            start(
                false,
                () -> {
                  assertThrows(OperationStoppedException.class, pool.stoppedBy(stop::get)::turn);
                  stopped.set(true);
                });
        awaitWaiting(first);
        second =
            start(
                false,
                () -> {
                  try (var _ = pool.turn()) {
                    came.set(true);
                  }
                });
        awaitWaiting(second);
        stop.set(true);
        first.join();
        assertTrue(stopped.get());
      }
      second.join();
      assertTrue(came.get());
    }
  }

  @Test
  void anInterruptDoesNotEndTheWaitOfAPoolThatDoesNotLookAtItAndStaysSet()
      throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(ALL_PROCESSORS)) {
      AtomicBoolean still = new AtomicBoolean();
      Thread thread;
      try (var _ = pool.turn()) {
        thread =
            start(
                false,
                () -> {
                  try (var _ = pool.turn()) {
                    still.set(Thread.currentThread().isInterrupted());
                  }
                });
        awaitWaiting(thread);
        thread.interrupt();
        Thread.sleep(20);
        assertTrue(thread.isAlive());
      }
      thread.join();
      assertTrue(still.get());
    }
  }

  @Test
  void aTurnWithinOnesOwnIsPartOfIt() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(ALL_PROCESSORS)) {
      AtomicBoolean came = new AtomicBoolean();
      Thread other;
      try (var _ = pool.turn()) {
        try (var _ = pool.turn()) {
          other =
              start(
                  false,
                  () -> {
                    try (var _ = pool.turn()) {
                      came.set(true);
                    }
                  });
          awaitWaiting(other);
        }
        Thread.sleep(20);
        assertFalse(came.get(), "the inner end has ended the outer turn");
      }
      other.join();
      assertTrue(came.get());
    }
  }

  @Test
  void aTurnThatEndsWithAFailureIsGivenBack() {
    try (ThreadPool pool = new ThreadPool(ALL_PROCESSORS)) {
      for (int i = 0; i < 3; i++) {
        assertThrows(
            IllegalStateException.class,
            () -> {
              try (var _ = pool.turn()) {
                throw new IllegalStateException("as a step that fails");
              }
            });
      }
    }
  }
}
