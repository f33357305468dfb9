package io.github.kolors4j.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.request.TruncatedPrompt;
import io.github.kolors4j.scheduler.Schedulers;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.image.observation.DefaultImageModelObservationConvention;
import org.springframework.core.io.ByteArrayResource;

/** The image model as a user of Spring AI calls it, against the pipeline's own pictures. */
class KolorsImageModelTest {
  private static final String PROMPT = "一只瓢虫,蓝色背景";
  private static final int STEPS = 2;

  private static String checkpoint;
  private static KolorsPipeline pipeline;
  private static KolorsImageModel model;

  @BeforeAll
  static void open() throws IOException {
    checkpoint = MiniCheckpoint.directory().toString();
    pipeline = KolorsPipeline.open(Path.of(checkpoint));
    model = model(ObservationRegistry.NOOP);
  }

  @AfterAll
  static void close() {
    model.close();
    pipeline.close();
  }

  private static KolorsImageModel model(ObservationRegistry registry) {
    return KolorsImageModel.builder()
        .options(
            KolorsImageOptions.builder()
                .model(checkpoint)
                .numInferenceSteps(STEPS)
                .strength(0.9)
                .build())
        .observationRegistry(registry)
        .build();
  }

  private static KolorsImageOptions.Builder seed(long seed) {
    return KolorsImageOptions.builder().seed(seed);
  }

  private static ImageRequest.Builder request(String prompt) {
    return ImageRequest.builder(prompt).numInferenceSteps(STEPS).seed(0);
  }

  private static byte[] png(Image image) {
    return Base64.getDecoder().decode(image.getB64Json());
  }

  private static KolorsImage picture(ImageGeneration generation) throws IOException {
    return KolorsImage.read(png(generation.getOutput()), "response", PictureLimits.DEFAULT);
  }

  private static KolorsImage picture(ImagePrompt prompt) throws IOException {
    return picture(model.call(prompt).getResult());
  }

  private static byte[] png(KolorsImage image) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    image.writeTo(bytes);
    return bytes.toByteArray();
  }

  /** A picture to begin with. */
  private static KolorsImage gradient() {
    byte[] rgb = new byte[64 * 64 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) i;
    }
    return KolorsImage.of(64, 64, rgb);
  }

  private static ImageMessage with(Media... media) {
    return new ImageMessage(PROMPT, null, List.of(media), Map.of());
  }

  private static Media media() throws IOException {
    return new Media(Media.Format.IMAGE_PNG, new ByteArrayResource(png(gradient())));
  }

  private static String refusal(ImagePrompt prompt) {
    return assertThrows(IllegalArgumentException.class, () -> model.call(prompt)).getMessage();
  }

  @Test
  void aPromptGivesThePipelinesPicture() throws IOException {
    Image image = model.call(new ImagePrompt(PROMPT, seed(0).build())).getResult().getOutput();
    assertNull(image.getUrl());
    assertEquals(
        Base64.getEncoder().encodeToString(png(pipeline.generate(request(PROMPT).build()).image())),
        image.getB64Json());
  }

  @Test
  void aPromptAloneGivesAPictureOfTheDefaultSize() throws IOException {
    ImageModel any = model;
    KolorsImage image = picture(any.call(new ImagePrompt(PROMPT)).getResult());
    assertEquals(pipeline.defaultSize(), image.width());
    assertEquals(pipeline.defaultSize(), image.height());
  }

  @Test
  void portableOptionsSayTheSizeAndTheNumber() throws IOException {
    ImageResponse response =
        model.call(
            new ImagePrompt(
                PROMPT, ImageOptionsBuilder.builder().n(2).width(48).height(32).build()));
    assertEquals(2, response.getResults().size());
    for (ImageGeneration each : response.getResults()) {
      assertEquals(48, picture(each).width());
      assertEquals(32, picture(each).height());
    }
  }

  @Test
  void severalPicturesHaveSeedsInARowAndTheirMetadata() throws IOException {
    ImageResponse response = model.call(new ImagePrompt(PROMPT, seed(7).n(2).build()));
    ImageResult expected = pipeline.generate(request(PROMPT).seed(7).numImagesPerPrompt(2).build());
    for (int i = 0; i < 2; i++) {
      ImageGeneration each = response.getResults().get(i);
      assertEquals(expected.images().get(i), picture(each));
      KolorsImageGenerationMetadata metadata =
          assertInstanceOf(KolorsImageGenerationMetadata.class, each.getMetadata());
      assertEquals(7 + i, metadata.seed());
      assertEquals(64, metadata.width());
      assertEquals(64, metadata.height());
      assertTrue(metadata.timings().total().isPositive());
    }
  }

  @Test
  void theSeedOfARandomPictureMakesItAgain() throws IOException {
    ImageGeneration first = model.call(new ImagePrompt(PROMPT)).getResult();
    long seed = ((KolorsImageGenerationMetadata) first.getMetadata()).seed();
    assertEquals(picture(first), picture(new ImagePrompt(PROMPT, seed(seed).build())));
  }

  @Test
  void theResponseSaysWhatWasComputed() {
    ImageResponse response = model.call(new ImagePrompt("长".repeat(300), seed(0).build()));
    assertEquals(Path.of(checkpoint).getFileName().toString(), response.getMetadata().get("model"));
    assertEquals("EulerDiscreteScheduler", response.getMetadata().get("scheduler"));
    assertEquals(STEPS, response.getMetadata().<Integer>get("num_inference_steps"));
    assertEquals(5.0, response.getMetadata().<Double>get("guidance_scale"));
    assertTrue(response.getMetadata().<Timings>get("timings").total().isPositive());
    List<TruncatedPrompt> truncated = response.getMetadata().get("truncated_prompts");
    assertEquals("长".repeat(300), truncated.getFirst().prompt());
  }

  @Test
  void aMessageOfWeightMinusOneIsTheNegativePrompt() throws IOException {
    KolorsImage expected = pipeline.generate(request(PROMPT).negativePrompt("模糊").build()).image();
    List<ImageMessage> messages =
        List.of(new ImageMessage(PROMPT, 1f), new ImageMessage("模糊", -1f));
    assertEquals(expected, picture(new ImagePrompt(messages, seed(0).build())));
    assertEquals(expected, picture(new ImagePrompt(PROMPT, seed(0).negativePrompt("模糊").build())));
    assertNotEquals(expected, picture(new ImagePrompt(PROMPT, seed(0).build())));
  }

  @Test
  void theTextsOfSeveralMessagesArePutTogether() throws IOException {
    List<ImageMessage> messages = List.of(new ImageMessage("cat"), new ImageMessage("red"));
    assertEquals(
        pipeline.generate(request("cat, red").build()).image(),
        picture(new ImagePrompt(messages, seed(0).build())));
  }

  @ParameterizedTest
  @ValueSource(floats = {0.5f, 0, -0.5f, 2, Float.NaN})
  void anotherWeightIsRefused(float weight) {
    assertTrue(
        refusal(new ImagePrompt(List.of(new ImageMessage(PROMPT, weight))))
            .startsWith("[spring-ai] a message of weight " + weight));
  }

  @Test
  void twoNegativePromptsAreRefused() {
    List<ImageMessage> messages = List.of(new ImageMessage(PROMPT), new ImageMessage("a", -1f));
    assertTrue(
        refusal(new ImagePrompt(messages, seed(0).negativePrompt("b").build()))
            .contains("give one of them"));
  }

  @Test
  void aPromptWithoutMessagesIsRefused() {
    assertTrue(refusal(new ImagePrompt(List.of())).contains("without messages"));
  }

  @Test
  void mediaAreThePictureToBeginWith() throws IOException {
    ImageRequest.Builder begun = request(PROMPT).image(gradient());
    assertEquals(
        pipeline.generate(begun.strength(0.5).build()).image(),
        picture(new ImagePrompt(with(media()), seed(0).strength(0.5).build())));
    assertEquals(
        pipeline.generate(begun.strength(0.9).build()).image(),
        picture(new ImagePrompt(with(media()), seed(0).build())),
        "the strength of the defaults");
  }

  @Test
  void aSecondPictureThatIsNamedMaskSaysWhatIsPaintedAnew() throws IOException {
    KolorsImage from = gradient();
    int half = from.width() / 2;
    byte[] white = new byte[from.width() * from.height() * 3];
    for (int i = 0; i < white.length; i++) {
      white[i] = (byte) (i / 3 % from.width() < half ? 255 : 0);
    }
    KolorsImage mask = KolorsImage.of(from.width(), from.height(), white);
    Media named =
        Media.builder().mimeType(Media.Format.IMAGE_PNG).data(png(mask)).name("mask").build();
    KolorsImage painted = picture(new ImagePrompt(with(named, media()), seed(0).build()));
    KolorsImage rest = from.crop(half, 0, from.width() - half, from.height());
    assertEquals(rest, painted.crop(half, 0, from.width() - half, from.height()));
    assertNotEquals(from, painted);
    assertTrue(refusal(new ImagePrompt(with(named), seed(0).build())).contains("a mask goes with"));
  }

  @Test
  void aMessageThatOnlyBringsAPictureAddsNoText() throws IOException {
    List<ImageMessage> messages =
        List.of(new ImageMessage("", null, List.of(media()), Map.of()), new ImageMessage(PROMPT));
    assertEquals(
        picture(new ImagePrompt(with(media()), seed(0).build())),
        picture(new ImagePrompt(messages, seed(0).build())));
  }

  @Test
  void aStrengthWithoutAPictureIsRefusedWhereTheRequestSaysIt() {
    assertTrue(
        refusal(new ImagePrompt(PROMPT, seed(0).strength(0.5).build())).contains("strength"));
  }

  static Stream<Media> whatIsNotThere() throws IOException {
    URI uri = URI.create("http://127.0.0.1:9/cat.png");
    return Stream.of(
        new Media(Media.Format.IMAGE_PNG, uri),
        Media.builder().mimeType(Media.Format.IMAGE_PNG).data(uri.toURL()).build(),
        Media.builder().mimeType(Media.Format.IMAGE_PNG).data("file:///etc/hostname").build());
  }

  @ParameterizedTest
  @MethodSource("whatIsNotThere")
  void aUrlIsRefusedAndNotFetched(Media media) {
    assertTrue(
        refusal(new ImagePrompt(with(media), seed(0).build())).contains("nothing is fetched"));
  }

  @Test
  void twoPicturesOrABrokenOneAreRefused() throws IOException {
    assertTrue(
        refusal(new ImagePrompt(with(media(), media()), seed(0).build())).contains("takes one"));
    Media broken = Media.builder().mimeType(Media.Format.IMAGE_PNG).data(new byte[20]).build();
    refusal(new ImagePrompt(with(broken), seed(0).build()));
    ImageMessage unwanted = new ImageMessage("", -1f, List.of(media()), Map.of());
    assertTrue(
        refusal(new ImagePrompt(List.of(new ImageMessage(PROMPT), unwanted), seed(0).build()))
            .contains("weight -1"));
  }

  @Test
  void aSchedulerOfTheRequestTakesTheSteps() throws IOException {
    KolorsPipeline karras =
        pipeline.withScheduler(
            Schedulers.byName("dpmsolver++")
                .fromConfig(pipeline.scheduler().config(), Map.of("use_karras_sigmas", true)));
    assertEquals(
        karras.generate(request(PROMPT).build()).image(),
        picture(
            new ImagePrompt(
                PROMPT,
                seed(0)
                    .scheduler("dpmsolver++")
                    .schedulerOptions(Map.of("use_karras_sigmas", "true"))
                    .build())));
  }

  @Test
  void everyOtherOptionReachesTheRequest() throws IOException {
    assertEquals(
        pipeline
            .generate(
                request(PROMPT)
                    .numInferenceSteps(3)
                    .guidanceScale(7)
                    .guidanceRescale(0.7)
                    .pagScale(3)
                    .vaeTiling(true)
                    .size(64, 96)
                    .build())
            .image(),
        picture(
            new ImagePrompt(
                PROMPT,
                seed(0)
                    .numInferenceSteps(3)
                    .guidanceScale(7.0)
                    .guidanceRescale(0.7)
                    .pagScale(3.0)
                    .vaeTiling(true)
                    .width(64)
                    .height(96)
                    .build())));
  }

  @Test
  void anotherModelIsRefused() {
    assertTrue(
        refusal(new ImagePrompt(PROMPT, ImageOptionsBuilder.builder().model("dall-e-3").build()))
            .startsWith("[spring-ai] model dall-e-3"));
  }

  @Test
  void theModelItselfMayBeNamed() {
    model.call(new ImagePrompt(PROMPT, ImageOptionsBuilder.builder().model(checkpoint).build()));
  }

  @Test
  void aPictureSaysHowItWasMadeOnlyWhereThatIsWanted(@TempDir Path folder) throws IOException {
    Path plain = folder.resolve("plain.png");
    ImagePrompt prompt = new ImagePrompt(PROMPT, seed(0).scheduler("heun").build());
    Files.write(plain, png(model.call(prompt).getResult().getOutput()));
    assertTrue(PictureMetadata.read(plain).isEmpty());

    Path telling = folder.resolve("telling.png");
    try (KolorsImageModel wanted =
        KolorsImageModel.builder()
            .model(checkpoint)
            .options(KolorsImageOptions.builder().numInferenceSteps(STEPS).build())
            .pictureMetadata(true)
            .build()) {
      Files.write(telling, png(wanted.call(prompt).getResult().getOutput()));
    }
    PictureMetadata metadata = PictureMetadata.read(telling).orElseThrow();
    assertEquals(List.of(PROMPT), metadata.request().prompts());
    assertEquals("HeunDiscreteScheduler", metadata.scheduler().text("_class_name"));
    assertEquals(KolorsImage.read(plain), KolorsImage.read(telling));
  }

  @Test
  void aCallIsObservedByTheNamesOfSpringAi() {
    TestObservationRegistry registry = TestObservationRegistry.create();
    try (KolorsImageModel observed = model(registry)) {
      observed.call(new ImagePrompt(PROMPT, seed(0).width(64).height(64).build()));
    }
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo(DefaultImageModelObservationConvention.DEFAULT_NAME)
        .that()
        .hasContextualNameEqualTo("image " + checkpoint)
        .hasLowCardinalityKeyValue("gen_ai.operation.name", "image")
        .hasLowCardinalityKeyValue("gen_ai.system", "kolors")
        .hasLowCardinalityKeyValue("gen_ai.request.model", checkpoint)
        .hasHighCardinalityKeyValue("gen_ai.request.image.size", "64x64")
        .hasHighCardinalityKeyValue("gen_ai.request.image.response_format", "b64_json")
        .hasBeenStarted()
        .hasBeenStopped();
  }

  @Test
  void aRefusalIsObservedAsAnError() {
    TestObservationRegistry registry = TestObservationRegistry.create();
    try (KolorsImageModel observed = model(registry)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> observed.call(new ImagePrompt(PROMPT, seed(0).width(63).build())));
    }
    TestObservationRegistryAssert.assertThat(registry)
        .hasSingleObservationThat()
        .hasError()
        .hasBeenStopped();
  }

  @Test
  void anotherConventionNamesTheObservations() {
    TestObservationRegistry registry = TestObservationRegistry.create();
    try (KolorsImageModel observed = model(registry)) {
      observed.setObservationConvention(
          new DefaultImageModelObservationConvention() {
            @Override
            public String getName() {
              return "pictures";
            }
          });
      observed.call(new ImagePrompt(PROMPT, seed(0).build()));
    }
    TestObservationRegistryAssert.assertThat(registry)
        .hasSingleObservationThat()
        .hasNameEqualTo("pictures");
  }
}
