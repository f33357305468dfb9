package io.github.kolors4j.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Application;
import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.metric.Metrics;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.ServingTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import ai.djl.util.Progress;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.scheduler.Schedulers;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine through DJL's own classes, compared with the pipeline behind it. */
@Timeout(180)
class KolorsEngineTest {
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
  private static KolorsImage expected;

  @TempDir private Path folder;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
    expected = pipeline.generate(REQUEST).image();
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static String url() throws IOException {
    return "kolors://" + MiniCheckpoint.directory().toUri().getRawPath();
  }

  private static <I, O> Criteria.Builder<I, O> criteria(Class<I> in, Class<O> out)
      throws IOException {
    return Criteria.builder().setTypes(in, out).optModelUrls(url());
  }

  private static <I, O> Criteria.Builder<I, O> small(Class<I> in, Class<O> out) throws IOException {
    return criteria(in, out)
        .optArgument("width", 32)
        .optArgument("height", 24)
        .optArgument("num_inference_steps", 2)
        .optArgument("guidance_scale", 3.0)
        .optArgument("negative_prompt", "模糊")
        .optArgument("seed", 7);
  }

  private static <I, O> O predict(Criteria<I, O> criteria, I input) throws Exception {
    try (ZooModel<I, O> model = criteria.loadModel();
        Predictor<I, O> predictor = model.newPredictor()) {
      return predictor.predict(input);
    }
  }

  private static KolorsImage pixels(Image image) {
    return KolorsImage.of((BufferedImage) image.getWrappedImage());
  }

  private static byte[] png(KolorsImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    image.writeTo(out);
    return out.toByteArray();
  }

  @Test
  void aUrlAloneDrawsThePipelinesPicture() throws Exception {
    assertEquals(expected, pixels(predict(small(String.class, Image.class).build(), LADYBUG)));
  }

  @Test
  void aSavedPictureHasThePipelinesPixels() throws Exception {
    ByteArrayOutputStream saved = new ByteArrayOutputStream();
    predict(small(String.class, Image.class).build(), LADYBUG).save(saved, "png");
    assertEquals(
        expected, KolorsImage.read(saved.toByteArray(), "the saved one", PictureLimits.DEFAULT));
  }

  @Test
  void anEngineAndATranslatorFactoryDrawFromAPath() throws Exception {
    Criteria<String, Image> criteria =
        small(String.class, Image.class)
            .optModelPath(MiniCheckpoint.directory())
            .optEngine("Kolors")
            .optTranslatorFactory(new KolorsTranslatorFactory())
            .optApplication(Application.CV.IMAGE_GENERATION)
            .build();
    assertEquals(expected, pixels(predict(criteria, LADYBUG)));
  }

  @Test
  void theApplicationIsImageGenerationAndNoOther() throws Exception {
    Criteria.Builder<String, Image> small = small(String.class, Image.class);
    assertEquals(
        expected,
        pixels(predict(small.optApplication(Application.CV.IMAGE_GENERATION).build(), LADYBUG)));
    Criteria<String, Image> other =
        small.optApplication(Application.CV.IMAGE_CLASSIFICATION).build();
    assertThrows(ModelNotFoundException.class, other::loadModel);
  }

  @Test
  void argumentsMayBeTextAndStandInTheUrl() throws Exception {
    Criteria<String, Image> criteria =
        Criteria.builder()
            .setTypes(String.class, Image.class)
            .optModelUrls(
                url() + "?width=32&height=24&num_inference_steps=2&guidance_scale=3&threads=1")
            .optArgument("negative_prompt", "模糊")
            .optArgument("seed", "7")
            .build();
    assertEquals(expected, pixels(predict(criteria, LADYBUG)));
  }

  @Test
  void aRequestSaysEverythingItself() throws Exception {
    ImageResult result =
        predict(
            criteria(ImageRequest.class, ImageResult.class).optArgument("seed", 99).build(),
            REQUEST);
    assertEquals(expected, result.image());
    assertEquals(List.of(7L), result.seeds());
  }

  @Test
  void severalPicturesAreAnArray() throws Exception {
    Image[] images =
        predict(
            small(String.class, Image[].class).optArgument("num_images_per_prompt", 2).build(),
            LADYBUG);
    assertEquals(2, images.length);
    assertEquals(expected, pixels(images[0]));
    assertEquals(pipeline.generate(REQUEST.toBuilder().seed(8).build()).image(), pixels(images[1]));
    TranslateException e =
        assertThrows(
            TranslateException.class,
            () ->
                predict(
                    small(String.class, Image.class)
                        .optArgument("num_images_per_prompt", 2)
                        .build(),
                    LADYBUG));
    assertTrue(e.getMessage().contains("Image[]"), e.getMessage());
  }

  @Test
  void aBatchIsOnePictureAfterAnother() throws Exception {
    try (ZooModel<String, Image> model = small(String.class, Image.class).build().loadModel();
        Predictor<String, Image> predictor = model.newPredictor()) {
      Metrics metrics = new Metrics();
      predictor.setMetrics(metrics);
      List<Image> images = predictor.batchPredict(List.of(LADYBUG, "一只猫", LADYBUG));
      assertEquals(expected, pixels(images.get(0)));
      assertNotEquals(expected, pixels(images.get(1)));
      assertEquals(expected, pixels(images.get(2)));
      assertEquals(3, metrics.getMetric("Inference").size());
      assertEquals(List.of(), predictor.batchPredict(List.of()));
    }
  }

  @Test
  void optionsSayHowTheCheckpointIsOpened() throws Exception {
    KolorsPipeline other =
        pipeline.withScheduler(
            Schedulers.byName("dpmsolver++").fromConfig(pipeline.scheduler().config(), Map.of()));
    Criteria<String, Image> criteria =
        small(String.class, Image.class)
            .optOption("scheduler", "dpmsolver++")
            .optOption("threads", "1")
            .optOption("variant", "fp16")
            .optOption("precision", "f32")
            .optOption("check_weights", "true")
            .optOption("text_encoder_on_demand", "true")
            .optOption("concurrency", "2")
            .optOption("predict_timeout", "100") // which DJL Serving has for every engine
            .optArgument("job_queue_size", 100)
            .optArgument("cpu.minWorkers", 1)
            .build();
    assertEquals(other.generate(REQUEST).image(), pixels(predict(criteria, LADYBUG)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "threads=0", "threads=two", "precision=f64", "scheduler=eulr", "check_weights=yes",
        "concurrency=0", "variant=a/b", "num_inference_steps=0", "width=33", "seed=abc"
      })
  void aWrongValueIsRefusedWhenTheModelIsLoaded(String setting) throws Exception {
    Criteria<String, Image> criteria =
        Criteria.builder()
            .setTypes(String.class, Image.class)
            .optModelUrls(url() + "?" + setting)
            .build();
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, criteria::loadModel);
    assertTrue(e.getMessage().startsWith("["), e.getMessage());
  }

  /** Nearest first, so that the end of a long sentence need not be read. */
  @ParameterizedTest
  @CsvSource({
    "num_inference_step, num_inference_steps",
    "numInferenceSteps, num_inference_steps",
    "guidance, guidance_scale",
    "hieght, height",
    "Seed, seed"
  })
  void aMistypedArgumentIsRefusedWithTheNamesThatThereAre(String mistyped, String meant)
      throws Exception {
    Criteria<String, Image> criteria =
        criteria(String.class, Image.class).optArgument(mistyped, 4).build();
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, criteria::loadModel);
    assertTrue(
        e.getMessage()
            .startsWith("[djl] no argument is called %s: use %s, ".formatted(mistyped, meant)),
        e.getMessage());
    assertTrue(e.getMessage().contains("negative_prompt"), e.getMessage());
  }

  @Test
  void aMistypedOptionIsRefusedWithTheNamesThatThereAre() throws Exception {
    Criteria<String, Image> criteria =
        criteria(String.class, Image.class).optOption("thread", "2").build();
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, criteria::loadModel);
    assertTrue(
        e.getMessage().startsWith("[djl] no option is called thread: use threads, "),
        e.getMessage());
    assertTrue(e.getMessage().contains("check_weights"), e.getMessage());
  }

  @Test
  void loadingIsShown() throws Exception {
    List<String> shown = new ArrayList<>();
    Progress progress =
        new Progress() {
          @Override
          public void reset(String message, long max, String trailingMessage) {
            shown.add(message);
          }

          @Override
          public void start(long initialProgress) {}

          @Override
          public void end() {
            shown.add("end");
          }

          @Override
          public void increment(long increment) {}

          @Override
          public void update(long progress, String message) {}
        };
    criteria(String.class, Image.class).optProgress(progress).build().loadModel().close();
    assertEquals(List.of("Loading", "end"), shown);
  }

  @Test
  void predictorsOfManyThreadsShareAModel() throws Exception {
    try (ZooModel<String, Image> model = small(String.class, Image.class).build().loadModel();
        ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<Image>> futures = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        futures.add(
            executor.submit(
                () -> {
                  try (Predictor<String, Image> predictor = model.newPredictor()) {
                    return predictor.predict(LADYBUG);
                  }
                }));
      }
      for (Future<Image> future : futures) {
        assertEquals(expected, pixels(future.get()));
      }
    }
  }

  @Test
  void aClosedModelMakesNothing() throws Exception {
    ZooModel<String, Image> model = small(String.class, Image.class).build().loadModel();
    Predictor<String, Image> first = model.newPredictor();
    first.close();
    Predictor<String, Image> second = model.newPredictor();
    assertEquals(expected, pixels(second.predict(LADYBUG)));
    model.close();
    model.close();
    TranslateException e = assertThrows(TranslateException.class, () -> second.predict(LADYBUG));
    assertInstanceOf(IllegalStateException.class, e.getCause());
  }

  @Test
  void anInterruptCancelsAPrediction() throws Exception {
    try (ZooModel<String, Image> model =
            small(String.class, Image.class)
                .optArgument("num_inference_steps", 1000)
                .build()
                .loadModel();
        Predictor<String, Image> predictor = model.newPredictor()) {
      Thread.currentThread().interrupt();
      TranslateException e =
          assertThrows(TranslateException.class, () -> predictor.predict(LADYBUG));
      assertTrue(Thread.interrupted());
      assertInstanceOf(GenerationCancelledException.class, e.getCause());
    }
  }

  @Test
  void aFolderThatIsNoCheckpointIsNamed() {
    Path missing = folder.resolve("不在 这里");
    Criteria<String, Image> criteria =
        Criteria.builder()
            .setTypes(String.class, Image.class)
            .optModelUrls("kolors://" + missing.toUri().getRawPath())
            .build();
    InvalidFileException e = assertThrows(InvalidFileException.class, criteria::loadModel);
    assertTrue(e.getMessage().contains(missing.toString()), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"kolors:name", "kolors://owner", "kolors:///", "kolors://owner/a/b"})
  void aUrlThatNamesNoCheckpointIsRefused(String url) {
    Criteria.Builder<String, Image> criteria =
        Criteria.builder().setTypes(String.class, Image.class);
    assertThrows(IllegalArgumentException.class, () -> criteria.optModelUrls(url));
  }

  @Test
  void aRepositoryThatIsNotThereIsNotDownloaded() throws Exception {
    Criteria<String, Image> criteria =
        Criteria.builder()
            .setTypes(String.class, Image.class)
            .optModelUrls("kolors://kolors4j-test/nothing-of-this-name@main")
            .build();
    assertFalse(criteria.isDownloaded());
  }

  @Test
  void theEngineIsThereAndNotTheDefault() {
    Engine engine = Engine.getEngine("Kolors");
    assertTrue(Engine.hasEngine("Kolors"));
    assertEquals("Kolors", engine.getEngineName());
    assertNotEquals("Kolors", Engine.getDefaultEngineName());
    assertNull(engine.getAlternativeEngine());
    assertEquals(0, engine.getGpuCount());
    assertTrue(engine.getVersion().matches("\\d+\\.\\d+\\.\\d+.*"), engine.getVersion());
    assertThrows(IllegalArgumentException.class, () -> engine.newModel("kolors", Device.gpu()));
  }

  @Test
  void aModelMayBeLoadedByItself() throws Exception {
    try (Model model = Model.newInstance("kolors", "Kolors")) {
      assertThrows(IllegalStateException.class, ((KolorsModel) model)::pipeline);
      model.load(MiniCheckpoint.directory());
      assertThrows(IllegalStateException.class, () -> model.load(MiniCheckpoint.directory()));
      assertEquals(64, ((KolorsModel) model).pipeline().defaultSize());
      assertEquals("prompt", model.describeInput().keyAt(0));
      assertEquals("image", model.describeOutput().keyAt(0));
      Translator<ImageRequest, Image> translator =
          new KolorsTranslatorFactory()
              .newInstance(ImageRequest.class, Image.class, model, Map.of());
      try (Predictor<ImageRequest, Image> predictor = model.newPredictor(translator)) {
        assertEquals(expected, pixels(predictor.predict(REQUEST)));
      }
    }
  }

  @Test
  void aTranslatorThatGivesArraysIsToldWhatToGive() throws Exception {
    try (ZooModel<String, Image> model = criteria(String.class, Image.class).build().loadModel();
        Predictor<String, NDList> predictor =
            model.newPredictor(
                new NoBatchifyTranslator<String, NDList>() {
                  @Override
                  public NDList processInput(TranslatorContext ctx, String input) {
                    return new NDList();
                  }

                  @Override
                  public NDList processOutput(TranslatorContext ctx, NDList list) {
                    return list;
                  }
                })) {
      TranslateException e =
          assertThrows(TranslateException.class, () -> predictor.predict(LADYBUG));
      assertTrue(e.getMessage().contains("ImageRequest"), e.getMessage());
    }
  }

  // Serving

  private static byte[] served(Input input) throws Exception {
    Output output = predict(small(Input.class, Output.class).build(), input);
    assertEquals("image/png", output.getProperty("Content-Type", ""));
    return output.getData().getAsBytes();
  }

  private static Input json(String body) {
    Input input = new Input();
    input.addProperty("content-type", "application/json; charset=utf-8");
    input.add(body);
    return input;
  }

  @Test
  void aServedPromptGivesThePng() throws Exception {
    Input input = new Input();
    input.addProperty("Content-Type", "text/plain");
    input.add(LADYBUG);
    Output output = predict(small(Input.class, Output.class).build(), input);
    assertEquals("7", output.getProperty("seed", ""));
    assertArrayEquals(png(expected), output.getData().getAsBytes());
  }

  @Test
  void servedJsonHasArguments() throws Exception {
    byte[] eight = png(pipeline.generate(REQUEST.toBuilder().seed(8).build()).image());
    assertArrayEquals(eight, served(json("{\"prompt\": \"一只瓢虫,蓝色背景\", \"seed\": 8}")));
    assertArrayEquals(
        eight, served(json("{\"inputs\": \"一只瓢虫,蓝色背景\", \"parameters\": {\"seed\": 8}}")));
  }

  @Test
  void aServedFormHasAPictureToBeginWith() throws Exception {
    KolorsImage from = KolorsImage.of(32, 24, new byte[32 * 24 * 3]);
    byte[] redrawn =
        png(pipeline.generate(REQUEST.toBuilder().image(from).strength(0.5).build()).image());
    Input form = new Input();
    form.add("prompt", LADYBUG);
    form.add("image", png(from));
    form.add("strength", "0.5");
    assertArrayEquals(redrawn, served(form));
    String base64 = Base64.getEncoder().encodeToString(png(from));
    assertArrayEquals(
        redrawn,
        served(
            json(
                "{\"prompt\": \"%s\", \"image\": \"%s\", \"strength\": 0.5}"
                    .formatted(LADYBUG, base64))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{}",
        "{\"prompt\": \"a\", \"num_inference_steps\": 0}",
        "{\"prompt\": \"a\", \"num_images_per_prompt\": 2}",
        "{\"prompt\": \"a\", \"output_type\": \"latent\"}",
        "{\"prompt\": \"a\", \"steps\": 2}"
      })
  void whatIsServedWronglyIsRefusedWithASentence(String body) {
    TranslateException e = assertThrows(TranslateException.class, () -> served(json(body)));
    assertInstanceOf(IllegalArgumentException.class, e.getCause());
    assertTrue(e.getCause().getMessage().startsWith("["), e.getCause().getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"adapters", "latents", "prompt_embeds", "model"})
  void clientsCanNameNoFilesAndNoArrays(String name) {
    TranslateException e =
        assertThrows(
            TranslateException.class,
            () -> served(json("{\"prompt\": \"a\", \"%s\": \"/etc/passwd\"}".formatted(name))));
    assertTrue(e.getMessage().contains("no argument is called " + name), e.getMessage());
  }

  @Test
  void servingPropertiesBesideTheCheckpointAreTaken() throws Exception {
    Path checkpoint = MiniCheckpointCopy.into(folder.resolve("served"));
    Files.writeString(
        checkpoint.resolve("serving.properties"),
        """
        engine=Kolors
        option.threads=1
        width=32
        height=24
        num_inference_steps=2
        guidance_scale=3.0
        seed=7
        """);
    Criteria<Input, Output> criteria =
        Criteria.builder()
            .setTypes(Input.class, Output.class)
            .optModelPath(checkpoint)
            .optTranslatorFactory(new KolorsTranslatorFactory())
            .build();
    Input form = new Input();
    form.add("prompt", LADYBUG);
    form.add("negative_prompt", "模糊");
    assertArrayEquals(png(expected), predict(criteria, form).getData().getAsBytes());
  }

  @Test
  void theServingTranslatorTakesOtherArgumentsLater() throws Exception {
    try (ZooModel<Input, Output> model = criteria(Input.class, Output.class).build().loadModel()) {
      ServingTranslator translator =
          assertInstanceOf(ServingTranslator.class, model.getTranslator());
      translator.setArguments(
          Map.of(
              "width",
              32,
              "height",
              24,
              "num_inference_steps",
              2,
              "guidance_scale",
              3,
              "negative_prompt",
              "模糊",
              "seed",
              7));
      Input input = new Input();
      input.add(LADYBUG);
      try (Predictor<Input, Output> predictor = model.newPredictor()) {
        assertArrayEquals(png(expected), predictor.predict(input).getData().getAsBytes());
      }
    }
  }
}
