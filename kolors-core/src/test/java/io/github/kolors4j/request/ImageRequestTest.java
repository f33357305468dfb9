package io.github.kolors4j.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.nio.file.Path;
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
    assertEquals(Steps.of(50), REQUEST.steps());
    assertEquals(5.0, REQUEST.guidance().scale());
    assertEquals(1, REQUEST.numImagesPerPrompt());
    assertEquals(List.of(), REQUEST.seeds());
    assertEquals(new Start.Noise(), REQUEST.start());
    assertEquals(OutputType.IMAGE, REQUEST.outputType());
    assertEquals(256, REQUEST.maxSequenceLength());
  }

  @Test
  void everyValueIsAsItWasGivenAndSurvivesAnotherBuilder() {
    FloatArray latents = FloatArray.of(new float[4], 1, 4, 1, 1);
    ImageRequest all =
        REQUEST.toBuilder()
            .prompts(List.of("a", "b"))
            .negativePrompts(List.of("c", "d"))
            .size(64, 32)
            .numInferenceSteps(7)
            .guidanceScale(1.5)
            .numImagesPerPrompt(3)
            .seeds(4, 5)
            .latents(latents)
            .denoisingEnd(0.5)
            .guidanceRescale(0.25)
            .eta(0.75)
            .rng(GeneratorType.CUDA)
            .imageLatents(latents)
            .strength(0.9)
            .denoisingStart(0.2)
            .originalSize(1, 2)
            .cropsCoordsTopLeft(3, 4)
            .targetSize(5, 6)
            .negativeOriginalSize(7, 8)
            .negativeCropsCoordsTopLeft(9, 10)
            .negativeTargetSize(11, 12)
            .pagScale(3)
            .pagAdaptiveScale(0.5)
            .pagAppliedLayers(List.of("down"))
            .vaeTiling(true)
            .compatibility(Compatibility.DIFFUSERS)
            .outputType(OutputType.LATENT)
            .maxSequenceLength(17)
            .build();
    assertEquals(List.of("a", "b"), all.prompts());
    assertEquals(List.of("c", "d"), all.negativePrompts());
    assertEquals(OptionalInt.of(32), all.height());
    assertEquals(OptionalInt.of(64), all.width());
    assertEquals(Steps.of(7), all.steps());
    assertEquals(3, all.numImagesPerPrompt());
    assertEquals(6, all.numImages());
    assertEquals(List.of(4L, 5L), all.seeds());
    assertEquals(
        new Start.Image(
            List.of(), Optional.of(latents), 0.9, OptionalDouble.of(0.2), Optional.of(latents)),
        all.start());
    assertEquals(OptionalDouble.of(0.5), all.denoisingEnd());
    assertEquals(0.75, all.eta());
    assertEquals(
        new Guidance(1.5, 0.25, new PerturbedAttentionGuidance(3, 0.5, List.of("down"))),
        all.guidance());
    assertEquals(GeneratorType.CUDA, all.rng());
    assertEquals(
        new MicroConditioning(
            Optional.of(new MicroConditioning.Size(1, 2)),
            Optional.of(new MicroConditioning.Crop(3, 4)),
            Optional.of(new MicroConditioning.Size(5, 6)),
            Optional.of(new MicroConditioning.Size(7, 8)),
            Optional.of(new MicroConditioning.Crop(9, 10)),
            Optional.of(new MicroConditioning.Size(11, 12))),
        all.sizes());
    assertTrue(all.vaeTiling());
    assertEquals(Compatibility.DIFFUSERS, all.compatibility());
    assertEquals(OutputType.LATENT, all.outputType());
    assertEquals(17, all.maxSequenceLength());
    assertEquals(all, all.toBuilder().build());
    assertEquals(all.hashCode(), all.toBuilder().build().hashCode());
    assertEquals(ImageRequest.of("一只瓢虫"), REQUEST, "the first is as it was");
  }

  @Test
  void stepsReplaceOneAnother() {
    ImageRequest.Builder builder = REQUEST.toBuilder().numInferenceSteps(3).timesteps(999, 1.5);
    assertEquals(new Steps.Timesteps(999, 1.5f), builder.build().steps());
    assertEquals(new Steps.Sigmas(3, 0), builder.sigmas(3, 0).build().steps());
    assertEquals(Steps.of(4), builder.numInferenceSteps(4).build().steps());
  }

  @Test
  void givenNoiseIsAStartOfItsOwn() {
    FloatArray latents = FloatArray.of(new float[4], 1, 4, 1, 1);
    ImageRequest request = REQUEST.toBuilder().latents(latents).build();
    assertEquals(new Start.Latents(latents), request.start());
    assertEquals(request, request.toBuilder().build());
    assertEquals(REQUEST, request.toBuilder().start(new Start.Noise()).build());
  }

  @Test
  void aMaskForInpaintingHasTheStrengthOfDiffusers() {
    KolorsImage image = KolorsImage.of(1, 1, new byte[3]);
    ImageRequest.Builder builder = REQUEST.toBuilder().image(image);
    assertEquals(0.3, builder.build().start().image().orElseThrow().strength());
    assertEquals(0.3, builder.strengthMap(image).build().start().image().orElseThrow().strength());
    assertEquals(0.9999, builder.mask(image).build().start().image().orElseThrow().strength());
    ImageRequest painted = builder.mask(image, 3).strength(0.5).build();
    assertEquals(painted, painted.toBuilder().build());
    assertEquals(0.5, painted.start().image().orElseThrow().strength());
    assertTrue(painted.start().image().orElseThrow().cropped());
    assertRefused(
        "[request] padding_mask_crop -1: use 0 pixels or more.", () -> builder.mask(image, -1));
  }

  @Test
  void aControlNetLeadsAllStepsUnlessItIsSaid() {
    ControlNetInput input =
        ControlNetInput.of(
            ControlNet.reference(Path.of("a"), "0"), KolorsImage.of(1, 1, new byte[3]));
    assertEquals(new ControlNetInput(input.controlNet(), input.image(), 0.8, 0, 1, false), input);
    assertEquals(
        List.of(input, input),
        REQUEST.toBuilder().controlNet(input).controlNet(input).build().controlNets());
    assertRefused(
        "[request] control_guidance_start 0.5 is after control_guidance_end 0.25: start earlier or"
            + " end later.",
        () -> input.between(0.5, 0.25));
    assertRefused(
        "[request] control_guidance_end is 1.5: use 0 to 1.", () -> input.between(0, 1.5));
    assertRefused(
        "[request] controlnet_conditioning_scale NaN is not a finite number.",
        () -> input.at(Double.NaN));
  }

  @Test
  void itsTextSaysWhatIsNotAtItsDefault() {
    assertEquals(
        "ImageRequest[prompts=[一只瓢虫], seeds=[3]]", REQUEST.toBuilder().seed(3).build().toString());
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
        () -> REQUEST.toBuilder().negativePrompt(null).build());
    assertRefused(
        "[request] negative prompt 0 is null.",
        () -> REQUEST.toBuilder().negativePrompts(Arrays.asList((String) null)).build());
    assertRefused(
        "[request] height 0: a picture has at least one latent cell, 8 pixels or more.",
        () -> REQUEST.toBuilder().height(0).build());
    assertRefused(
        "[request] width -8: a picture has at least one latent cell, 8 pixels or more.",
        () -> REQUEST.toBuilder().width(-8).build());
    assertRefused(
        "[request] 0 inference steps: use 1 or more.",
        () -> REQUEST.toBuilder().numInferenceSteps(0).build());
    for (float scale : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertRefused(
          "[request] guidance scale "
              + scale
              + " is not a finite number: use 5.0, or 1 for no guidance.",
          () -> REQUEST.toBuilder().guidanceScale(scale).build());
    }
    assertRefused(
        "[request] 0 images per prompt: use 1 or more.",
        () -> REQUEST.toBuilder().numImagesPerPrompt(0).build());
    assertRefused(
        "[request] max sequence length 257 is outside 1 to 256: Kolors reads at most 256 tokens.",
        () -> REQUEST.toBuilder().maxSequenceLength(257).build());
    assertRefused(
        "[request] max sequence length 0 is outside 1 to 256: Kolors reads at most 256 tokens.",
        () -> REQUEST.toBuilder().maxSequenceLength(0).build());
  }

  @Test
  void atMostOneIsNoGuidance() {
    assertTrue(
        REQUEST.toBuilder().guidanceScale(1.01f).build().guidance().doClassifierFreeGuidance());
    assertTrue(!REQUEST.toBuilder().guidanceScale(1).build().guidance().doClassifierFreeGuidance());
    assertTrue(
        !REQUEST.toBuilder().guidanceScale(-3).build().guidance().doClassifierFreeGuidance());
  }

  private static void assertRefused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
