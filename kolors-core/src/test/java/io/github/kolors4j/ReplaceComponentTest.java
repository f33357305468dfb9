package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Pipelines in which a component is another one. */
class ReplaceComponentTest {
  private static final Path MINI = PipelineFixture.CHECKPOINT;
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(16)
          .seed(5)
          .build();

  private static KolorsPipeline pipeline;
  private static KolorsImage expected;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.builder(MINI).threads(2).open();
    expected = pipeline.generate(SMALL).image();
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @Test
  void equalComponentsMakeTheSamePictureAndAreNotClosedWithThePipeline() throws IOException {
    try (AutoencoderKL vae = AutoencoderKL.load(MINI.resolve("vae"), Optional.empty());
        UNet2DConditionModel unet =
            UNet2DConditionModel.load(MINI.resolve("unet"), Optional.empty());
        ChatGlmModel textEncoder =
            ChatGlmModel.load(MINI.resolve("text_encoder"), Optional.empty())) {
      ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(MINI.resolve("tokenizer"));
      try (KolorsPipeline other = KolorsPipeline.open(MINI)) {
        KolorsPipeline replaced =
            other
                .withVae(vae)
                .withUnet(unet)
                .withTextEncoder(textEncoder)
                .withTokenizer(tokenizer)
                .withScheduler(pipeline.scheduler());
        assertSame(vae, replaced.vae());
        assertSame(unet, replaced.unet());
        assertSame(textEncoder, replaced.textEncoder());
        assertSame(tokenizer, replaced.tokenizer());
        assertEquals(expected, replaced.generate(SMALL).image());
      }
      assertEquals(
          expected,
          pipeline
              .withUnet(unet)
              .withTextEncoder(textEncoder)
              .withVae(vae)
              .generate(SMALL)
              .image());
    }
  }

  @Test
  void anotherVaeChangesThePictureOfTheDerivedPipelineAlone() throws IOException {
    String json = Files.readString(MINI.resolve("vae/config.json"));
    JsonConfig brighter =
        JsonConfig.parse(
            "vae/config.json",
            json.replace("\"scaling_factor\": 0.57149", "\"scaling_factor\": 0.3"));
    try (AutoencoderKL vae =
        AutoencoderKL.of(
            AutoencoderKLConfig.of(brighter),
            ShardedSafetensors.open(
                MINI.resolve("vae"), "diffusion_pytorch_model", Optional.empty()))) {
      assertNotEquals(expected, pipeline.withVae(vae).generate(SMALL).image());
      assertEquals(expected, pipeline.generate(SMALL).image());
    }
  }

  @Test
  void derivedPipelinesCloseTogether() throws IOException {
    KolorsPipeline opened = KolorsPipeline.open(MINI);
    KolorsPipeline derived = opened.withVae(pipeline.vae());
    derived.close();
    assertThrows(IllegalStateException.class, () -> opened.generate(SMALL));
    assertEquals(expected, pipeline.generate(SMALL).image());
  }

  @Test
  void componentsOfAnotherModelAreRefused() throws IOException {
    try (Fixture fixture = Fixture.open("unet/one_image")) {
      UNet2DConditionModel unet =
          UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
      assertUnfit(
          "[config] unet/config.json: encoder_hid_dim is 30, and text_encoder/config.json has"
              + " hidden_size 128: they must be equal.",
          () -> pipeline.withUnet(unet));
    }
    try (Fixture fixture = Fixture.open("chatglm/multi_query")) {
      ChatGlmModel textEncoder =
          ChatGlmModel.of(ChatGlmConfig.of(fixture.config()), fixture.source());
      assertUnfit(
          "[config] unet/config.json: encoder_hid_dim is 128, and text_encoder/config.json has"
              + " hidden_size 40: they must be equal.",
          () -> pipeline.withTextEncoder(textEncoder));
    }
  }

  @Test
  void aTextEncoderThatLacksIdsOfTheTokenizerIsRefused() throws IOException {
    String json = Files.readString(MINI.resolve("text_encoder/config.json"));
    JsonConfig config =
        JsonConfig.parse(
            "text_encoder/config.json",
            json.replace("\"padded_vocab_size\": 2048", "\"padded_vocab_size\": 512"));
    try (TensorSource source =
        ShardedSafetensors.open(MINI.resolve("text_encoder"), "model", Optional.empty())) {
      ChatGlmModel textEncoder =
          ChatGlmModel.of(
              ChatGlmConfig.of(config),
              Fixture.changed(
                  source,
                  Set.of("output_layer.weight"),
                  Fixture.Fake.info("embedding.word_embeddings.weight", DType.F16, 512, 128)));
      assertUnfit(
          "[config] the tokenizer has %d ids, and text_encoder/config.json has padded_vocab_size"
                  .formatted(pipeline.tokenizer().vocabularySize())
              + " 512: there must be a row for each id.",
          () -> pipeline.withTextEncoder(textEncoder));
    }
  }

  private static void assertUnfit(String message, Executable replacement) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, replacement).getMessage());
  }
}
