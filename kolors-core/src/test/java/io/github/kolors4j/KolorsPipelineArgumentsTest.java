package io.github.kolors4j;

import static io.github.kolors4j.Controls.generators;
import static io.github.kolors4j.Controls.onStepEnd;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.CFGCutoffCallback;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.StepEnd;
import io.github.kolors4j.scheduler.DDIMScheduler;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.GeneratorType;
import io.github.kolors4j.tensor.random.TorchGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What each argument does, as far as it shows without a reference. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class KolorsPipelineArgumentsTest {
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .size(32, 24)
          .numInferenceSteps(4)
          .maxSequenceLength(16)
          .outputType(OutputType.LATENT)
          .seed(5)
          .build();

  private static KolorsPipeline pipeline;
  private static FloatArray expected;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(2).open();
    expected = latents(SMALL);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static FloatArray latents(ImageRequest request) {
    return latents(request, RunControl.NONE);
  }

  private static FloatArray latents(ImageRequest request, RunControl control) {
    return pipeline.generate(request, control).latents().orElseThrow();
  }

  private static KolorsImage gradient(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i * 7 / 3);
    }
    return KolorsImage.of(width, height, rgb);
  }

  /** The first five steps and the last two are predicted whatever is left out between. */
  @Test
  void predictionsAreLeftOutOnlyWhereAskedAndBetweenTheFirstAndTheLastSteps() {
    ImageRequest seven = SMALL.toBuilder().numInferenceSteps(7).build();
    assertEquals(latents(seven), latents(seven.toBuilder().predictEvery(3).build()));
    ImageRequest twelve = SMALL.toBuilder().numInferenceSteps(12).build();
    assertEquals(latents(twelve), latents(twelve.toBuilder().predictEvery(1).build()));
    FloatArray all = latents(twelve);
    FloatArray some = latents(twelve.toBuilder().predictEvery(2).build());
    assertNotEquals(all, some);
    double squares = 0;
    double differences = 0;
    for (int i = 0; i < all.values().length; i++) {
      squares += Math.pow(all.values()[i], 2);
      differences += Math.pow(all.values()[i] - some.values()[i], 2);
    }
    assertTrue(differences < 0.05 * squares, "another picture: " + differences / squares);
  }

  @Test
  void onlyEulersStepsCanDoWithoutPredictions() throws IOException {
    KolorsPipeline other =
        pipeline.withScheduler(DDIMScheduler.fromConfig(pipeline.scheduler().config(), Map.of()));
    ImageRequest request = SMALL.toBuilder().predictEvery(2).build();
    String message =
        assertThrows(IllegalArgumentException.class, () -> other.generate(request)).getMessage();
    assertTrue(message.startsWith("[request] predict_every 2 with DDIMScheduler"), message);
  }

  @Test
  void encodedPromptsGiveThePictureOfTheirTexts() {
    EncodedPrompt prompt = pipeline.encodePrompt("一只瓢虫,蓝色背景", 16);
    EncodedPrompt negative = pipeline.encodePrompt("", 16);
    ImageRequest both =
        new Embedded(PromptEmbeds.of(prompt, negative)).request().toBuilder().size(32, 24).build();
    assertEquals(expected, latents(both));
    ImageRequest positiveOnly =
        new Embedded(PromptEmbeds.of(prompt)).request().toBuilder().size(32, 24).build();
    assertEquals(expected, latents(positiveOnly), "the negative prompt is encoded");
  }

  private record Embedded(PromptEmbeds embeds) {
    ImageRequest request() {
      return ImageRequest.builder(embeds)
          .numInferenceSteps(4)
          .outputType(OutputType.LATENT)
          .seed(5)
          .build();
    }
  }

  @Test
  void aRequestThatEndsEarlyIsContinuedByImageToImage() {
    FloatArray half = latents(SMALL.toBuilder().denoisingEnd(0.5).build());
    assertNotEquals(expected, half);
    ImageRequest rest = SMALL.toBuilder().imageLatents(half).denoisingStart(0.5).build();
    assertEquals(expected, latents(rest));
  }

  @Test
  void theTimestepsOfACountGiveItsPicture() {
    DDIMScheduler ddim = DDIMScheduler.fromConfig(pipeline.scheduler().config(), Map.of());
    KolorsPipeline other = pipeline.withScheduler(ddim);
    List<Float> seen = new ArrayList<>();
    other.generate(SMALL, onStepEnd(step -> seen.add(step.progress().timestep())));
    assertEquals(4, seen.size());
  }

  @Test
  void strengthDecidesHowManyStepsAreTaken() {
    KolorsImage image = gradient(32, 24);
    List<Integer> steps = new ArrayList<>();
    for (double strength : new double[] {0.25, 0.5, 1}) {
      ImageRequest request = SMALL.toBuilder().image(image).strength(strength).build();
      latents(request, onStepEnd(step -> steps.add(step.progress().steps())));
    }
    assertEquals(List.of(1, 2, 2, 4, 4, 4, 4), steps);
  }

  @Test
  void withoutScalePerturbedAttentionChangesNothing() {
    ImageRequest plain = SMALL.toBuilder().image(gradient(32, 24)).strength(0.5).build();
    FloatArray picture = latents(plain);
    assertEquals(
        picture, latents(plain.toBuilder().pagScale(0).pagAppliedLayers(List.of("down")).build()));
    assertNotEquals(picture, latents(plain.toBuilder().pagScale(3).build()));
  }

  @Test
  void anImageOfAnotherSizeIsResizedToTheRequest() {
    ImageRequest request = SMALL.toBuilder().image(gradient(50, 40)).strength(0.5).build();
    assertArrayEquals(new int[] {1, 4, 6, 8}, latents(request).shape().dims());
  }

  @Test
  void theSizeIsByDefaultTheImagesRoundedDown() {
    ImageRequest request =
        ImageRequest.builder("a")
            .image(gradient(39, 31))
            .numInferenceSteps(4)
            .strength(0.25)
            .maxSequenceLength(16)
            .seed(1)
            .build();
    KolorsImage image = pipeline.generate(request).image();
    assertEquals(32, image.width());
    assertEquals(24, image.height());
  }

  @Test
  void sizesThatTheUNetIsToldChangeThePicture() {
    assertEquals(
        expected, latents(SMALL.toBuilder().originalSize(24, 32).targetSize(24, 32).build()));
    assertNotEquals(expected, latents(SMALL.toBuilder().originalSize(640, 480).build()));
    assertNotEquals(expected, latents(SMALL.toBuilder().cropsCoordsTopLeft(0, 64).build()));
    assertEquals(
        expected,
        latents(SMALL.toBuilder().negativeOriginalSize(64, 64).build()),
        "without a target");
    assertNotEquals(
        expected,
        latents(SMALL.toBuilder().negativeOriginalSize(64, 64).negativeTargetSize(64, 64).build()));
  }

  @Test
  void rowsOfSizesAreMixedOnlyWhereTheReferenceIsWanted() {
    ImageRequest two =
        SMALL.toBuilder()
            .numImagesPerPrompt(2)
            .seeds(5, 6)
            .negativeOriginalSize(64, 64)
            .negativeTargetSize(64, 64)
            .build();
    FloatArray mended = latents(two);
    FloatArray alone = latents(two.toBuilder().numImagesPerPrompt(1).seed(5).build());
    int length = alone.shape().size();
    float[] first = new float[length];
    System.arraycopy(mended.values(), 0, first, 0, length);
    assertArrayEquals(alone.values(), first);
    assertNotEquals(
        mended, latents(two.toBuilder().compatibility(Compatibility.DIFFUSERS).build()));
  }

  @Test
  void theReferenceReadsAllTokensWhateverItIsTold() {
    ImageRequest full = SMALL.toBuilder().maxSequenceLength(256).build();
    assertEquals(
        latents(full), latents(SMALL.toBuilder().compatibility(Compatibility.DIFFUSERS).build()));
    assertNotEquals(expected, latents(full));
  }

  @Test
  void etaAddsNoiseWithDdimOnly() {
    assertEquals(expected, latents(SMALL.toBuilder().eta(0.7).build()));
    KolorsPipeline ddim =
        pipeline.withScheduler(DDIMScheduler.fromConfig(pipeline.scheduler().config(), Map.of()));
    assertNotEquals(
        ddim.generate(SMALL).latents(),
        ddim.generate(SMALL.toBuilder().eta(0.7).build()).latents());
  }

  @Test
  void seedsAreForTheGeneratorThatIsChosen() {
    for (GeneratorType rng : GeneratorType.values()) {
      ImageRequest seeded = SMALL.toBuilder().rng(rng).build();
      FloatArray generated =
          latents(
              SMALL.toBuilder().seeds(List.of()).build(), generators(List.of(rng.generator(5))));
      assertEquals(latents(seeded), generated, rng.toString());
    }
    assertNotEquals(expected, latents(SMALL.toBuilder().rng(GeneratorType.CUDA).build()));
  }

  @Test
  void guidanceRescaleTakesBackContrast() {
    FloatArray strong = latents(SMALL.toBuilder().guidanceScale(12).build());
    FloatArray rescaled =
        latents(SMALL.toBuilder().guidanceScale(12).guidanceRescale(0.7f).build());
    assertNotEquals(strong, rescaled);
    assertEquals(-1, Double.compare(deviation(rescaled), deviation(strong)));
  }

  private static double deviation(FloatArray array) {
    double mean = 0;
    for (float value : array.values()) {
      mean += value / (double) array.shape().size();
    }
    double sum = 0;
    for (float value : array.values()) {
      sum += (value - mean) * (value - mean);
    }
    return sum;
  }

  @Test
  void aCallbackReadsAndReplacesWhatTheNextStepSees() {
    FloatArray other = FloatArray.of(new TorchGenerator(9).randn(4 * 6 * 8), 1, 4, 6, 8);
    FloatArray changed =
        latents(
            SMALL,
            onStepEnd(
                step -> {
                  if (step.progress().step() == 4) {
                    step.setLatents(other);
                  }
                }));
    assertEquals(other, changed);
    FloatArray same =
        latents(
            SMALL,
            onStepEnd(
                step -> {
                  step.setLatents(step.latents());
                  step.setPromptEmbeds(step.promptEmbeds());
                  step.setAddTextEmbeds(step.addTextEmbeds());
                  step.setAddTimeIds(step.addTimeIds());
                  step.setGuidanceScale(step.guidanceScale());
                }));
    assertEquals(expected, same);
    FloatArray swapped =
        latents(
            SMALL,
            onStepEnd(
                step -> {
                  float[] ids = step.addTimeIds().values();
                  ids[6] = 4 * ids[6];
                  step.setAddTimeIds(FloatArray.of(ids, 2, 6));
                }));
    assertNotEquals(expected, swapped);
  }

  @Test
  void aCallbackIsToldWhatDoesNotFit() {
    assertCallbackRefused(
        "[callback] latents are [1]: [1, 4, 6, 8] is needed.",
        SMALL,
        onStepEnd(step -> step.setLatents(FloatArray.of(new float[1], 1))));
    assertCallbackRefused(
        "[callback] add_time_ids are [1, 6]: [2, 6] is needed.",
        SMALL,
        onStepEnd(step -> step.setAddTimeIds(FloatArray.of(new float[6], 1, 6))));
    assertCallbackRefused(
        "[callback] guidance scale 3.0: the request began without guidance, so its negative prompt"
            + " is not encoded. Begin with a guidance scale above 1.",
        SMALL.toBuilder().guidanceScale(1).build(),
        onStepEnd(step -> step.setGuidanceScale(3)));
  }

  private static void assertCallbackRefused(
      String message, ImageRequest request, RunControl control) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> pipeline.generate(request, control))
            .getMessage());
  }

  private static void assertRefused(String message, ImageRequest request) {
    assertCallbackRefused(message, request, RunControl.NONE);
  }

  @Test
  void guidanceCanEndAfterAPartOfTheSteps() {
    List<Double> scales = new ArrayList<>();
    FloatArray cut =
        latents(
            SMALL,
            onStepEnd(
                CFGCutoffCallback.afterRatio(0.25)
                    .andThen(step -> scales.add(step.guidanceScale()))));
    assertEquals(List.of(5.0, 0.0, 0.0, 0.0), scales);
    assertNotEquals(expected, cut);
    assertEquals(cut, latents(SMALL, onStepEnd(CFGCutoffCallback.afterStep(1))));
    assertEquals(
        expected, latents(SMALL, onStepEnd(CFGCutoffCallback.afterStep(3))), "no step follows");
  }

  @Test
  void anInterruptedRequestIsDecodedOnlyWhereTheReferenceIsWanted() {
    ImageRequest request = SMALL.toBuilder().outputType(OutputType.IMAGE).build();
    RunControl interrupted = onStepEnd(StepEnd::cancel);
    assertThrows(GenerationCancelledException.class, () -> pipeline.generate(request, interrupted));
    ImageResult decoded =
        pipeline.generate(
            request.toBuilder().compatibility(Compatibility.DIFFUSERS).build(), interrupted);
    assertEquals(1, decoded.images().size());
  }

  @Test
  void aShareOfTheStepsThatLeavesNoneIsRefused() {
    assertRefused(
        "[request] strength 0.2 of 4 steps leaves none to take: use a larger strength or more"
            + " steps.",
        SMALL.toBuilder().image(gradient(32, 24)).strength(0.2).build());
    assertRefused(
        "[request] none of the 4 steps is left between where the denoising starts and where it"
            + " ends: use more steps, or move denoising_start or denoising_end.",
        SMALL.toBuilder().image(gradient(32, 24)).denoisingStart(0.5).denoisingEnd(0.51).build());
  }

  @Test
  void aLayerThatTheUNetDoesNotHaveIsNamed() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                pipeline.generate(
                    SMALL.toBuilder().pagScale(3).pagAppliedLayers(List.of("nowhere")).build()));
    assertEquals(true, e.getMessage().contains("nowhere"), e.getMessage());
  }
}
