package io.github.kolors4j;

import static io.github.kolors4j.Controls.generators;
import static io.github.kolors4j.Controls.onProgress;
import static io.github.kolors4j.Controls.onStepEnd;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.request.StepEnd;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.request.TruncatedPrompt;
import io.github.kolors4j.request.UnfinishedRequest;
import io.github.kolors4j.scheduler.DPMSolverMultistepScheduler;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.TorchGenerator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pipeline promises beside its numbers, on small pictures of the mini checkpoint. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class KolorsPipelineTest {
  /** Two steps of 8x6 latent cells, a short context: all stages, quickly. */
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(16)
          .seed(5)
          .build();

  private static KolorsPipeline pipeline;
  private static KolorsImage expected;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(2).open();
    expected = pipeline.generate(SMALL).image();
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @Test
  void theSameRequestGivesTheSameBytes() {
    assertEquals(expected, pipeline.generate(SMALL).image());
    assertEquals(32, expected.width());
    assertEquals(24, expected.height());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7})
  void theBytesDoNotDependOnTheNumberOfThreads(int threads) throws IOException {
    try (KolorsPipeline other =
        KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(threads).open()) {
      assertEquals(expected, other.generate(SMALL).image());
    }
  }

  @Test
  void theBytesDoNotDependOnBatchMates() {
    ImageRequest batch =
        SMALL.toBuilder()
            .prompts(List.of("a penguin", "一只瓢虫,蓝色背景", "a car on a red background"))
            .negativePrompts(List.of("red", "", "blue"))
            .numImagesPerPrompt(2)
            .seeds(1, 2, 9, 5, 3, 4)
            .build();
    ImageResult result = pipeline.generate(batch);
    assertEquals(6, result.images().size());
    assertEquals(List.of(1L, 2L, 9L, 5L, 3L, 4L), result.seeds());
    assertEquals(expected, result.images().get(3));
    assertEquals(6, result.images().stream().distinct().count());
    assertEquals(
        result.images().getLast(),
        pipeline
            .generate(
                SMALL.toBuilder()
                    .prompts(List.of("a car on a red background"))
                    .negativePrompt("blue")
                    .seed(4)
                    .build())
            .image());
  }

  @Test
  void severalThreadsMayGenerateAtOnce() throws Exception {
    KolorsPipeline karras =
        pipeline.withScheduler(
            DPMSolverMultistepScheduler.fromConfig(
                pipeline.scheduler().config(), Map.of("use_karras_sigmas", true)));
    KolorsImage expectedKarras = karras.generate(SMALL).image();
    assertNotEquals(expected, expectedKarras);
    try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
      List<Callable<KolorsImage>> calls = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        KolorsPipeline each = i % 2 == 0 ? pipeline : karras;
        calls.add(() -> each.generate(SMALL).image());
      }
      List<Future<KolorsImage>> images = executor.invokeAll(calls);
      for (int i = 0; i < 4; i++) {
        assertEquals(i % 2 == 0 ? expected : expectedKarras, images.get(i).get());
      }
    }
  }

  @Test
  void theResultCanBeMadeAgainFromItsRequest() {
    ImageResult result =
        pipeline.generate(SMALL.toBuilder().seeds(List.of()).numImagesPerPrompt(2).build());
    assertEquals(result.images(), pipeline.generate(result.request()).images());
    ImageRequest second = SMALL.toBuilder().seed(result.seeds().getLast()).build();
    assertEquals(result.images().getLast(), pipeline.generate(second).image());
  }

  @Test
  void aGeneratorDrawsWhatItsSeedDrawsAndGoesOn() {
    ImageRequest request = SMALL.toBuilder().seeds(List.of()).build();
    RunControl control = generators(List.of(new TorchGenerator(5)));
    assertEquals(expected, pipeline.generate(request, control).image());
    assertNotEquals(expected, pipeline.generate(request, control).image());
    assertEquals(List.of(), pipeline.generate(request, control).seeds());
  }

  @Test
  void withoutGuidanceTheNegativePromptIsNotRead() {
    ImageRequest request = SMALL.toBuilder().guidanceScale(1).build();
    List<Progress> progress = new ArrayList<>();
    ImageResult result = pipeline.generate(request, onProgress(progress::add));
    assertEquals(
        result.image(),
        pipeline.generate(request.toBuilder().negativePrompt("red").build()).image());
    assertNotEquals(expected, result.image());
    assertEquals(1, progress.getFirst().steps(), "one text");
  }

  @Test
  void noNegativePromptIsAnEmptyOne() {
    assertEquals(expected, pipeline.generate(SMALL.toBuilder().negativePrompt("").build()).image());
    assertNotEquals(
        expected, pipeline.generate(SMALL.toBuilder().negativePrompt("蓝色").build()).image());
  }

  @Test
  void aShorterContextIsReallyShorter() {
    assertEquals(16, pipeline.encodePrompt("a", 16).promptEmbeds().shape().dim(1));
    assertNotEquals(
        expected, pipeline.generate(SMALL.toBuilder().maxSequenceLength(15).build()).image());
    pipeline.generate(SMALL.toBuilder().maxSequenceLength(1).build());
  }

  @Test
  void progressTellsOfEveryStageAndStep() {
    List<Progress> progress = new ArrayList<>();
    pipeline.generate(SMALL.toBuilder().numImagesPerPrompt(2).build(), onProgress(progress::add));
    assertEquals(
        "TEXT 0 0/2, TEXT 0 2/2, "
            + "DENOISE 0 0/2, DENOISE 0 1/2, DENOISE 0 2/2, DECODE 0 0/1, DECODE 0 1/1, "
            + "DENOISE 1 0/2, DENOISE 1 1/2, DENOISE 1 2/2, DECODE 1 0/1, DECODE 1 1/1",
        progress.stream()
            .map(p -> "%s %d %d/%d".formatted(p.stage(), p.image(), p.step(), p.steps()))
            .collect(Collectors.joining(", ")));
    Progress first = progress.get(3);
    assertEquals(551, first.timestep());
    assertEquals(2, first.images());
    assertEquals(Duration.ZERO, first.perStep(), "a short first step tells nothing of the next");
    Progress second = progress.get(4);
    assertTrue(second.perStep().isPositive());
    assertEquals(second.perStep().multipliedBy(2), second.timeLeft());
    assertEquals(Duration.ZERO, progress.getFirst().timeLeft());
    assertEquals(Duration.ZERO, progress.getLast().timeLeft());
  }

  @Test
  void timingsAddUp() {
    Timings timings = pipeline.generate(SMALL).timings();
    Duration stages = timings.text().plus(timings.denoise()).plus(timings.decode());
    assertTrue(timings.text().isPositive());
    assertTrue(timings.denoise().isPositive());
    assertTrue(timings.decode().isPositive());
    assertTrue(timings.total().compareTo(stages) >= 0);
  }

  @Test
  void theLastPreviewIsThePicture() {
    List<KolorsImage> previews = new ArrayList<>();
    List<FloatArray> latents = new ArrayList<>();
    AtomicReference<StepEnd> kept = new AtomicReference<>();
    ImageResult result =
        pipeline.generate(
            SMALL,
            onStepEnd(
                step -> {
                  previews.add(step.preview());
                  latents.add(step.latents());
                  kept.set(step);
                }));
    assertEquals(2, previews.size());
    assertNotEquals(previews.getFirst(), previews.getLast());
    assertEquals(expected, previews.getLast());
    assertEquals(expected, result.image());
    assertEquals(
        latents.getLast(),
        pipeline
            .generate(SMALL.toBuilder().outputType(OutputType.LATENT).build())
            .latents()
            .orElseThrow());
    assertEquals(
        "[callback] the step is over: its latents can be read inside onStepEnd only.",
        assertThrows(IllegalStateException.class, () -> kept.get().preview()).getMessage());
  }

  @Test
  void aCallbackCanEndTheRequestAndKeepWhatIsFinished() {
    List<Progress> progress = new ArrayList<>();
    GenerationCancelledException cancelled =
        assertThrows(
            GenerationCancelledException.class,
            () ->
                pipeline.generate(
                    SMALL.toBuilder().numImagesPerPrompt(2).build(),
                    RunControl.builder()
                        .onProgress(progress::add)
                        .onStepEnd(
                            step -> {
                              if (step.progress().image() == 1) {
                                step.cancel();
                              }
                            })
                        .build()));
    assertEquals(
        "[request] cancelled by its callback, after 3 of 4 denoising steps; 1 of 2"
            + " images are finished.",
        cancelled.getMessage());
    assertEquals(List.of(expected), cancelled.finished().images());
    assertEquals(List.of(5L), cancelled.finished().seeds());
    assertEquals(Stage.DENOISE, progress.getLast().stage(), "no decoding after that");
    assertEquals(1, progress.getLast().step(), "no step after that");
  }

  @Test
  void imagesReachTheCallerAsTheyAreFinished() {
    List<String> heard = new ArrayList<>();
    List<FinishedImage> delivered = new ArrayList<>();
    RunControl control =
        RunControl.builder()
            .onImage(
                image -> {
                  heard.add("image " + image.index());
                  delivered.add(image);
                })
            .onProgress(
                progress -> {
                  if (progress.stage() == Stage.DENOISE && progress.step() == 0) {
                    heard.add("begin " + progress.image());
                  }
                })
            .build();
    ImageResult result =
        pipeline.generate(SMALL.toBuilder().numImagesPerPrompt(2).build(), control);
    assertEquals(List.of("begin 0", "image 0", "begin 1", "image 1"), heard);
    assertEquals(
        result.images(), delivered.stream().map(image -> image.image().orElseThrow()).toList());
    assertEquals(
        List.of(5L, 6L), delivered.stream().map(image -> image.seed().orElseThrow()).toList());
    delivered.clear();
    pipeline.generate(SMALL.toBuilder().outputType(OutputType.LATENT).build(), control);
    assertTrue(delivered.getFirst().image().isEmpty());
    assertEquals(1, delivered.getFirst().latents().orElseThrow().shape().dim(0));
  }

  @Test
  void whateverEndsARequestCarriesWhatWasFinished() {
    RuntimeException fault = new RuntimeException("of the listener");
    RunControl control =
        RunControl.builder()
            .onImage(
                image -> {
                  if (image.index() == 1) {
                    throw fault;
                  }
                })
            .build();
    RuntimeException thrown =
        assertThrows(
            RuntimeException.class,
            () -> pipeline.generate(SMALL.toBuilder().numImagesPerPrompt(3).build(), control));
    assertSame(fault, thrown);
    ImageResult finished = UnfinishedRequest.finishedBefore(thrown).orElseThrow();
    assertEquals(2, finished.images().size());
    assertEquals(List.of(5L, 6L), finished.seeds());
    assertEquals(expected, finished.image());
    assertEquals(Optional.empty(), UnfinishedRequest.finishedBefore(new RuntimeException()));
  }

  @Test
  void aTokenEndsTheRequestBeforeItDecodes() {
    CancellationToken token = new CancellationToken();
    List<Progress> progress = new ArrayList<>();
    RunControl control =
        RunControl.builder()
            .cancellation(token)
            .onProgress(
                each -> {
                  progress.add(each);
                  if (each.stage() == Stage.DENOISE && each.step() == 2) {
                    token.cancel();
                  }
                })
            .build();
    GenerationCancelledException cancelled =
        assertThrows(GenerationCancelledException.class, () -> pipeline.generate(SMALL, control));
    assertTrue(cancelled.finished().images().isEmpty());
    assertTrue(cancelled.finished().seeds().isEmpty());
    assertEquals(Stage.DENOISE, progress.getLast().stage());

    progress.clear();
    assertThrows(GenerationCancelledException.class, () -> pipeline.generate(SMALL, control));
    assertTrue(progress.isEmpty(), "a token that was cancelled before");
  }

  @Test
  void anInterruptEndsTheRequestAndStaysSet() {
    Thread.currentThread().interrupt();
    try {
      assertThrows(GenerationCancelledException.class, () -> pipeline.generate(SMALL));
    } finally {
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void aPromptThatIsCutIsReportedWithItsLostPart() {
    String prompt = "a ladybug on a blue background, " + "high quality ".repeat(10);
    ImageResult result = pipeline.generate(SMALL.toBuilder().prompts(List.of(prompt)).build());
    assertEquals(1, result.truncatedPrompts().size());
    TruncatedPrompt cut = result.truncatedPrompts().getFirst();
    assertEquals(prompt, cut.prompt());
    assertFalse(cut.lost().isEmpty());
    assertTrue(prompt.endsWith(cut.lost()), cut.lost());
    assertTrue(pipeline.generate(SMALL).truncatedPrompts().isEmpty());
  }

  @Test
  void sizesFollowTheModel() {
    assertEquals(4, pipeline.vaeScaleFactor());
    assertEquals(64, pipeline.defaultSize());
    assertRefused(
        "[request] width 20 is not a multiple of 8 (as diffusers asks): use 16 or 24.",
        SMALL.toBuilder().width(20).build());
  }

  @Test
  void stepsThatTheSchedulerRefusesCostNothing() {
    List<Progress> progress = new ArrayList<>();
    Scheduler own = pipeline.scheduler();
    Scheduler refusing =
        new Scheduler() {
          @Override
          public String className() {
            return own.className();
          }

          @Override
          public SchedulerConfig config() {
            return own.config();
          }

          @Override
          public Schedule schedule(Steps steps) {
            throw new IllegalArgumentException("[scheduler] not " + steps);
          }
        };
    KolorsPipeline refused = pipeline.withScheduler(refusing);
    assertThrows(
        IllegalArgumentException.class, () -> refused.generate(SMALL, onProgress(progress::add)));
    assertTrue(progress.isEmpty());
  }

  @Test
  void aFullHeapIsExplained() {
    OutOfMemoryError full = new OutOfMemoryError("Java heap space");
    OutOfMemoryError thrown =
        assertThrows(
            OutOfMemoryError.class,
            () ->
                pipeline.generate(
                    SMALL,
                    onStepEnd(
                        _ -> {
                          throw full;
                        })));
    assertSame(full, thrown.getCause());
    assertTrue(
        thrown.getMessage().startsWith("[memory] 32x24 pixels did not fit into the Java heap of "),
        thrown.getMessage());
  }

  @Test
  void closingWaitsForARunningRequestAndRefusesNewOnes() throws Exception {
    KolorsPipeline closing = KolorsPipeline.open(PipelineFixture.CHECKPOINT);
    KolorsPipeline derived = closing.withScheduler(closing.scheduler());
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
      Future<ImageResult> result =
          executor.submit(
              () ->
                  derived.generate(
                      SMALL,
                      onStepEnd(
                          _ -> {
                            running.countDown();
                            await(goOn);
                          })));
      await(running);
      Future<?> closed = executor.submit(closing::close);
      while (isOpen(closing)) {
        Thread.onSpinWait();
      }
      assertFalse(closed.isDone());
      goOn.countDown();
      assertEquals(expected, result.get().image());
      closed.get();
    }
    derived.close();
    IllegalStateException refused =
        assertThrows(IllegalStateException.class, () -> derived.generate(SMALL));
    assertEquals(
        "[pipeline] is closed: its weights are unmapped. Open the checkpoint again.",
        refused.getMessage());
    assertThrows(IllegalStateException.class, () -> closing.encodePrompt("a"));
  }

  @Test
  void aCallbackCannotCloseThePipelineItRunsIn() {
    IllegalStateException refused =
        assertThrows(
            IllegalStateException.class,
            () -> pipeline.generate(SMALL, onStepEnd(_ -> pipeline.close())));
    assertTrue(refused.getMessage().contains("from a callback"), refused.getMessage());
    assertEquals(expected, pipeline.generate(SMALL).image());
  }

  private static boolean isOpen(KolorsPipeline pipeline) {
    try {
      pipeline.withScheduler(pipeline.scheduler());
      return true;
    } catch (IllegalStateException _) {
      return false;
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(1, TimeUnit.MINUTES));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertRefused(String message, ImageRequest request) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> pipeline.generate(request))
            .getMessage());
  }
}
