package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Pictures that are redrawn in a part, against those of diffusers' {@code KolorsInpaintPipeline}
 * and {@code KolorsDifferentialImg2ImgPipeline}.
 */
class InpaintingTest {
  /** That of docs/numerics.md for latents through the whole pipeline. */
  private static final double MAX_LATENTS_RMS = 1e-3;

  private static final int MAX_PIXEL_DIFFERENCE = 2;

  private static KolorsPipeline pipeline;
  private static UNet2DConditionModel nine;
  private static PipelineFixture inpainting;
  private static PipelineFixture differential;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(PipelineFixture.CHECKPOINT);
    inpainting = PipelineFixture.open("inpainting");
    differential = PipelineFixture.open("differential");
    nine = ControlFixtures.nineChannels(inpainting);
  }

  @AfterAll
  static void close() {
    pipeline.close();
    nine.close();
    inpainting.close();
    differential.close();
  }

  static List<PipelineCall> inpainted() {
    return inpainting.calls();
  }

  static List<PipelineCall> redrawn() {
    return differential.calls();
  }

  private static KolorsPipeline of(PipelineCall call) {
    return call.on(call.unet().equals("nine") ? pipeline.withUnet(nine) : pipeline);
  }

  @ParameterizedTest
  @MethodSource("inpainted")
  void inpaintedPicturesAreThoseOfDiffusers(PipelineCall call) {
    ImageResult result = of(call).generate(call.request());
    if (call.hasLatents()) {
      assertLatents(call, result);
      return;
    }
    byte[] expected = call.images();
    byte[] actual = result.image().rgb();
    assertEquals(expected.length, actual.length);
    int largest = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs((expected[i] & 255) - (actual[i] & 255)));
    }
    assertTrue(largest <= MAX_PIXEL_DIFFERENCE, call + ": " + largest);
  }

  @ParameterizedTest
  @MethodSource("redrawn")
  void picturesThatAreRedrawnByAMapAreThoseOfDiffusers(PipelineCall call) {
    assertLatents(call, of(call).generate(call.request()));
  }

  private static void assertLatents(PipelineCall call, ImageResult result) {
    assertArrayEquals(call.latentsShape(), result.latents().orElseThrow().shape().dims());
    double rms =
        PipelineFixture.relativeRms(result.latents().orElseThrow().values(), call.latents());
    System.out.printf("%s: relative RMS %.1e%n", call, rms);
    assertTrue(rms <= MAX_LATENTS_RMS, call + ": relative RMS " + rms);
  }

  @Test
  void anEarlyEndLeavesTheNoiseOfThatPlaceUnlessDiffusersIsAskedFor() {
    PipelineCall call =
        inpainted().stream().filter(PipelineCall::needsCompatibility).findFirst().orElseThrow();
    ImageRequest mended = call.request().toBuilder().compatibility(Compatibility.MENDED).build();
    float[] latents = of(call).generate(mended).latents().orElseThrow().values();
    assertTrue(PipelineFixture.relativeRms(latents, call.latents()) > MAX_LATENTS_RMS);
  }

  private static final ImageRequest SCENE =
      ImageRequest.builder("a red apple")
          .image(picture(32, 24))
          .mask(mask(32, 24))
          .numInferenceSteps(4)
          .guidanceScale(1)
          .seed(3)
          .outputType(OutputType.LATENT)
          .build();

  /** Colours that change from pixel to pixel. */
  private static KolorsImage picture(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i % 3 == 0 ? 7 * i : i / 5);
    }
    return KolorsImage.of(width, height, rgb);
  }

  /** White to the right, black to the left. */
  private static KolorsImage mask(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % width < width / 2 ? 0 : 255);
    }
    return KolorsImage.of(width, height, rgb);
  }

  private static float[] latents(ImageRequest request) {
    return pipeline.generate(request).latents().orElseThrow().values();
  }

  private static float[] leftHalf(float[] latents) {
    float[] left = new float[latents.length / 2];
    for (int i = 0; i < left.length; i++) {
      left[i] = latents[i / 4 * 8 + i % 4]; // [c, h, 8]
    }
    return left;
  }

  @Test
  void outsideOfTheMaskAreTheLatentsOfTheImageExactly() {
    ImageRequest kept =
        SCENE.toBuilder().mask(KolorsImage.of(32, 24, new byte[32 * 24 * 3])).build();
    float[] original = latents(kept);
    float[] painted = latents(SCENE);
    assertArrayEquals(leftHalf(original), leftHalf(painted));
    assertFalse(Arrays.equals(original, painted), "the other half is another one");
    assertArrayEquals(
        leftHalf(original), leftHalf(latents(SCENE.toBuilder().seed(3).strength(0.5).build())));
  }

  @Test
  void aWhiteMaskIsImageToImageWithTheSameNoise() {
    KolorsImage white = KolorsImage.of(32, 24, filled((byte) 255));
    ImageRequest all = SCENE.toBuilder().mask(white).strength(0.5).build();
    ImageRequest plain =
        all.toBuilder()
            .start(
                new Start.Image(
                    all.start().image().orElseThrow().images(),
                    all.start().image().orElseThrow().encoded(),
                    0.5,
                    all.start().image().orElseThrow().denoisingStart(),
                    all.start().given()))
            .build();
    assertArrayEquals(latents(plain), latents(all));
  }

  private static byte[] filled(byte value) {
    byte[] rgb = new byte[32 * 24 * 3];
    Arrays.fill(rgb, value);
    return rgb;
  }

  @Test
  void aBlackMapRedrawsAllAndAWhiteOneKeepsThePictureToTheLastStep() {
    ImageRequest request = SCENE.toBuilder().strength(0.75).seed(9).build();
    float[] kept =
        latents(
            request.toBuilder().strengthMap(KolorsImage.of(32, 24, filled((byte) 255))).build());
    float[] redrawn =
        latents(request.toBuilder().strengthMap(KolorsImage.of(32, 24, filled((byte) 0))).build());
    assertFalse(Arrays.equals(kept, redrawn));
    float[] half = latents(request.toBuilder().strengthMap(mask(32, 24)).build());
    assertFalse(Arrays.equals(half, kept));
    assertFalse(Arrays.equals(half, redrawn));
  }

  @Test
  void anImageOfARequestOfSeveralIsTheSameAlone() {
    ImageRequest two =
        SCENE.toBuilder()
            .prompts(List.of("a red apple", "a cat"))
            .images(List.of(picture(32, 24), mask(32, 24)))
            .seed(5)
            .build();
    float[] both = latents(two);
    float[] second = latents(two.only(1));
    assertArrayEquals(second, Arrays.copyOfRange(both, second.length, 2 * second.length));
  }

  @Test
  void aCroppedPictureHasTheSizeOfTheImageAndIsUntouchedWhereTheMaskIsBlack(@TempDir Path folder)
      throws IOException {
    KolorsImage scene = picture(50, 41);
    ImageRequest request =
        ImageRequest.builder("a red apple")
            .image(scene)
            .mask(mask(50, 41), 2)
            .size(32, 32)
            .numInferenceSteps(3)
            .guidanceScale(1)
            .seed(4)
            .build();
    ImageResult result = pipeline.generate(request);
    KolorsImage image = result.image();
    assertEquals(50, image.width());
    assertEquals(41, image.height());
    for (int i = 0; i < image.rgb().length; i++) {
      if (i / 3 % 50 < 25) {
        assertEquals(scene.rgb()[i], image.rgb()[i]);
      }
    }
    Path file = folder.resolve("a.png");
    image.save(file, ImageFormat.PNG, pipeline.metadata(result, 0).texts());
    ImageRequest again = PictureMetadata.read(file).orElseThrow().request();
    assertEquals(image, pipeline.generate(again).image());
  }

  @Test
  void whatCannotBePaintedIsRefusedBeforeTheWork() {
    assertRefused(
        "[request] the U-Net takes 9 channels and the latents have 4: it is for inpainting, so give"
            + " an image and a mask, or take a U-Net for text to image.",
        pipeline.withUnet(nine),
        ImageRequest.of("a"));
    assertRefused(
        "[request] the U-Net takes 9 channels and the latents have 4: it is for inpainting, and the"
            + " request has a strength map, which takes the place of a mask. Give a mask alone, or"
            + " take a U-Net of 4 channels.",
        pipeline.withUnet(nine),
        SCENE.toBuilder().strengthMap(mask(32, 24)).build());
    assertRefused(
        "[request] an image's latents and a U-Net of 9 channels, which sees the image without what"
            + " the mask marks: give the image itself.",
        pipeline.withUnet(nine),
        SCENE.toBuilder().imageLatents(pipeline.generate(SCENE).latents().orElseThrow()).build());
    assertRefused(
        "[request] padding_mask_crop with latents as the output: a region is put back into a"
            + " picture, ask for images.",
        pipeline,
        SCENE.toBuilder().mask(mask(32, 24), 1).build());
    assertRefused(
        "[request] padding_mask_crop with an image of 32x24 and a mask of 32x16 pixels: they must be"
            + " of one size.",
        pipeline,
        SCENE.toBuilder().mask(mask(32, 16), 1).outputType(OutputType.IMAGE).build());
    assertEquals(
        "[request] a mask without an image: it says where the image is redrawn, give the image too.",
        assertThrows(
                IllegalArgumentException.class,
                () -> ImageRequest.builder("a").mask(mask(32, 24)).build())
            .getMessage());
  }

  private static void assertRefused(String message, KolorsPipeline from, ImageRequest request) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> from.generate(request)).getMessage());
  }
}
