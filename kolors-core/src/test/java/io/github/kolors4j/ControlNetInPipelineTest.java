package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.estimate.MachineSpeed;
import io.github.kolors4j.image.Canny;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Pictures that are led through ControlNets, against those of diffusers' community pipelines for
 * Kolors with their known faults mended.
 */
class ControlNetInPipelineTest {
  /** That of docs/numerics.md for latents through the whole pipeline. */
  private static final double MAX_LATENTS_RMS = 1e-3;

  private static final Map<String, ControlNet> NETS = new HashMap<>();

  private static KolorsPipeline pipeline;
  private static UNet2DConditionModel nine;
  private static PipelineFixture fixture;

  @BeforeAll
  static void open(@TempDir Path folder) throws IOException {
    pipeline = KolorsPipeline.open(PipelineFixture.CHECKPOINT);
    fixture = PipelineFixture.open("controlnet");
    nine = ControlFixtures.nineChannels(fixture);
    for (String name : List.of("a", "b")) {
      NETS.put(name, ControlFixtures.net(folder, fixture, name));
    }
  }

  @AfterAll
  static void close() {
    pipeline.close();
    nine.close();
    fixture.close();
  }

  static List<PipelineCall> calls() {
    return fixture.calls();
  }

  private static KolorsPipeline of(PipelineCall call) {
    return call.on(call.unet().equals("nine") ? pipeline.withUnet(nine) : pipeline);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void latentsAreThoseOfDiffusers(PipelineCall call) {
    ImageRequest request = call.request().toBuilder().controlNets(call.controls(NETS)).build();
    float[] latents = of(call).generate(request).latents().orElseThrow().values();
    double rms = PipelineFixture.relativeRms(latents, call.latents());
    System.out.printf("%s: relative RMS %.1e%n", call, rms);
    assertTrue(rms <= MAX_LATENTS_RMS, call + ": relative RMS " + rms);
  }

  private static final ImageRequest PLAIN =
      ImageRequest.builder("a red apple")
          .size(32, 24)
          .numInferenceSteps(4)
          .seed(3)
          .outputType(OutputType.LATENT)
          .build();

  private static ControlNetInput input(String net) {
    byte[] rgb = new byte[32 * 24 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % 32 > 8 && i / 96 > 9 ? 255 : 0);
    }
    return ControlNetInput.of(NETS.get(net), Canny.DEFAULT.edges(KolorsImage.of(32, 24, rgb)));
  }

  private static ImageRequest led(ControlNetInput... inputs) {
    return PLAIN.toBuilder().controlNets(List.of(inputs)).build();
  }

  private static float[] latents(ImageRequest request) {
    return pipeline.generate(request).latents().orElseThrow().values();
  }

  @Test
  void aControlNetOfScaleZeroOrOfNoStepGivesTheBytesOfNone() {
    float[] plain = latents(PLAIN);
    assertFalse(Arrays.equals(plain, latents(led(input("a")))), "it shows");
    assertArrayEquals(plain, latents(led(input("a").at(0))));
    assertArrayEquals(plain, latents(led(input("a").between(0.3, 0.4))));
    assertArrayEquals(latents(led(input("b"))), latents(led(input("a").at(0), input("b"))));
  }

  @Test
  void stepsThatAreNotLedAreThoseOfNone() {
    List<float[]> plain = stepByStep(PLAIN);
    List<float[]> last = stepByStep(led(input("a").between(0.75, 1)));
    for (int step = 0; step < 3; step++) {
      assertArrayEquals(plain.get(step), last.get(step), "step " + step);
    }
    assertFalse(Arrays.equals(plain.get(3), last.get(3)), "the last of four is led");
    List<float[]> first = stepByStep(led(input("a").between(0, 0.25)));
    assertFalse(Arrays.equals(plain.get(0), first.get(0)), "the first of four is led");
  }

  private static List<float[]> stepByStep(ImageRequest request) {
    List<float[]> latents = new ArrayList<>();
    pipeline.generate(request, Controls.onStepEnd(step -> latents.add(step.latents().values())));
    return latents;
  }

  @Test
  void anImageOfARequestOfSeveralIsTheSameAlone() {
    ImageRequest two =
        led(input("a")).toBuilder().prompts(List.of("a cat", "a car")).seed(5).build();
    float[] both = latents(two);
    float[] second = latents(two.only(1));
    assertArrayEquals(second, Arrays.copyOfRange(both, second.length, 2 * second.length));
  }

  @Test
  void aPerturbedRowIsLedAsTheOneThatItIsComparedWith() {
    ImageRequest perturbed = led(input("a")).toBuilder().pagScale(1).build();
    assertFalse(Arrays.equals(latents(perturbed), latents(led(input("a")))));
  }

  @Test
  void everySchedulerRuns() {
    for (SchedulerType type : Schedulers.all()) {
      Map<String, Object> needed =
          type.className().startsWith("EDM")
              ? Map.of("sigma_min", 0.002, "sigma_max", 80.0)
              : Map.of();
      KolorsPipeline scheduled =
          pipeline.withScheduler(type.fromConfig(pipeline.scheduler().config(), needed));
      float[] values =
          scheduled
              .generate(led(input("a")).toBuilder().guidanceScale(1).build())
              .latents()
              .orElseThrow()
              .values();
      for (float value : values) {
        assertTrue(Float.isFinite(value), type.className());
      }
    }
  }

  @Test
  void aPictureTellsHowItWasLedAndIsMadeAgain(@TempDir Path folder) throws IOException {
    ImageRequest request =
        led(input("a").at(0.5).between(0, 0.75).guessing()).toBuilder()
            .outputType(OutputType.IMAGE)
            .build();
    ImageResult result = pipeline.generate(request);
    Path file = folder.resolve("a.png");
    result.image().save(file, ImageFormat.PNG, pipeline.metadata(result, 0).texts());
    ImageRequest read = PictureMetadata.read(file).orElseThrow().request();
    ControlNetInput told = read.controlNets().getFirst();
    assertEquals(Path.of("net-a"), told.controlNet().directory(), "not where somebody keeps it");
    assertEquals(NETS.get("a"), told.controlNet());
    assertEquals(result.image(), pipeline.generate(read).image(), "it is open already");
    assertEquals(request, ImageRequest.fromJson(request.toJson()));
  }

  @Test
  void aControlNetThatIsAnotherOneByNowOrOfAnotherModelIsRefused() {
    ControlNet other = ControlNet.reference(NETS.get("a").directory(), "0123");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> pipeline.generate(led(ControlNetInput.of(other, input("a").image()))))
            .getMessage();
    assertTrue(message.contains("is another one than the one that was named"), message);
  }

  @Test
  void anEstimateCountsTheStepsThatAreLed() {
    MachineSpeed speed = new MachineSpeed(1e9, 1e9, 1e9);
    CostEstimate plain = pipeline.estimate(PLAIN, speed);
    CostEstimate all = pipeline.estimate(led(input("a")), speed);
    CostEstimate half = pipeline.estimate(led(input("a").between(0, 0.5)), speed);
    double ofAll = all.denoise().flop() - plain.denoise().flop();
    double ofHalf = half.denoise().flop() - plain.denoise().flop();
    assertTrue(ofAll > 0.3 * plain.denoise().flop(), "more than a third of the work");
    assertTrue(ofHalf > 0.5 * ofAll && ofHalf < 0.8 * ofAll, ofHalf + " of " + ofAll);
    assertTrue(all.heapBytes() > plain.heapBytes());
    assertTrue(all.diskBytes() > plain.diskBytes());
  }
}
