package io.github.kolors4j.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.service.QueueFullException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;

/** When the checkpoint is opened, how calls wait, and how all of it ends. */
@Timeout(300) // of a machine that does other things too
class KolorsImageModelLifeTest {
  /** Some minutes of work. */
  private static final ImagePrompt LONG = prompt(1000);

  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger openings = new AtomicInteger();

  @AfterEach
  void noCallerIsLeft() throws InterruptedException {
    callers.shutdown();
    assertTrue(callers.awaitTermination(100, TimeUnit.SECONDS));
  }

  private static ImagePrompt prompt(int steps) {
    return new ImagePrompt(
        "cat", KolorsImageOptions.builder().seed(0).numInferenceSteps(steps).build());
  }

  private KolorsPipeline counted() throws IOException {
    openings.incrementAndGet();
    return KolorsPipeline.open(MiniCheckpoint.directory());
  }

  private KolorsImageModel.Builder builder() {
    return KolorsImageModel.builder().pipeline(this::counted).shutdownTimeout(Duration.ZERO);
  }

  private static void awaitRunning(KolorsImageModel model) throws InterruptedException {
    while (model.openService().isEmpty() || model.openService().get().running() == 0) {
      Thread.sleep(1);
    }
  }

  private static <T extends Throwable> T failure(Class<T> type, Future<?> call) {
    ExecutionException e = assertThrows(ExecutionException.class, call::get);
    return assertInstanceOf(type, e.getCause());
  }

  @Test
  void theFirstCallOpensTheCheckpointOnceForAllThreads() throws Exception {
    try (KolorsImageModel model = builder().build()) {
      assertEquals(0, openings.get());
      assertTrue(model.openService().isEmpty());
      List<Future<ImageResponse>> calls = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        calls.add(callers.submit(() -> model.call(prompt(1))));
      }
      String first = calls.getFirst().get().getResult().getOutput().getB64Json();
      for (Future<ImageResponse> call : calls) {
        assertEquals(first, call.get().getResult().getOutput().getB64Json());
      }
      assertEquals(1, openings.get());
      assertSame(model.service(), model.openService().orElseThrow());
    }
  }

  @Test
  void whatCouldNotBeOpenedIsTriedAgain() {
    PipelineSource second =
        () -> {
          if (openings.get() == 0) {
            openings.incrementAndGet();
            throw new IOException("the disk is away");
          }
          return counted();
        };
    try (KolorsImageModel model = builder().pipeline(second).build()) {
      UncheckedIOException e =
          assertThrows(UncheckedIOException.class, () -> model.call(prompt(1)));
      assertEquals("the disk is away", e.getMessage());
      assertSame(e.getCause(), model.openingFailure().orElseThrow());
      model.call(prompt(1));
      assertTrue(model.openingFailure().isEmpty());
      assertEquals(2, openings.get());
    }
  }

  @Test
  void aFolderThatIsMissingIsNamed() {
    Path missing = Path.of("target", "no such folder");
    try (KolorsImageModel model = KolorsImageModel.builder().model(missing.toString()).build()) {
      assertTrue(
          assertThrows(UncheckedIOException.class, () -> model.call(prompt(1)))
              .getMessage()
              .contains("no such folder"));
    }
  }

  static List<KolorsImageModel.Builder> wrong() {
    return List.of(
        KolorsImageModel.builder(),
        KolorsImageModel.builder().model(" "),
        with(KolorsImageOptions.builder().numInferenceSteps(0)),
        with(KolorsImageOptions.builder().guidanceScale(Double.NaN)),
        with(KolorsImageOptions.builder().scheduler("eulr")));
  }

  private static KolorsImageModel.Builder with(KolorsImageOptions.Builder options) {
    return KolorsImageModel.builder().options(options.model("DIR").build());
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void whatEveryCallWouldFailWithIsSaidBeforeTheFirst(KolorsImageModel.Builder builder) {
    assertThrows(IllegalArgumentException.class, builder::build);
  }

  @Test
  void aQueueOrAConcurrencyThatCannotBeIsRefused() {
    KolorsImageModel.Builder builder = builder();
    assertThrows(IllegalArgumentException.class, () -> builder.queueCapacity(-1));
    assertThrows(IllegalArgumentException.class, () -> builder.concurrency(0));
  }

  @Test
  void aCallMoreThanTheQueueTakesIsRefused() throws Exception {
    try (KolorsImageModel model = builder().queueCapacity(0).build()) {
      Future<ImageResponse> running = callers.submit(() -> model.call(LONG));
      awaitRunning(model);
      assertThrows(QueueFullException.class, () -> model.call(prompt(1)));
      running.cancel(true);
    }
  }

  @Test
  void anInterruptCancelsTheCallAndStaysSet() throws Exception {
    try (KolorsImageModel model = builder().build()) {
      CountDownLatch interrupted = new CountDownLatch(1);
      Thread caller =
          Thread.ofVirtual()
              .start(
                  () -> {
                    assertThrows(GenerationCancelledException.class, () -> model.call(LONG));
                    if (Thread.interrupted()) {
                      interrupted.countDown();
                    }
                  });
      awaitRunning(model);
      caller.interrupt();
      assertTrue(interrupted.await(100, TimeUnit.SECONDS));
      assertEquals(0, model.service().running());
    }
  }

  @Test
  void closingCancelsWhatWaitsAndWhatRunsAndRefusesWhatComes() throws Exception {
    KolorsImageModel model = builder().build();
    Future<ImageResponse> running = callers.submit(() -> model.call(LONG));
    awaitRunning(model);
    Future<ImageResponse> waiting = callers.submit(() -> model.call(LONG));
    while (model.service().waiting() == 0) {
      Thread.sleep(1);
    }
    model.close();
    failure(GenerationCancelledException.class, running);
    failure(GenerationCancelledException.class, waiting);
    assertThrows(IllegalStateException.class, () -> model.call(prompt(1)));
    model.close();
  }

  @Test
  void closingLetsARunningCallEndInItsTime() throws Exception {
    KolorsImageModel model = builder().shutdownTimeout(Duration.ofMinutes(5)).build();
    Future<ImageResponse> running = callers.submit(() -> model.call(prompt(3)));
    awaitRunning(model);
    model.close();
    assertEquals(1, running.get().getResults().size());
  }

  @Test
  void closingBeforeTheFirstCallOpensNothing() {
    KolorsImageModel model = builder().build();
    model.close();
    assertThrows(IllegalStateException.class, () -> model.call(prompt(1)));
    assertEquals(0, openings.get());
  }

  @Test
  void closingDoesNotWaitForAnOpeningAndLeavesNothingOpen() throws Exception {
    CountDownLatch began = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    List<KolorsPipeline> opened = new ArrayList<>();
    PipelineSource slow =
        () -> {
          began.countDown();
          try {
            mayGoOn.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          opened.add(counted());
          return opened.getFirst();
        };
    KolorsImageModel model = builder().pipeline(slow).build();
    Future<ImageResponse> call = callers.submit(() -> model.call(prompt(1)));
    began.await();
    model.close();
    mayGoOn.countDown();
    failure(IllegalStateException.class, call);
    assertThrows(IllegalStateException.class, () -> opened.getFirst().encodePrompt(""));
  }
}
