package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.random.Generator;
import io.github.kolors4j.tensor.random.GeneratorType;
import io.github.kolors4j.tensor.random.TorchGenerator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ImageRequestTest {
  private static final ImageRequest REQUEST = ImageRequest.of("一只瓢虫");

  @Test
  void theDefaultsAreThoseOfDiffusers() {
    assertEquals(List.of("一只瓢虫"), REQUEST.prompts());
    assertEquals(List.of(), REQUEST.negativePrompts());
    assertEquals(OptionalInt.empty(), REQUEST.height());
    assertEquals(OptionalInt.empty(), REQUEST.width());
    assertEquals(50, REQUEST.numInferenceSteps());
    assertEquals(5.0f, REQUEST.guidanceScale());
    assertEquals(1, REQUEST.numImagesPerPrompt());
    assertEquals(List.of(), REQUEST.seeds());
    assertEquals(Optional.empty(), REQUEST.latents());
    assertEquals(OutputType.IMAGE, REQUEST.outputType());
    assertEquals(256, REQUEST.maxSequenceLength());
  }

  @Test
  void everyWitherChangesItsValueAlone() {
    StepCallback callback = _ -> {};
    ProgressListener listener = _ -> {};
    CancellationToken token = new CancellationToken();
    FloatArray latents = FloatArray.of(new float[4], 1, 4, 1, 1);
    List<Generator> generators = List.of(new TorchGenerator(1));
    ImageToImage image =
        new ImageToImage(List.of(), Optional.of(latents), 0.9, OptionalDouble.of(0.2));
    MicroConditioning sizes =
        new MicroConditioning(
            Optional.of(new MicroConditioning.Size(1, 2)),
            Optional.of(new MicroConditioning.Crop(3, 4)),
            Optional.of(new MicroConditioning.Size(5, 6)),
            Optional.of(new MicroConditioning.Size(7, 8)),
            Optional.of(new MicroConditioning.Crop(9, 10)),
            Optional.of(new MicroConditioning.Size(11, 12)));
    ImageRequest all =
        REQUEST
            .withPrompts(List.of("a", "b"))
            .withNegativePrompts(List.of("c", "d"))
            .withSize(64, 32)
            .withNumInferenceSteps(7)
            .withGuidanceScale(1.5f)
            .withNumImagesPerPrompt(3)
            .withSeeds(4, 5)
            .withGenerators(generators)
            .withLatents(latents)
            .withDenoisingEnd(0.5)
            .withGuidanceRescale(0.25f)
            .withEta(0.75)
            .withRng(GeneratorType.CUDA)
            .withImageLatents(latents)
            .withStrength(0.9)
            .withDenoisingStart(0.2)
            .withOriginalSize(1, 2)
            .withCropsCoordsTopLeft(3, 4)
            .withTargetSize(5, 6)
            .withNegativeOriginalSize(7, 8)
            .withNegativeCropsCoordsTopLeft(9, 10)
            .withNegativeTargetSize(11, 12)
            .withPagScale(3)
            .withPagAdaptiveScale(0.5f)
            .withPagAppliedLayers(List.of("down"))
            .withVaeTiling(true)
            .withCompatibility(Compatibility.DIFFUSERS)
            .withOutputType(OutputType.LATENT)
            .withMaxSequenceLength(17)
            .withOnStepEnd(callback)
            .withOnProgress(listener)
            .withCancellation(token);
    assertEquals(
        new ImageRequest(
            List.of("a", "b"),
            List.of("c", "d"),
            Optional.empty(),
            OptionalInt.of(32),
            OptionalInt.of(64),
            7,
            List.of(),
            List.of(),
            OptionalDouble.of(0.5),
            1.5f,
            0.25f,
            0.75,
            3,
            List.of(4L, 5L),
            generators,
            GeneratorType.CUDA,
            Optional.of(latents),
            Optional.of(image),
            sizes,
            new PerturbedAttentionGuidance(3, 0.5f, List.of("down")),
            OutputType.LATENT,
            true,
            17,
            Compatibility.DIFFUSERS,
            Optional.of(callback),
            Optional.of(listener),
            Optional.of(token)),
        all);
    assertEquals(6, all.numImages());
    assertEquals(ImageRequest.of("一只瓢虫"), REQUEST, "the first is as it was");
  }

  @Test
  void aRequestDoesNotChangeWithTheListsItWasMadeFrom() {
    List<String> prompts = new ArrayList<>(List.of("a"));
    ImageRequest request = ImageRequest.of(prompts);
    prompts.add("b");
    assertEquals(List.of("a"), request.prompts());
    assertThrows(UnsupportedOperationException.class, () -> request.prompts().add("c"));
  }

  @Test
  void valuesThatNoModelCanUseAreRefusedWhereTheyAreGiven() {
    assertRefused(
        "[request] the prompt is null: give a text, which may be empty.",
        () -> ImageRequest.of((String) null));
    assertRefused(
        "[request] the list of prompts is empty: give at least one, which may be empty text.",
        () -> ImageRequest.of(List.of()));
    assertRefused(
        "[request] the list of prompts is null: give an empty one for none.",
        () -> ImageRequest.of((List<String>) null));
    assertRefused("[request] prompt 1 is null.", () -> ImageRequest.of(Arrays.asList("a", null)));
    assertRefused(
        "[request] the negative prompt is null: leave it out, or give a text.",
        () -> REQUEST.withNegativePrompt(null));
    assertRefused(
        "[request] negative prompt 0 is null.",
        () -> REQUEST.withNegativePrompts(Arrays.asList((String) null)));
    assertRefused(
        "[request] height 0: a picture has at least one latent cell, 8 pixels or more.",
        () -> REQUEST.withHeight(0));
    assertRefused(
        "[request] width -8: a picture has at least one latent cell, 8 pixels or more.",
        () -> REQUEST.withWidth(-8));
    assertRefused(
        "[request] 0 inference steps: use 1 or more.", () -> REQUEST.withNumInferenceSteps(0));
    for (float scale : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertRefused(
          "[request] guidance scale "
              + scale
              + " is not a finite number: use 5.0, or 1 for no guidance.",
          () -> REQUEST.withGuidanceScale(scale));
    }
    assertRefused(
        "[request] 0 images per prompt: use 1 or more.", () -> REQUEST.withNumImagesPerPrompt(0));
    assertRefused(
        "[request] max sequence length 257 is outside 1 to 256: Kolors reads at most 256 tokens.",
        () -> REQUEST.withMaxSequenceLength(257));
    assertRefused(
        "[request] max sequence length 0 is outside 1 to 256: Kolors reads at most 256 tokens.",
        () -> REQUEST.withMaxSequenceLength(0));
  }

  @Test
  void atMostOneIsNoGuidance() {
    assertTrue(REQUEST.withGuidanceScale(1.01f).doClassifierFreeGuidance());
    assertTrue(!REQUEST.withGuidanceScale(1).doClassifierFreeGuidance());
    assertTrue(!REQUEST.withGuidanceScale(-3).doClassifierFreeGuidance());
  }

  private static void assertRefused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
