package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.scheduler.DDIMScheduler;
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
      ImageRequest.of("一只瓢虫,蓝色背景")
          .withSize(32, 24)
          .withNumInferenceSteps(4)
          .withMaxSequenceLength(16)
          .withOutputType(OutputType.LATENT)
          .withSeed(5);

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
    return pipeline.generate(request).latents().orElseThrow();
  }

  private static KolorsImage gradient(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i * 7 / 3);
    }
    return KolorsImage.of(width, height, rgb);
  }

  @Test
  void encodedPromptsGiveThePictureOfTheirTexts() {
    EncodedPrompt prompt = pipeline.encodePrompt("一只瓢虫,蓝色背景", 16);
    EncodedPrompt negative = pipeline.encodePrompt("", 16);
    ImageRequest both = new Embedded(PromptEmbeds.of(prompt, negative)).request().withSize(32, 24);
    assertEquals(expected, latents(both));
    ImageRequest positiveOnly = new Embedded(PromptEmbeds.of(prompt)).request().withSize(32, 24);
    assertEquals(expected, latents(positiveOnly), "the negative prompt is encoded");
  }

  private record Embedded(PromptEmbeds embeds) {
    ImageRequest request() {
      return ImageRequest.of(embeds)
          .withNumInferenceSteps(4)
          .withOutputType(OutputType.LATENT)
          .withSeed(5);
    }
  }

  @Test
  void aRequestThatEndsEarlyIsContinuedByImageToImage() {
    FloatArray half = latents(SMALL.withDenoisingEnd(0.5));
    assertNotEquals(expected, half);
    ImageRequest rest = SMALL.withImageLatents(half).withDenoisingStart(0.5);
    assertEquals(expected, latents(rest));
  }

  @Test
  void theTimestepsOfACountGiveItsPicture() {
    DDIMScheduler ddim = DDIMScheduler.fromConfig(pipeline.scheduler().config(), Map.of());
    KolorsPipeline other = pipeline.withScheduler(ddim);
    List<Float> seen = new ArrayList<>();
    other.generate(SMALL.withOnStepEnd(step -> seen.add(step.progress().timestep())));
    assertEquals(4, seen.size());
  }

  @Test
  void strengthDecidesHowManyStepsAreTaken() {
    KolorsImage image = gradient(32, 24);
    List<Integer> steps = new ArrayList<>();
    for (double strength : new double[] {0.25, 0.5, 1}) {
      ImageRequest request = SMALL.withImage(image).withStrength(strength);
      latents(request.withOnStepEnd(step -> steps.add(step.progress().steps())));
    }
    assertEquals(List.of(1, 2, 2, 4, 4, 4, 4), steps);
  }

  @Test
  void withoutScalePerturbedAttentionChangesNothing() {
    ImageRequest plain = SMALL.withImage(gradient(32, 24)).withStrength(0.5);
    FloatArray picture = latents(plain);
    assertEquals(picture, latents(plain.withPagScale(0).withPagAppliedLayers(List.of("down"))));
    assertNotEquals(picture, latents(plain.withPagScale(3)));
  }

  @Test
  void anImageOfAnotherSizeIsResizedToTheRequest() {
    ImageRequest request = SMALL.withImage(gradient(50, 40)).withStrength(0.5);
    assertArrayEquals(new int[] {1, 4, 6, 8}, latents(request).shape().dims());
  }

  @Test
  void theSizeIsByDefaultTheImagesRoundedDown() {
    ImageRequest request =
        ImageRequest.of("a")
            .withImage(gradient(39, 31))
            .withNumInferenceSteps(4)
            .withStrength(0.25)
            .withMaxSequenceLength(16)
            .withSeed(1);
    KolorsImage image = pipeline.generate(request).image();
    assertEquals(32, image.width());
    assertEquals(24, image.height());
  }

  @Test
  void sizesThatTheUNetIsToldChangeThePicture() {
    assertEquals(expected, latents(SMALL.withOriginalSize(24, 32).withTargetSize(24, 32)));
    assertNotEquals(expected, latents(SMALL.withOriginalSize(640, 480)));
    assertNotEquals(expected, latents(SMALL.withCropsCoordsTopLeft(0, 64)));
    assertEquals(expected, latents(SMALL.withNegativeOriginalSize(64, 64)), "without a target");
    assertNotEquals(
        expected, latents(SMALL.withNegativeOriginalSize(64, 64).withNegativeTargetSize(64, 64)));
  }

  @Test
  void rowsOfSizesAreMixedOnlyWhereTheReferenceIsWanted() {
    ImageRequest two =
        SMALL
            .withNumImagesPerPrompt(2)
            .withSeeds(5, 6)
            .withNegativeOriginalSize(64, 64)
            .withNegativeTargetSize(64, 64);
    FloatArray mended = latents(two);
    FloatArray alone = latents(two.withNumImagesPerPrompt(1).withSeed(5));
    int length = alone.shape().size();
    float[] first = new float[length];
    System.arraycopy(mended.values(), 0, first, 0, length);
    assertArrayEquals(alone.values(), first);
    assertNotEquals(mended, latents(two.withCompatibility(Compatibility.DIFFUSERS)));
  }

  @Test
  void theReferenceReadsAllTokensWhateverItIsTold() {
    ImageRequest full = SMALL.withMaxSequenceLength(256);
    assertEquals(latents(full), latents(SMALL.withCompatibility(Compatibility.DIFFUSERS)));
    assertNotEquals(expected, latents(full));
  }

  @Test
  void etaAddsNoiseWithDdimOnly() {
    assertEquals(expected, latents(SMALL.withEta(0.7)));
    KolorsPipeline ddim =
        pipeline.withScheduler(DDIMScheduler.fromConfig(pipeline.scheduler().config(), Map.of()));
    assertNotEquals(ddim.generate(SMALL).latents(), ddim.generate(SMALL.withEta(0.7)).latents());
  }

  @Test
  void seedsAreForTheGeneratorThatIsChosen() {
    for (GeneratorType rng : GeneratorType.values()) {
      ImageRequest seeded = SMALL.withRng(rng);
      ImageRequest generated = SMALL.withSeeds(List.of()).withGenerators(List.of(rng.generator(5)));
      assertEquals(latents(seeded), latents(generated), rng.toString());
    }
    assertNotEquals(expected, latents(SMALL.withRng(GeneratorType.CUDA)));
  }

  @Test
  void guidanceRescaleTakesBackContrast() {
    FloatArray strong = latents(SMALL.withGuidanceScale(12));
    FloatArray rescaled = latents(SMALL.withGuidanceScale(12).withGuidanceRescale(0.7f));
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
            SMALL.withOnStepEnd(
                step -> {
                  if (step.progress().step() == 4) {
                    step.setLatents(other);
                  }
                }));
    assertEquals(other, changed);
    FloatArray same =
        latents(
            SMALL.withOnStepEnd(
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
            SMALL.withOnStepEnd(
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
        SMALL.withOnStepEnd(step -> step.setLatents(FloatArray.of(new float[1], 1))));
    assertCallbackRefused(
        "[callback] add_time_ids are [1, 6]: [2, 6] is needed.",
        SMALL.withOnStepEnd(step -> step.setAddTimeIds(FloatArray.of(new float[6], 1, 6))));
    assertCallbackRefused(
        "[callback] guidance scale 3.0: the request began without guidance, so its negative prompt"
            + " is not encoded. Begin with a guidance scale above 1.",
        SMALL.withGuidanceScale(1).withOnStepEnd(step -> step.setGuidanceScale(3)));
  }

  private static void assertCallbackRefused(String message, ImageRequest request) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> pipeline.generate(request))
            .getMessage());
  }

  @Test
  void guidanceCanEndAfterAPartOfTheSteps() {
    List<Float> scales = new ArrayList<>();
    FloatArray cut =
        latents(
            SMALL.withOnStepEnd(
                CFGCutoffCallback.afterRatio(0.25)
                    .andThen(step -> scales.add(step.guidanceScale()))));
    assertEquals(List.of(5f, 0f, 0f, 0f), scales);
    assertNotEquals(expected, cut);
    assertEquals(cut, latents(SMALL.withOnStepEnd(CFGCutoffCallback.afterStep(1))));
    assertEquals(
        expected, latents(SMALL.withOnStepEnd(CFGCutoffCallback.afterStep(3))), "no step follows");
  }

  @Test
  void anInterruptedRequestIsDecodedOnlyWhereTheReferenceIsWanted() {
    ImageRequest interrupted =
        SMALL.withOutputType(OutputType.IMAGE).withOnStepEnd(StepEnd::cancel);
    assertThrows(GenerationCancelledException.class, () -> pipeline.generate(interrupted));
    ImageResult decoded = pipeline.generate(interrupted.withCompatibility(Compatibility.DIFFUSERS));
    assertEquals(1, decoded.images().size());
  }

  @Test
  void aShareOfTheStepsThatLeavesNoneIsRefused() {
    assertCallbackRefused(
        "[request] strength 0.2 of 4 steps leaves none to take: use a larger strength or more"
            + " steps.",
        SMALL.withImage(gradient(32, 24)).withStrength(0.2));
    assertCallbackRefused(
        "[request] none of the 4 steps is left between where the denoising starts and where it"
            + " ends: use more steps, or move denoising_start or denoising_end.",
        SMALL.withImage(gradient(32, 24)).withDenoisingStart(0.5).withDenoisingEnd(0.51));
  }

  @Test
  void aLayerThatTheUNetDoesNotHaveIsNamed() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                pipeline.generate(SMALL.withPagScale(3).withPagAppliedLayers(List.of("nowhere"))));
    assertEquals(true, e.getMessage().contains("nowhere"), e.getMessage());
  }
}
