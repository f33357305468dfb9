package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
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
    Turns turns = new Turns(1, 1);
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
    private final Turns turns = new Turns(1, 1, clock::get);
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

  /** A thread that does as it is told. */
  private static final class Caller implements AutoCloseable {
    private final AtomicReference<Thread> thread = new AtomicReference<>();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Turns.Pace pace = new Turns.Pace();
    private final Turns turns;
    private final ExecutorService executor =
        Executors.newSingleThreadExecutor(
            body -> {
              thread.set(new Thread(body));
              return thread.get();
            });

    Caller(Turns turns) {
      this.turns = turns;
    }

    Future<Boolean> comes() {
      return executor.submit(() -> turns.take(stop::get, pace));
    }

    Future<Boolean> comesAndWaits() throws InterruptedException {
      Future<Boolean> turn = comes();
      awaitWaiting(thread.get());
      return turn;
    }

    int helpers() throws ExecutionException, InterruptedException {
      return executor.submit(turns::helpers).get();
    }

    boolean givesBackAndKeeps() throws ExecutionException, InterruptedException {
      return executor.submit(turns::giveBack).get();
    }

    @Override
    public void close() {
      stop.set(true);
      executor.shutdown();
    }
  }

  /** Several callers by a clock that goes when it is told to. */
  private static final class Callers implements AutoCloseable {
    private final AtomicLong clock = new AtomicLong();
    private final Turns turns;
    private final List<Caller> all = new ArrayList<>();

    Callers(int processors, int threads, int count) {
      turns = new Turns(processors, threads, clock::get);
      for (int i = 0; i < count; i++) {
        all.add(new Caller(turns));
      }
    }

    Caller get(int index) {
      return all.get(index);
    }

    /** A whole turn, so long that it is not kept. */
    void takesAStepOf(int index, long nanos) throws ExecutionException, InterruptedException {
      assertTrue(get(index).comes().get());
      clock.addAndGet(nanos);
      assertFalse(get(index).givesBackAndKeeps());
    }

    List<Integer> helpers(int first, int last) throws ExecutionException, InterruptedException {
      List<Integer> helpers = new ArrayList<>();
      for (Caller caller : all.subList(first, last + 1)) {
        helpers.add(caller.helpers());
      }
      return helpers;
    }

    @Override
    public void close() {
      all.forEach(Caller::close);
    }
  }

  @Test
  void shortStepsAreTakenSideBySideAndShareTheProcessors()
      throws ExecutionException, InterruptedException {
    try (Callers callers = new Callers(4, 4, 6)) {
      callers.takesAStepOf(0, Turns.SHORT_NANOS / 4); // on four threads
      assertTrue(callers.get(1).comes().get());
      assertEquals(List.of(3), callers.helpers(1, 1));
      assertTrue(callers.get(2).comes().get());
      assertEquals(List.of(1, 1), callers.helpers(1, 2));
      assertTrue(callers.get(3).comes().get());
      assertEquals(List.of(0, 0, 0), callers.helpers(1, 3));
      assertTrue(callers.get(4).comes().get());
      Future<Boolean> last = callers.get(5).comesAndWaits();
      callers.clock.addAndGet(4 * Turns.KEEP_NANOS);
      assertFalse(callers.get(2).givesBackAndKeeps());
      assertTrue(last.get());
      for (int i : new int[] {1, 3, 4}) {
        assertFalse(callers.get(i).givesBackAndKeeps());
      }
      assertEquals(3, callers.get(5).helpers(), "the one that is left");
    }
  }

  @Test
  void aLongStepHasAllThreadsAndWhoComesLaterWaitsBehindIt()
      throws ExecutionException, InterruptedException {
    try (Callers callers = new Callers(4, 4, 4)) {
      callers.takesAStepOf(0, Turns.SHORT_NANOS / 4 + 1);
      callers.takesAStepOf(1, 1);
      assertTrue(callers.get(1).comes().get());
      assertTrue(callers.get(2).comes().get());
      Future<Boolean> alone = callers.get(0).comesAndWaits();
      Future<Boolean> behind = callers.get(3).comesAndWaits();
      callers.clock.addAndGet(2 * Turns.KEEP_NANOS);
      assertFalse(callers.get(1).givesBackAndKeeps());
      assertFalse(alone.isDone(), "beside the other");
      assertFalse(callers.get(2).givesBackAndKeeps());
      assertTrue(alone.get());
      assertEquals(3, callers.get(0).helpers());
      assertFalse(behind.isDone(), "beside the long one");
      callers.clock.addAndGet(Turns.KEEP_NANOS);
      assertFalse(callers.get(0).givesBackAndKeeps());
      assertTrue(behind.get());
    }
  }

  @Test
  void aRequestThatIsNewIsTakenForOneThatBeginsAsTheLast()
      throws ExecutionException, InterruptedException {
    try (Callers callers = new Callers(2, 2, 5)) {
      callers.takesAStepOf(0, 1);
      callers.takesAStepOf(0, Turns.SHORT_NANOS); // as a decode after a text
      assertTrue(callers.get(1).comes().get());
      assertTrue(callers.get(2).comes().get());
      callers.clock.addAndGet(Turns.SHORT_NANOS + 1);
      assertFalse(callers.get(1).givesBackAndKeeps());
      assertFalse(callers.get(2).givesBackAndKeeps());
      assertTrue(callers.get(3).comes().get());
      Future<Boolean> next = callers.get(4).comesAndWaits();
      callers.clock.addAndGet(Turns.KEEP_NANOS);
      assertFalse(callers.get(3).givesBackAndKeeps());
      assertTrue(next.get());
    }
  }

  @Test
  void whoWaitsBehindALongStepThatIsStoppedComesAtOnce()
      throws ExecutionException, InterruptedException {
    try (Callers callers = new Callers(2, 2, 3)) {
      callers.takesAStepOf(0, Turns.SHORT_NANOS);
      callers.takesAStepOf(1, 1);
      assertTrue(callers.get(1).comes().get());
      Future<Boolean> alone = callers.get(0).comesAndWaits();
      Future<Boolean> behind = callers.get(2).comesAndWaits();
      callers.get(0).stop.set(true);
      assertFalse(alone.get());
      assertTrue(behind.get());
    }
  }

  @Test
  void aTurnThatIsKeptAndMissedIsPassedOnByTheOneBeside()
      throws ExecutionException, InterruptedException {
    try (Callers callers = new Callers(2, 2, 3)) {
      callers.takesAStepOf(0, 1);
      assertTrue(callers.get(0).comes().get());
      assertTrue(callers.get(1).comes().get());
      Future<Boolean> next = callers.get(2).comesAndWaits();
      assertTrue(callers.get(0).givesBackAndKeeps());
      callers.turns.passOnIfAllAreKept(); // one computes
      callers.clock.addAndGet(Turns.MISSED_NANOS - 1);
      assertTrue(callers.get(1).givesBackAndKeeps());
      assertTrue(callers.get(1).comes().get());
      assertFalse(next.isDone());
      callers.clock.addAndGet(1);
      assertTrue(callers.get(1).givesBackAndKeeps());
      assertTrue(next.get());
    }
  }

  @Test
  void operationsSideBySideAreEachComputedByTheirOwnThread() throws InterruptedException {
    assumeTrue(ALL_PROCESSORS > 1);
    try (ThreadPool pool = new ThreadPool(ALL_PROCESSORS)) {
      long begin;
      do {
        begin = System.nanoTime();
        inTurn(pool, () -> {});
      } while ((System.nanoTime() - begin) * ALL_PROCESSORS > Turns.SHORT_NANOS);

      CountDownLatch allHaveTheirs = new CountDownLatch(ALL_PROCESSORS);
      CountDownLatch end = new CountDownLatch(1);
      List<Thread> others = new ArrayList<>();
      for (int i = 1; i < ALL_PROCESSORS; i++) {
        others.add(
            start(
                false,
                () -> {
                  try (var _ = pool.turn()) {
                    allHaveTheirs.countDown();
                    end.await();
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                }));
      }
      try (var _ = pool.turn()) {
        allHaveTheirs.countDown();
        assertTrue(allHaveTheirs.await(30, TimeUnit.SECONDS), "not side by side");
        assertEquals(Collections.singleton(Thread.currentThread()), threadsOf(pool, 20, 1));
        end.countDown();
        for (Thread other : others) {
          other.join();
        }
        assertEquals(2, threadsOf(pool, 2, 2).size(), "shared again");
      }
    }
  }

  /** Who computes an operation whose tasks wait until so many have begun. */
  private static Set<Thread> threadsOf(ThreadPool pool, int count, int begun) {
    Set<Thread> threads = Collections.synchronizedSet(new HashSet<>());
    CountDownLatch all = new CountDownLatch(begun);
    pool.run(
        count,
        (_, _) -> {
          threads.add(Thread.currentThread());
          all.countDown();
          try {
            assertTrue(all.await(30, TimeUnit.SECONDS), "nobody helps");
            Thread.sleep(1); // so that whoever is woken finds some left
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    return threads;
  }
}
