package io.github.kolors4j.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.estimate.NominalWork.Kinds;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EstimateTest {
  private static final MachineSpeed SPEED = new MachineSpeed(1e9, 2e9, 0.5e9);
  private static final ImageRequest REQUEST =
      ImageRequest.builder("x").negativePrompt("y").numInferenceSteps(10).build();

  private static KolorsPipeline pipeline;

  @TempDir private Path folder;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static CostEstimate of(ImageRequest.Builder request) {
    return pipeline.estimate(request.build(), SPEED);
  }

  @Test
  void aStageTakesItsWorkAtTheSpeedOfEachKindAndTheRest() {
    CostEstimate.Stage stage = SPEED.of(new Kinds(1_000_000_000, 500_000_000, 250_000_000));
    assertEquals(3.5e9, stage.flop());
    assertEquals(1.2 * (2 + 0.5 + 1), stage.seconds(), 1e-9);
    assertEquals(0.35, stage.at(1e10).seconds(), 1e-9);
  }

  @Test
  void theWorkFollowsStepsImagesGuidanceAndPrompts() {
    CostEstimate plain = pipeline.estimate(REQUEST, SPEED);
    double prompts = of(REQUEST.toBuilder().numInferenceSteps(1)).denoise().flop();
    double steps = of(REQUEST.toBuilder().numInferenceSteps(11)).denoise().flop();
    double step = (steps - prompts) / 10;
    assertEquals(plain.denoise().flop() + step, steps, 1e-6 * steps);
    CostEstimate two = of(REQUEST.toBuilder().numImagesPerPrompt(2));
    assertEquals(plain.denoise().flop() + 10 * step, two.denoise().flop(), 1e-6 * steps);
    assertEquals(2 * plain.decode().flop(), two.decode().flop());
    assertEquals(plain.text(), two.text());
    CostEstimate unguided = of(REQUEST.toBuilder().guidanceScale(1));
    assertEquals(plain.text().flop() / 2, unguided.text().flop());
    assertEquals(plain.denoise().flop() / 2, unguided.denoise().flop());
    assertEquals(0, of(REQUEST.toBuilder().outputType(OutputType.LATENT)).decode().seconds());
  }

  /** Heun looks twice in each step but the last. */
  @Test
  void aSchedulerOfTwoRunsAStepCountsBoth() {
    KolorsPipeline heun =
        pipeline.withScheduler(
            Schedulers.byName("heun").fromConfig(pipeline.scheduler().config(), Map.of()));
    double one = of(REQUEST.toBuilder().numInferenceSteps(19)).denoise().flop();
    assertEquals(one, heun.estimate(REQUEST, SPEED).denoise().flop());
  }

  @Test
  void rememberedPromptsTakeNoTime() throws IOException {
    try (KolorsPipeline remembering =
        KolorsPipeline.builder(MiniCheckpoint.directory())
            .promptCache(PromptCache.at(folder))
            .open()) {
      CostEstimate before = remembering.estimate(REQUEST, SPEED);
      assertEquals(pipeline.estimate(REQUEST, SPEED).text(), before.text());
      remembering.encodePrompt("x");
      CostEstimate half = remembering.estimate(REQUEST, SPEED);
      assertEquals(before.text().flop() / 2, half.text().flop());
      remembering.encodePrompt("y");
      CostEstimate none = remembering.estimate(REQUEST, SPEED);
      assertEquals(0, none.text().flop());
      assertEquals(before.diskBytes() - pipeline.textEncoder().byteLength(), none.diskBytes());
    }
  }

  @Test
  void memoryGrowsWithThePictureAndDiskIsThatOfTheWeights() {
    CostEstimate small = of(REQUEST.toBuilder().size(64, 64));
    CostEstimate large = of(REQUEST.toBuilder().size(512, 512));
    assertTrue(large.heapBytes() > small.heapBytes(), small + " " + large);
    assertEquals(
        pipeline.textEncoder().byteLength()
            + pipeline.unet().byteLength()
            + pipeline.vae().byteLength(),
        small.diskBytes());
  }

  @Test
  void whatCannotBeGeneratedCannotBeEstimated() {
    assertThrows(IllegalArgumentException.class, () -> of(REQUEST.toBuilder().size(65, 64)));
  }

  @Test
  void theProbeKeepsItsTimeAndFindsASpeed() {
    try (ThreadPool threads = new ThreadPool(2)) {
      long begin = System.nanoTime();
      MachineSpeed speed = MachineSpeed.measure(threads, Products.F32, Duration.ofMillis(300));
      assertTrue(System.nanoTime() - begin < 60e9, "longer than a slow machine explains");
      for (double each : new double[] {speed.products(), speed.convolutions(), speed.attention()}) {
        assertTrue(each > 1e6 && each < 1e15, speed.toString());
      }
    }
  }
}
