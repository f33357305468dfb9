package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every argument of diffusers' Kolors pipelines against what diffusers makes of it. */
class KolorsPipelineCompleteTest {
  /** That of docs/numerics.md for latents through the whole pipeline. */
  private static final double MAX_LATENTS_RMS = 1e-3;

  /**
   * PNDM's fourth order makes much of rounding here: from noise that is changed by 1e-6, diffusers
   * itself comes to latents that are changed by 6e-4, and not by 1e-5 as elsewhere.
   */
  private static final Map<String, Double> MAX_RMS_OF_SENSITIVE = Map.of("pndm_16", 5e-3);

  private static final List<String> FILES =
      List.of("schedulers", "arguments", "image_to_image", "perturbed_attention");

  private static KolorsPipeline pipeline;
  private static final Map<String, PipelineFixture> FIXTURES = new HashMap<>();

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(PipelineFixture.CHECKPOINT);
    for (String file : FILES) {
      FIXTURES.put(file, PipelineFixture.open(file));
    }
  }

  @AfterAll
  static void close() {
    pipeline.close();
    FIXTURES.values().forEach(PipelineFixture::close);
  }

  static List<PipelineCall> schedulers() {
    return FIXTURES.get("schedulers").calls();
  }

  static List<PipelineCall> arguments() {
    return FIXTURES.get("arguments").calls();
  }

  static List<PipelineCall> imageToImage() {
    return FIXTURES.get("image_to_image").calls();
  }

  static List<PipelineCall> perturbedAttention() {
    return FIXTURES.get("perturbed_attention").calls();
  }

  static List<PipelineCall> faults() {
    return FIXTURES.values().stream()
        .flatMap(each -> each.calls().stream())
        .filter(PipelineCall::needsCompatibility)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void latentsAreThoseOfDiffusersForEveryScheduler(PipelineCall call) {
    assertLatents(call);
  }

  @ParameterizedTest
  @MethodSource("arguments")
  void latentsAreThoseOfDiffusersForEveryArgument(PipelineCall call) {
    assertLatents(call);
  }

  @ParameterizedTest
  @MethodSource("imageToImage")
  void latentsAreThoseOfDiffusersFromImages(PipelineCall call) {
    assertLatents(call);
  }

  @ParameterizedTest
  @MethodSource("perturbedAttention")
  void latentsAreThoseOfDiffusersUnderPerturbedAttention(PipelineCall call) {
    assertLatents(call);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void faultsOfDiffusersAreOnlyKeptWhenAskedFor(PipelineCall call) {
    ImageRequest mended = call.request().toBuilder().compatibility(Compatibility.MENDED).build();
    double rms = PipelineFixture.relativeRms(latents(call, mended), call.latents());
    assertTrue(rms > MAX_LATENTS_RMS, call + ": " + call.compatibility() + ", but only " + rms);
  }

  @Test
  void allSchedulersButTheOneOfTorchsdeAreCovered() {
    assertEquals(17, schedulers().stream().map(PipelineCall::schedulerClass).distinct().count());
    assertFalse(faults().isEmpty());
  }

  private static void assertLatents(PipelineCall call) {
    FloatArray latents =
        call.on(pipeline).generate(call.request(), call.control()).latents().orElseThrow();
    assertArrayEquals(call.latentsShape(), latents.shape().dims(), call.toString());
    double rms = PipelineFixture.relativeRms(latents.values(), call.latents());
    System.out.printf("%s: relative RMS %.1e%n", call, rms);
    double max = MAX_RMS_OF_SENSITIVE.getOrDefault(call.toString(), MAX_LATENTS_RMS);
    assertTrue(rms <= max, call + ": relative RMS " + rms);
  }

  private static float[] latents(PipelineCall call, ImageRequest request) {
    return call.on(pipeline).generate(request, call.control()).latents().orElseThrow().values();
  }
}
