package io.github.kolors4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.request.TruncatedPrompt;
import io.github.kolors4j.scheduler.DPMSolverMultistepScheduler;
import io.github.kolors4j.service.QueueFullException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The door, compared with the pipeline behind it. */
@Timeout(180)
class KolorsImageModelTest {
  private static final String LADYBUG = "一只瓢虫,蓝色背景";

  /** What {@link #small} says, for the pipeline. */
  private static final ImageRequest REQUEST =
      ImageRequest.builder(LADYBUG)
          .size(32, 24)
          .numInferenceSteps(2)
          .guidanceScale(3.0)
          .negativePrompt("模糊")
          .seed(7)
          .build();

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

  private static KolorsImageModel.KolorsImageModelBuilder small() {
    return KolorsImageModel.builder()
        .pipeline(pipeline)
        .width(32)
        .height(24)
        .numInferenceSteps(2)
        .guidanceScale(3.0)
        .negativePrompt("模糊")
        .seed(7L);
  }

  private static byte[] png(KolorsImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    image.writeTo(out);
    return out.toByteArray();
  }

  private static byte[] bytes(Image image) {
    return Base64.getDecoder().decode(image.base64Data());
  }

  private static Image base64(byte[] bytes) {
    return Image.builder().base64Data(Base64.getEncoder().encodeToString(bytes)).build();
  }

  @Test
  void aPictureHasTheBytesOfThePipelines() throws IOException {
    try (KolorsImageModel model =
        small().pipeline(null).model(MiniCheckpoint.directory().toString()).build()) {
      Image image = model.generate(LADYBUG).content();
      assertArrayEquals(png(pipeline.generate(REQUEST).image()), bytes(image));
      assertEquals("image/png", image.mimeType());
    }
  }

  @Test
  void severalPicturesHaveSeedsInARow() throws IOException {
    try (KolorsImageModel model = small().build()) {
      Response<List<Image>> response = model.generate(LADYBUG, 2);
      assertEquals(List.of(7L, 8L), response.metadata().get("seeds"));
      assertEquals(2, response.content().size());
      for (int i = 0; i < 2; i++) {
        assertArrayEquals(
            png(pipeline.generate(REQUEST.toBuilder().seed(7 + i).build()).image()),
            bytes(response.content().get(i)));
      }
    }
  }

  @Test
  void aPictureIsRedrawnAsByThePipeline() throws IOException {
    KolorsImage from = KolorsImage.of(40, 32, new byte[40 * 32 * 3]);
    ImageRequest request =
        ImageRequest.builder(LADYBUG)
            .image(from)
            .strength(0.5)
            .numInferenceSteps(4)
            .seed(7)
            .build();
    try (KolorsImageModel model =
        KolorsImageModel.builder()
            .pipeline(pipeline)
            .numInferenceSteps(4)
            .seed(7L)
            .strength(0.5)
            .build()) {
      Response<Image> edited = model.edit(base64(png(from)), LADYBUG);
      assertArrayEquals(png(pipeline.generate(request).image()), bytes(edited.content()));
      assertEquals(40, edited.metadata().get("width"));
      assertEquals(32, edited.metadata().get("height"));
    }
  }

  /** The right half of a picture stays, whichever way the mask says so. */
  @Test
  void aMaskIsPaintedAnewAndTheRestStays() throws IOException {
    KolorsImage from = pipeline.generate(REQUEST).image();
    int width = from.width();
    int height = from.height();
    byte[] white = new byte[width * height * 3];
    BufferedImage erased = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
    for (int i = 0; i < width * height; i++) {
      boolean left = i % width < width / 2;
      erased.setRGB(i % width, i / width, left ? 0x00ffffff : 0xff000000);
      Arrays.fill(white, 3 * i, 3 * i + 3, (byte) (left ? 255 : 0));
    }
    ByteArrayOutputStream transparent = new ByteArrayOutputStream();
    ImageIO.write(erased, "png", transparent);
    try (KolorsImageModel model = small().width(null).height(null).build()) {
      byte[] painted =
          bytes(model.edit(base64(png(from)), base64(transparent.toByteArray()), "一只狗").content());
      KolorsImage picture = KolorsImage.read(painted, "painted", PictureLimits.DEFAULT);
      KolorsImage rest = from.crop(width / 2, 0, width / 2, height);
      assertEquals(rest, picture.crop(width / 2, 0, width / 2, height));
      assertNotEquals(from, picture);
      Image mask = base64(png(KolorsImage.of(width, height, white)));
      assertArrayEquals(painted, bytes(model.edit(base64(png(from)), mask, "一只狗").content()));
    }
  }

  @Test
  void aPictureIsRedrawnWithDiffusersStrengthWhereNoneIsSaid() throws IOException {
    KolorsImage from = KolorsImage.of(32, 24, new byte[32 * 24 * 3]);
    ImageRequest request =
        REQUEST.toBuilder().numInferenceSteps(4).image(from).strength(0.3).build();
    try (KolorsImageModel model = small().numInferenceSteps(4).build()) {
      assertArrayEquals(
          png(pipeline.generate(request).image()),
          bytes(model.edit(base64(png(from)), LADYBUG).content()));
    }
  }

  @Test
  void theMetadataSayWhatWasMade() {
    try (KolorsImageModel model = small().seed(null).scheduler("dpmsolver++").build()) {
      Map<String, Object> metadata = model.generate(LADYBUG).metadata();
      assertInstanceOf(Long.class, metadata.get("seed"));
      assertEquals("DPMSolverMultistepScheduler", metadata.get("scheduler"));
      assertEquals(2, metadata.get("num_inference_steps"));
      assertEquals(3.0, metadata.get("guidance_scale"));
      assertEquals(model.modelName(), metadata.get("model"));
      Timings timings = assertInstanceOf(Timings.class, metadata.get("timings"));
      assertTrue(timings.total().isPositive());
      assertFalse(metadata.containsKey("truncated_prompts"));
    }
  }

  @Test
  void theSeedOfTheMetadataMakesThePictureAgain() throws IOException {
    try (KolorsImageModel model = small().seed(null).build()) {
      Response<Image> drawn = model.generate(LADYBUG);
      Long seed = (Long) drawn.metadata().get("seed");
      assertArrayEquals(
          png(pipeline.generate(REQUEST.toBuilder().seed(seed).build()).image()),
          bytes(drawn.content()));
      assertNotEquals(seed, model.generate(LADYBUG).metadata().get("seed"));
    }
  }

  @Test
  void aPromptThatIsTooLongIsInTheMetadata() {
    try (KolorsImageModel model = small().build()) {
      List<?> truncated =
          assertInstanceOf(
              List.class, model.generate("瓢虫 ".repeat(300)).metadata().get("truncated_prompts"));
      assertInstanceOf(TruncatedPrompt.class, truncated.getFirst());
    }
  }

  @Test
  void aSchedulerOfChoiceDraws() throws IOException {
    KolorsPipeline other =
        pipeline.withScheduler(
            DPMSolverMultistepScheduler.fromConfig(pipeline.scheduler().config(), Map.of()));
    try (KolorsImageModel model = small().scheduler("dpmsolver++").build()) {
      assertArrayEquals(
          png(other.generate(REQUEST).image()), bytes(model.generate(LADYBUG).content()));
    }
  }

  @Test
  void whatIsNullIsLeftOut() {
    try (KolorsImageModel model =
        KolorsImageModel.builder()
            .model(null)
            .pipeline(pipeline)
            .variant(null)
            .precision(null)
            .threads(null)
            .scheduler(null)
            .numInferenceSteps(null)
            .guidanceScale(null)
            .negativePrompt(null)
            .seed(null)
            .width(null)
            .height(null)
            .strength(null)
            .timeout(null)
            .queueCapacity(null)
            .build()) {
      Map<String, Object> metadata = model.generate("").metadata();
      assertEquals(50, metadata.get("num_inference_steps"));
      assertEquals(5.0, metadata.get("guidance_scale"));
      assertEquals(64, metadata.get("width"));
      assertEquals(64, metadata.get("height"));
    }
  }

  @Test
  void aUrlIsRefusedAsAMaskToo() throws IOException {
    Image url = Image.builder().url(URI.create("http://127.0.0.1:9/picture.png")).build();
    try (KolorsImageModel model = small().build()) {
      assertMessage("is a URL, and nothing is fetched", () -> model.edit(url, LADYBUG));
      assertMessage("is empty", () -> model.edit(Image.builder().build(), LADYBUG));
      assertMessage("is not Base64", () -> model.edit(text("%%%%"), LADYBUG));
      assertMessage("the image to edit", () -> model.edit(base64(new byte[99]), LADYBUG));
      Image grey = base64(png(KolorsImage.of(32, 24, new byte[32 * 24 * 3])));
      Image small = base64(png(KolorsImage.of(16, 24, new byte[16 * 24 * 3])));
      assertMessage("the mask is a URL", () -> model.edit(grey, url, LADYBUG));
      assertMessage("16x24 pixels", () -> model.edit(grey, small, LADYBUG));
      assertMessage("all black", () -> model.edit(grey, grey, LADYBUG));
    }
  }

  private static Image text(String base64) {
    return Image.builder().base64Data(base64).build();
  }

  @Test
  void wrongValuesAreRefusedBeforeAnyCall() {
    assertMessage("name a folder, or owner/name", () -> KolorsImageModel.builder().build());
    assertMessage(
        "name a folder, or owner/name", () -> KolorsImageModel.builder().model(" ").build());
    assertMessage("0 inference steps", () -> small().numInferenceSteps(0).build());
    assertMessage("33", () -> small().width(33).build());
    assertMessage("no scheduler \"eulr\"", () -> small().scheduler("eulr").build());
    assertMessage("a queue of -1", () -> small().queueCapacity(-1).build());
    assertMessage("time limit", () -> small().timeout(Duration.ZERO).build());
  }

  @Test
  void wrongCallsAreRefused() {
    try (KolorsImageModel model = small().build()) {
      assertMessage("the prompt is null", () -> model.generate(null));
      assertMessage("0", () -> model.generate(LADYBUG, 0));
    }
  }

  private static void assertMessage(String part, Callable<?> call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::call);
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void aCheckpointThatCannotBeOpenedIsNamed() {
    Path missing = folder.resolve("not there");
    UncheckedIOException e =
        assertThrows(
            UncheckedIOException.class,
            () -> KolorsImageModel.builder().model(missing.toString()).build());
    assertTrue(e.getMessage().contains(missing.toString()), e.getMessage());
    assertTrue(e.getMessage().startsWith("["), e.getMessage());
  }

  @Test
  void aClosedModelMakesNothingAndLeavesThePipelineOpenThatItWasGiven() {
    KolorsImageModel model = small().build();
    model.close();
    model.close();
    assertThrows(IllegalStateException.class, () -> model.generate(LADYBUG));
    assertEquals(1, pipeline.generate(REQUEST).count());
  }

  @Test
  void anInterruptCancelsACall() {
    try (KolorsImageModel model = small().numInferenceSteps(1000).build()) {
      Thread.currentThread().interrupt();
      assertThrows(GenerationCancelledException.class, () -> model.generate(LADYBUG));
      assertTrue(Thread.interrupted());
      Thread.currentThread().interrupt();
      assertThrows(GenerationCancelledException.class, () -> model.generate(LADYBUG, 2));
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void aCallThatTakesTooLongIsCancelled() {
    try (KolorsImageModel model =
        small().numInferenceSteps(1000).timeout(Duration.ofMillis(50)).build()) {
      assertThrows(GenerationCancelledException.class, () -> model.generate(LADYBUG));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16})
  void callersOfManyThreadsGetTheSamePictureOrAreRefused(int queueCapacity) throws Exception {
    byte[] expected = png(pipeline.generate(REQUEST).image());
    int refused = 0;
    try (KolorsImageModel model = small().queueCapacity(queueCapacity).build();
        ExecutorService executor = Executors.newFixedThreadPool(8)) {
      ImageModel door = model;
      List<Future<Response<Image>>> futures = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        futures.add(executor.submit(() -> door.generate(LADYBUG)));
      }
      for (Future<Response<Image>> future : futures) {
        try {
          assertArrayEquals(expected, bytes(future.get().content()));
        } catch (ExecutionException e) {
          assertInstanceOf(QueueFullException.class, e.getCause());
          refused++;
        }
      }
    }
    assertTrue(refused < 8, "all were refused");
    assertTrue(queueCapacity == 0 || refused == 0, refused + " were refused with room for all");
  }
}
