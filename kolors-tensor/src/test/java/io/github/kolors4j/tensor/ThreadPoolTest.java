package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The threads that share an operation. No test here may hang. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("once")
class ThreadPoolTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 40})
  void everyTaskRunsOnceOnAnyNumberOfThreads(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      assertEquals(threads, pool.threads());
      for (int count : new int[] {0, 1, 2, 3, 17, 1000}) {
        AtomicIntegerArray runs = new AtomicIntegerArray(count);
        pool.run(count, (index, _) -> runs.incrementAndGet(index));
        for (int i = 0; i < count; i++) {
          assertEquals(1, runs.get(i));
        }
      }
    }
  }

  @Test
  void whatTasksWroteIsSeenByTheCaller() {
    try (ThreadPool pool = new ThreadPool(4)) {
      for (int round = 0; round < 2000; round++) {
        int[] plain = new int[64];
        int value = round;
        pool.run(64, (index, _) -> plain[index] = value + index);
        for (int i = 0; i < 64; i++) {
          assertEquals(round + i, plain[i]);
        }
      }
    }
  }

  @Test
  void theTasksAreReallyShared() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(3)) {
      Set<Thread> seen = ConcurrentHashMap.newKeySet();
      CountDownLatch all = new CountDownLatch(3);
      pool.run(
          3,
          (_, _) -> {
            seen.add(Thread.currentThread());
            all.countDown();
            try {
              assertTrue(all.await(30, TimeUnit.SECONDS), "a thread of the pool did not come");
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
      assertEquals(3, seen.size());
      assertTrue(seen.contains(Thread.currentThread()));
    }
  }

  @Test
  void sleepingThreadsAreWoken() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(2)) {
      for (int round = 0; round < 20; round++) {
        Thread.sleep(5); // longer than a worker spins
        theOtherThreadComes(pool);
      }
    }
  }

  private static void theOtherThreadComes(ThreadPool pool) {
    CountDownLatch both = new CountDownLatch(2);
    pool.run(
        2,
        (_, _) -> {
          both.countDown();
          try {
            assertTrue(both.await(30, TimeUnit.SECONDS), "the worker sleeps on");
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void theFirstFailureOfATaskReachesTheCallerAndThePoolWorksOn(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int failing : new int[] {0, 5, 99}) {
        RuntimeException failure = new IllegalStateException("task " + failing);
        RuntimeException thrown =
            assertThrows(
                RuntimeException.class,
                () ->
                    pool.run(
                        100,
                        (index, _) -> {
                          if (index == failing) {
                            throw failure;
                          }
                        }));
        assertSame(failure, thrown);
      }
      Error error = new StackOverflowError("deep");
      assertSame(
          error,
          assertThrows(
              StackOverflowError.class,
              () ->
                  pool.run(
                      50,
                      (_, _) -> {
                        throw error;
                      })));
      AtomicInteger runs = new AtomicInteger();
      pool.run(100, (_, _) -> runs.incrementAndGet());
      assertEquals(100, runs.get());
    }
  }

  @Test
  void noTaskRunsAnyMoreWhenAFailureHasReachedTheCaller() {
    try (ThreadPool pool = new ThreadPool(4)) {
      for (int round = 0; round < 200; round++) {
        AtomicInteger running = new AtomicInteger();
        assertThrows(
            IllegalStateException.class,
            () ->
                pool.run(
                    20,
                    (index, _) -> {
                      running.incrementAndGet();
                      try {
                        if (index % 3 == 0) {
                          throw new IllegalStateException("no");
                        }
                        Thread.onSpinWait();
                      } finally {
                        running.decrementAndGet();
                      }
                    }));
        assertEquals(0, running.get());
      }
    }
  }

  @Test
  void aTaskMayRunAnOperationItself() {
    Scratch.Slot<float[]> slot = Scratch.Slot.floats("values");
    try (ThreadPool pool = new ThreadPool(3)) {
      AtomicInteger runs = new AtomicInteger();
      pool.run(
          8,
          (_, outer) -> {
            float[] mine = outer.get(slot, 4);
            mine[0] = 1;
            pool.run(
                8,
                (_, inner) -> {
                  inner.get(slot, 4)[0] = 2;
                  runs.incrementAndGet();
                });
          });
      assertEquals(64, runs.get());
    }
  }

  @Test
  void severalCallersAtOnceEachGetAllOfTheirTasks() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(3)) {
      AtomicReference<Throwable> failure = new AtomicReference<>();
      List<Thread> callers = new ArrayList<>();
      for (int caller = 0; caller < 6; caller++) {
        int first = caller;
        Thread thread =
            new Thread(
                () -> {
                  for (int round = 0; round < 3000; round++) {
                    int count = 1 + (round + first) % 9;
                    long[] squares = new long[count];
                    pool.run(count, (index, _) -> squares[index] = (long) index * index + first);
                    for (int i = 0; i < count; i++) {
                      assertEquals((long) i * i + first, squares[i]);
                    }
                  }
                });
        thread.setUncaughtExceptionHandler((_, e) -> failure.compareAndSet(null, e));
        callers.add(thread);
        thread.start();
      }
      for (Thread thread : callers) {
        thread.join();
      }
      assertEquals(null, failure.get());
    }
  }

  @Test
  void eachRunningTaskHasScratchOfItsOwn() {
    Scratch.Slot<float[]> slot = Scratch.Slot.floats("values");
    try (ThreadPool pool = new ThreadPool(4)) {
      for (int round = 0; round < 50; round++) {
        pool.run(
            40,
            (index, scratch) -> {
              float[] mine = scratch.get(slot, 1000);
              for (int i = 0; i < 1000; i++) {
                mine[i] = index;
              }
              for (int i = 0; i < 1000; i++) {
                assertEquals(index, mine[i]);
              }
            });
      }
    }
  }

  @Test
  void anInterruptedCallerFinishesItsWorkAndStaysInterrupted() {
    try (ThreadPool pool = new ThreadPool(3)) {
      AtomicInteger runs = new AtomicInteger();
      Thread.currentThread().interrupt();
      for (int round = 0; round < 100; round++) {
        pool.run(10, (_, _) -> runs.incrementAndGet());
      }
      assertTrue(Thread.interrupted());
      assertEquals(1000, runs.get());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void anOperationThatNobodyWantsAnyMoreEndsBeforeItsNextTask(int threads) {
    try (ThreadPool pool = new ThreadPool(threads)) {
      AtomicBoolean unwanted = new AtomicBoolean();
      ThreadPool stopped = pool.stoppedBy(unwanted::get);
      assertEquals(threads, stopped.threads());
      AtomicInteger runs = new AtomicInteger();
      stopped.run(1000, (_, _) -> runs.incrementAndGet());
      assertEquals(1000, runs.get());
      assertThrows(
          OperationStoppedException.class,
          () ->
              stopped.run(
                  1000,
                  (_, _) -> {
                    runs.incrementAndGet();
                    unwanted.set(true);
                  }));
      assertTrue(runs.get() <= 1000 + threads, "no more than each thread's one: " + runs);
      var before = runs.get();
      for (int count : new int[] {1, 2, 100}) {
        assertThrows(
            OperationStoppedException.class,
            () -> stopped.run(count, (_, _) -> runs.incrementAndGet()));
      }
      assertThrows(OperationStoppedException.class, stopped::checkStopped);
      assertEquals(before, runs.get());
      pool.run(100, (_, _) -> runs.incrementAndGet());
      assertEquals(before + 100, runs.get(), "others on the same threads are not concerned");
    }
  }

  @Test
  void eitherConditionEndsAnOperationThatHasTwo() {
    try (ThreadPool pool = new ThreadPool(2)) {
      for (int which = 0; which < 2; which++) {
        boolean first = which == 0;
        ThreadPool both = pool.stoppedBy(() -> first).stoppedBy(() -> !first);
        assertThrows(OperationStoppedException.class, () -> both.run(5, (_, _) -> {}));
      }
    }
  }

  /** The caller waits for a task of the other thread, which looks at the caller's interrupt. */
  @Test
  void anInterruptOfAWaitingCallerCanBeTheConditionAndStaysSet() throws InterruptedException {
    try (ThreadPool pool = new ThreadPool(2)) {
      CountDownLatch both = new CountDownLatch(2);
      AtomicReference<String> outcome = new AtomicReference<>("");
      Thread caller =
          Thread.ofVirtual()
              .start(
                  () -> {
                    Thread self = Thread.currentThread();
                    AtomicBoolean seen = new AtomicBoolean();
                    ThreadPool stopped =
                        pool.stoppedBy(
                            () -> {
                              if (self.isInterrupted()) {
                                seen.set(true);
                              }
                              return seen.get();
                            });
                    try {
                      stopped.run(
                          2,
                          (_, _) -> {
                            both.countDown();
                            try {
                              both.await();
                            } catch (InterruptedException e) {
                              throw new IllegalStateException(e);
                            }
                            while (Thread.currentThread() != self) {
                              stopped.checkStopped();
                              Thread.onSpinWait();
                            }
                          });
                    } catch (OperationStoppedException e) {
                      outcome.set("stopped, interrupted " + self.isInterrupted());
                    }
                  });
      both.await();
      Thread.sleep(20); // until it is parked
      caller.interrupt();
      caller.join();
      assertEquals("stopped, interrupted true", outcome.get());
    }
  }

  @Test
  void aClosedPoolKeepsNoBuffers() throws InterruptedException {
    Scratch.Slot<float[]> slot = Scratch.Slot.floats("values");
    List<WeakReference<float[]>> buffers = Collections.synchronizedList(new ArrayList<>());
    ThreadPool pool = new ThreadPool(3);
    CountDownLatch all = new CountDownLatch(3);
    pool.run(
        3,
        (_, scratch) -> {
          buffers.add(new WeakReference<>(scratch.get(slot, 1000)));
          all.countDown();
          try {
            assertTrue(all.await(30, TimeUnit.SECONDS));
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    assertEquals(3, buffers.size());
    pool.close();
    for (int round = 0; buffers.stream().anyMatch(each -> each.get() != null); round++) {
      assertTrue(round < 100, "a buffer is still held");
      System.gc();
      Thread.sleep(10);
    }
    assertEquals(3, pool.threads());
  }

  @Test
  void aClosedPoolRunsNothing() {
    ThreadPool pool = new ThreadPool(3);
    pool.close();
    pool.close();
    var refusal = assertThrows(IllegalStateException.class, () -> pool.run(2, (_, _) -> {}));
    assertEquals("[threads] the pool is closed.", refusal.getMessage());
  }

  @Test
  void anOperationUnderWayEndsWhenThePoolIsClosed() throws InterruptedException {
    for (int round = 0; round < 50; round++) {
      ThreadPool pool = new ThreadPool(3);
      AtomicInteger runs = new AtomicInteger();
      CountDownLatch started = new CountDownLatch(1);
      Thread caller =
          new Thread(
              () ->
                  pool.run(
                      500,
                      (_, _) -> {
                        started.countDown();
                        runs.incrementAndGet();
                      }));
      caller.start();
      started.await();
      pool.close();
      caller.join();
      assertEquals(500, runs.get());
    }
  }

  @Test
  void closingEndsTheThreads() throws InterruptedException {
    Set<Thread> workers = ConcurrentHashMap.newKeySet();
    try (ThreadPool pool = new ThreadPool(4)) {
      pool.run(1000, (_, _) -> workers.add(Thread.currentThread()));
    }
    workers.remove(Thread.currentThread());
    for (Thread worker : workers) {
      assertTrue(worker.isDaemon());
      worker.join(10_000);
      assertTrue(!worker.isAlive());
    }
  }

  @Test
  void fewerThanOneThreadAndMoreThanAnyMachineHasAreRefused() {
    for (int threads : new int[] {0, -3, 1_025, Integer.MAX_VALUE}) {
      var refusal = assertThrows(IllegalArgumentException.class, () -> new ThreadPool(threads));
      assertEquals("[threads] " + threads + " threads: use 1 to 1024.", refusal.getMessage());
    }
  }
}
