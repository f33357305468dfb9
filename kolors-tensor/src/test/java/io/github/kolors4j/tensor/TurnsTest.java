package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
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

  private static void inTurn(ThreadPool pool, Runnable body) {
    try (var _ = pool.turn()) {
      body.run();
    }
  }

  /** The last of those who wait looks for the others, who sleep. */
  private static void awaitLookedAfter(Thread thread) throws InterruptedException {
    while (thread.getState() != Thread.State.WAITING) {
      Thread.sleep(1);
    }
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
          Thread thread = start(virtual, () -> inTurn(pool, () -> order.add(own)));
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
        second = start(false, () -> inTurn(pool, () -> came.set(true)));
        awaitWaiting(second);
        awaitLookedAfter(first);
        stop.set(true);
        first.join();
        assertTrue(stopped.get());
      }
      second.join();
      assertTrue(came.get());
    }
  }

  /** Or whose condition fails, which is nobody else's fault. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whoIsStoppedIsSeenByTheOneBeforeWhenTheLastHasLeft(boolean fails)
      throws InterruptedException {
    Turns turns = new Turns(1);
    AtomicBoolean stopLast = new AtomicBoolean();
    AtomicBoolean stopFirst = new AtomicBoolean();
    List<String> left = Collections.synchronizedList(new ArrayList<>());
    BooleanSupplier first =
        () -> {
          if (fails && stopFirst.get()) {
            throw new IllegalStateException("as a condition that fails");
          }
          return stopFirst.get();
        };
    assertTrue(turns.take(() -> false));
    List<Thread> threads = new ArrayList<>();
    Map<String, BooleanSupplier> waiting = new LinkedHashMap<>();
    waiting.put("first", first);
    waiting.put("middle", () -> false);
    waiting.put("last", stopLast::get);
    waiting.forEach(
        (name, stopped) -> {
          Thread thread = start(false, () -> left.add(name + " " + outcome(turns, stopped)));
          threads.add(thread);
          while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
          }
        });
    awaitLookedAfter(threads.get(1));
    stopLast.set(true);
    threads.get(2).join();
    awaitLookedAfter(threads.get(0));
    stopFirst.set(true);
    threads.get(0).join();
    assertEquals(List.of("last false", fails ? "first failed" : "first false"), left);
    turns.giveBack();
    turns.passTurnOn();
    threads.get(1).join();
    assertEquals("middle true", left.getLast());
  }

  private static String outcome(Turns turns, BooleanSupplier stopped) {
    try {
      return String.valueOf(turns.take(stopped));
    } catch (IllegalStateException _) {
      return "failed";
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
                false, () -> inTurn(pool, () -> still.set(Thread.currentThread().isInterrupted())));
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
          other = start(false, () -> inTurn(pool, () -> came.set(true)));
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
            () ->
                inTurn(
                    pool,
                    () -> {
                      throw new IllegalStateException("as a step that fails");
                    }));
      }
    }
  }

  /** Turns by a clock that goes when it is told to, and how one of them came. */
  private static final class Watched {
    private final AtomicLong clock = new AtomicLong();
    private final Turns turns = new Turns(1, clock::get);
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> threads = new ArrayList<>();

    /** Another thread that waits for its turn and gives it back when {@code end} is set. */
    void await(String name, AtomicBoolean end) throws InterruptedException {
      Thread thread =
          start(
              false,
              () -> {
                turns.take(() -> false);
                order.add(name);
                while (!end.get()) {
                  Thread.onSpinWait();
                }
                turns.giveBack();
                turns.passOn(0);
              });
      awaitWaiting(thread);
      threads.add(thread);
    }

    void joinAll() throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
    }
  }

  @Test
  void aYoungTurnGoesOnWhereItsThreadComesBackThoughOthersWait() throws InterruptedException {
    Watched watched = new Watched();
    Turns turns = watched.turns;
    turns.take(() -> false);
    watched.await("other", new AtomicBoolean(true));
    for (int step = 0; step < 4; step++) {
      assertTrue(turns.giveBack(), "kept");
      assertFalse(turns.isMine());
      watched.clock.addAndGet(Turns.KEEP_NANOS / 4 - 1);
      turns.take(() -> false);
      assertTrue(turns.isMine());
      watched.order.add("step " + step);
    }
    watched.clock.addAndGet(4);
    assertFalse(turns.giveBack(), "kept beyond its age");
    watched.joinAll();
    assertEquals(List.of("step 0", "step 1", "step 2", "step 3", "other"), watched.order);
  }

  @Test
  void stepsThatAreLongTakeTurnsOneByOne() throws InterruptedException {
    Watched watched = new Watched();
    AtomicBoolean end = new AtomicBoolean();
    watched.turns.take(() -> false);
    watched.await("other", end);
    watched.clock.addAndGet(Turns.KEEP_NANOS);
    assertFalse(watched.turns.giveBack());
    Thread back =
        start(
            false,
            () -> {
              watched.turns.take(() -> false);
              watched.order.add("the first again");
              watched.turns.giveBack();
            });
    awaitWaiting(back);
    end.set(true);
    back.join();
    watched.joinAll();
    assertEquals(List.of("other", "the first again"), watched.order);
  }

  @Test
  void aTurnThatNobodyWaitsForIsNotKept() throws InterruptedException {
    Watched watched = new Watched();
    watched.turns.take(() -> false);
    assertFalse(watched.turns.giveBack());
    Thread other = start(false, () -> watched.turns.take(() -> false));
    other.join();
  }

  @Test
  void aKeptTurnThatIsPassedOnBeginsThatOfTheFirstWhoWaits() throws InterruptedException {
    Watched watched = new Watched();
    AtomicBoolean end = new AtomicBoolean();
    watched.turns.take(() -> false);
    watched.await("first", end);
    watched.await("second", end);
    watched.turns.passOn(0); // not given back: nothing
    assertTrue(watched.turns.isMine());
    assertTrue(watched.turns.giveBack());
    watched.turns.passOn(0);
    end.set(true);
    watched.turns.take(() -> false);
    watched.order.add("the one who was away");
    watched.turns.giveBack();
    watched.joinAll();
    assertEquals(List.of("first", "second", "the one who was away"), watched.order);
  }

  @Test
  void aKeptTurnThatItsThreadPassesOnIsTheNextThreadsAndAnOpenOneStays()
      throws InterruptedException {
    Watched watched = new Watched();
    AtomicBoolean end = new AtomicBoolean(true);
    watched.turns.passTurnOn(); // there is none
    watched.turns.take(() -> false);
    watched.await("next", end);
    watched.turns.passTurnOn();
    assertTrue(watched.turns.isMine());
    assertTrue(watched.turns.giveBack());
    watched.turns.passTurnOn();
    watched.joinAll();
    assertEquals(List.of("next"), watched.order);
  }

  /** As a listener that asks for a picture on another thread, and waits for it. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void whoKeepsATurnAndWaitsForAnotherThreadGetsWhatItWaitsFor(int share)
      throws InterruptedException {
    int threads = Math.max(1, ALL_PROCESSORS / share);
    try (ThreadPool pool = new ThreadPool(threads)) {
      for (int round = 0; round < 100; round++) {
        List<Thread> others = new ArrayList<>();
        try (var _ = pool.turn()) {
          pool.run(threads, (_, _) -> {});
          for (int i = 0; i < 2; i++) {
            others.add(start(false, () -> inTurn(pool, () -> pool.run(threads, (_, _) -> {}))));
          }
        }
        for (Thread other : others) {
          other.join();
        }
      }
    }
  }

  @Test
  void aTurnThatIsKeptWhileThePoolIsClosedIsPassedOn() throws InterruptedException {
    ThreadPool pool = new ThreadPool(ALL_PROCESSORS);
    Thread other;
    try (var _ = pool.turn()) {
      other = start(false, () -> inTurn(pool, Thread::onSpinWait));
      awaitWaiting(other);
      pool.close();
    }
    other.join();
  }
}
