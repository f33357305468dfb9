package io.github.kolors4j;

import static io.github.kolors4j.Controls.onStepEnd;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The end of a pipeline: who may still do what. No test here may hang. */
@Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CloseTest {
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫")
          .size(32, 24)
          .numInferenceSteps(3)
          .maxSequenceLength(8)
          .seed(5)
          .build();

  private static final String CLOSED =
      "[pipeline] is closed: its weights are unmapped. Open the checkpoint again.";

  private KolorsPipeline pipeline;
  private ExecutorService executor;

  @BeforeEach
  void open() throws IOException {
    pipeline = KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(2).open();
    executor = Executors.newVirtualThreadPerTaskExecutor();
  }

  @AfterEach
  void end() {
    executor.shutdownNow();
  }

  /** A request that waits in its first step's callback for {@code goOn}. */
  private Future<ImageResult> request(CountDownLatch running, CountDownLatch goOn) {
    return executor.submit(
        () ->
            pipeline.generate(
                SMALL,
                onStepEnd(
                    _ -> {
                      running.countDown();
                      await(goOn);
                    })));
  }

  private static void await(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void untilClosing(KolorsPipeline pipeline) {
    while (true) {
      try {
        pipeline.withScheduler(pipeline.scheduler());
        Thread.onSpinWait();
      } catch (IllegalStateException _) {
        return;
      }
    }
  }

  @Test
  void afterCloseEverythingThatNeedsTheWeightsIsRefusedWithOneSentence(@TempDir Path folder) {
    KolorsPipeline derived = pipeline.withScheduler(pipeline.scheduler());
    pipeline.close();
    pipeline.close();
    derived.close();
    assertTrue(derived.closeWithin(Duration.ZERO));
    for (Executable use :
        List.<Executable>of(
            () -> pipeline.generate(SMALL),
            () -> derived.generate(SMALL),
            () -> pipeline.encodePrompt("a"),
            () -> pipeline.withScheduler(pipeline.scheduler()),
            () -> pipeline.withVae(pipeline.vae()),
            () -> pipeline.savePretrained(folder.resolve("saved")))) {
      assertEquals(CLOSED, assertThrows(IllegalStateException.class, use).getMessage());
    }
    assertEquals(64, pipeline.defaultSize(), "what needs no weights is still known");
  }

  @Test
  void aRequestThatComesWhileAnotherIsWaitedForIsRefusedAtOnce() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    final Future<ImageResult> first = request(running, goOn);
    await(running);
    Future<?> closed = executor.submit(() -> pipeline.close());
    untilClosing(pipeline);
    assertEquals(
        CLOSED,
        assertThrows(IllegalStateException.class, () -> pipeline.generate(SMALL)).getMessage());
    assertFalse(closed.isDone(), "the first is still waited for");
    goOn.countDown();
    assertEquals(1, first.get().images().size());
    closed.get();
  }

  /** The callback waits for another user, who would wait for the close, which waits for it. */
  @Test
  void aCallbackThatWaitsForAnotherUserDoesNotHangInAClose() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    Future<ImageResult> first =
        executor.submit(
            () ->
                pipeline.generate(
                    SMALL,
                    onStepEnd(
                        _ -> {
                          running.countDown();
                          untilClosing(pipeline);
                          Future<?> other = executor.submit(() -> pipeline.encodePrompt("b"));
                          assertEquals(
                              CLOSED,
                              assertThrows(ExecutionException.class, other::get)
                                  .getCause()
                                  .getMessage());
                        })));
    await(running);
    pipeline.close();
    assertEquals(1, first.get().images().size());
  }

  @Test
  void aCallbackThatWaitsForACloseWithALimitIsNotWaitedForForEver() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    Future<ImageResult> first =
        executor.submit(
            () ->
                pipeline.generate(
                    SMALL,
                    onStepEnd(
                        _ -> {
                          running.countDown();
                          Future<Boolean> close =
                              executor.submit(() -> pipeline.closeWithin(Duration.ofMillis(10)));
                          try {
                            assertFalse(close.get(), "this request is still there");
                          } catch (InterruptedException | ExecutionException e) {
                            throw new AssertionError(e);
                          }
                        })));
    GenerationCancelledException cancelled =
        (GenerationCancelledException)
            assertThrows(ExecutionException.class, first::get).getCause();
    assertTrue(
        cancelled.getMessage().contains("its pipeline is being closed, after 1 of 3"),
        cancelled.getMessage());
    assertTrue(pipeline.closeWithin(Duration.ZERO), "the request has unmapped it");
  }

  @Test
  void aCloseWithALimitWaitsForSoLongAndThenCancels() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    final Future<ImageResult> first = request(running, goOn);
    await(running);
    Future<Boolean> patient = executor.submit(() -> pipeline.closeWithin(Duration.ofDays(1000)));
    untilClosing(pipeline);
    Future<Boolean> impatient = executor.submit(() -> pipeline.closeWithin(Duration.ofMillis(1)));
    Thread.sleep(50);
    goOn.countDown();
    assertTrue(patient.get(), "what one cancels, the other need not wait for");
    assertTrue(impatient.get());
    assertTrue(
        assertThrows(ExecutionException.class, first::get).getCause()
            instanceof GenerationCancelledException);
  }

  @Test
  void anInterruptOfTheClosingThreadCancelsTheRequestsAndStaysSet() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    final Future<ImageResult> first = request(running, goOn);
    await(running);
    CountDownLatch closing = new CountDownLatch(1);
    Thread closer =
        Thread.ofVirtual()
            .start(
                () -> {
                  pipeline.close();
                  if (Thread.currentThread().isInterrupted()) {
                    closing.countDown();
                  }
                });
    untilClosing(pipeline);
    closer.interrupt();
    Thread.sleep(50);
    goOn.countDown();
    await(closing);
    assertTrue(
        assertThrows(ExecutionException.class, first::get).getCause()
            instanceof GenerationCancelledException);
  }

  @Test
  void anInterruptedThreadClosesWhatNobodyUses() {
    Thread.currentThread().interrupt();
    assertTrue(pipeline.closeWithin(Duration.ofMinutes(1)));
    assertTrue(Thread.interrupted());
  }

  @Test
  void aCallbackCannotCloseTheRequestItRunsInAlsoNotWithALimit() {
    IllegalStateException refused =
        assertThrows(
            IllegalStateException.class,
            () -> pipeline.generate(SMALL, onStepEnd(_ -> pipeline.closeWithin(Duration.ZERO))));
    assertTrue(refused.getMessage().contains("from a callback"), refused.getMessage());
    pipeline.close();
  }
}
