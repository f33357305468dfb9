package io.github.kolors4j.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.MicroConditioning;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.ops.Convolution;
import io.github.kolors4j.tensor.random.TorchGenerator;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What can be known before the work starts, at the sizes of the published model. */
class RequestCheckTest {
  private static final long GIGABYTE = 1_000_000_000;
  private static final Model KOLORS = model("\"sample_size\": 128,", 24 * GIGABYTE);
  private static final ImageRequest REQUEST = ImageRequest.builder("a").seed(1).build();

  /** All that a request goes through before the work starts. */
  private record Model(UNet2DConditionConfig unet, AutoencoderKLConfig vae, long memory) {
    ImageRequest resolve(ImageRequest request) {
      return resolve(request, RunControl.NONE).request();
    }

    ResolvedRequest resolve(ImageRequest request, RunControl control) {
      RequestCheck check = new RequestCheck(unet, vae, Optional.empty());
      check.check(request, control);
      ResolvedRequest resolved = resolver().resolve(request, control);
      check.check(resolved);
      new HeapForecast(unet, vae, Optional.empty(), 2, memory).check(resolved);
      return resolved;
    }

    RequestResolver resolver() {
      return new RequestResolver(unet, vae);
    }
  }

  private static Model model(String sampleSize, long memory) {
    try {
      String unet =
          """
          {%s "block_out_channels": [320, 640, 1280], "addition_embed_type": "text_time",
           "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
           "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
           "transformer_layers_per_block": [1, 2, 10],
           "attention_head_dim": [5, 10, 20], "cross_attention_dim": 2048,
           "mid_block_type": "UNetMidBlock2DCrossAttn",
           "encoder_hid_dim": 4096, "encoder_hid_dim_type": "text_proj",
           "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 5632}
          """;
      String vae =
          """
          {"block_out_channels": [128, 256, 512, 512], "latent_channels": 4,
           "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                                "DownEncoderBlock2D"],
           "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
                              "UpDecoderBlock2D"]}
          """;
      return new Model(
          UNet2DConditionConfig.of(
              JsonConfig.parse("unet/config.json", unet.formatted(sampleSize))),
          AutoencoderKLConfig.of(JsonConfig.parse("vae/config.json", vae)),
          memory);
    } catch (InvalidFileException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void heightAndWidthAreByDefaultWhatTheUNetWasTrainedOn() {
    ImageRequest resolved = KOLORS.resolve(REQUEST);
    assertEquals(OptionalInt.of(1024), resolved.height());
    assertEquals(OptionalInt.of(1024), resolved.width());
    assertEquals(1024, KOLORS.resolver().defaultSize());
    assertEquals(new LatentSize(4, 64, 96), KOLORS.resolver().latentSize(512, 768));
  }

  @Test
  void argumentsThatContradictOneAnotherAreRefusedByName() {
    FloatArray context = FloatArray.of(new float[2 * 4096], 1, 2, 4096);
    FloatArray pooled = FloatArray.of(new float[4096], 1, 4096);
    PromptEmbeds embeds = PromptEmbeds.of(context, pooled);
    PromptEmbeds withNegative =
        new PromptEmbeds(context, pooled, Optional.of(context), Optional.of(pooled));
    assertRefused(
        "[request] both prompt and prompt_embeds: they say the same in two ways, give one of them.",
        KOLORS,
        ImageRequest.builder(embeds).prompts(List.of("a")).build());
    assertRefused(
        "[request] both negative_prompt and negative_prompt_embeds: they say the same in two ways,"
            + " give one of them.",
        KOLORS,
        ImageRequest.builder(withNegative).negativePrompt("b").build());
    assertRefused(
        "[request] denoising_start 0.6 is not before denoising_end 0.5: start earlier or end"
            + " later.",
        KOLORS,
        REQUEST.toBuilder()
            .imageLatents(FloatArray.of(new float[4 * 64], 1, 4, 8, 8))
            .denoisingStart(0.6)
            .denoisingEnd(0.5)
            .build());
  }

  @Test
  void embeddingsMustBeOfThisModel() {
    FloatArray context = FloatArray.of(new float[20], 1, 2, 10);
    assertRefused(
        "[request] prompt_embeds are [1, 2, 10]: this model's have a width of 4096.",
        KOLORS,
        ImageRequest.of(PromptEmbeds.of(context, FloatArray.of(new float[10], 1, 10))));
    FloatArray wide = FloatArray.of(new float[300 * 4096], 1, 300, 4096);
    assertRefused(
        "[request] prompt_embeds of 300 tokens without negative_prompt_embeds: a negative prompt"
            + " can be encoded to 256 tokens at most, so give its embeddings too.",
        KOLORS,
        ImageRequest.of(PromptEmbeds.of(wide, FloatArray.of(new float[4096], 1, 4096))));
  }

  @Test
  void imageToImageHasTheSizeOfItsImage() {
    KolorsImage image = KolorsImage.of(100, 61, new byte[100 * 61 * 3]);
    ImageRequest resolved = KOLORS.resolve(REQUEST.toBuilder().image(image).build());
    assertEquals(OptionalInt.of(96), resolved.width());
    assertEquals(OptionalInt.of(56), resolved.height());
    assertEquals(
        new MicroConditioning.Size(56, 96),
        KOLORS.resolve(resolved, RunControl.NONE).conditionedSize());
    assertEquals(
        new MicroConditioning.Size(1024, 1024),
        KOLORS
            .resolve(
                resolved.toBuilder().compatibility(Compatibility.DIFFUSERS).build(),
                RunControl.NONE)
            .conditionedSize(),
        "as the reference has it");
    assertRefused(
        "[request] the image's height is 7: at least 8 pixels are needed, resize it or give a"
            + " height.",
        KOLORS,
        REQUEST.toBuilder().image(KolorsImage.of(9, 7, new byte[9 * 7 * 3])).build());
    assertRefused(
        "[request] 2 images to begin with for 1 picture: give one for all, or one a picture.",
        KOLORS,
        REQUEST.toBuilder().images(List.of(image, image)).build());
    assertRefused(
        "[request] the image's latents are [1, 3, 8, 8]: 1 image of 8x8 cells and 4 channels asks"
            + " for [1, 4, 8, 8].",
        KOLORS,
        REQUEST.toBuilder().imageLatents(FloatArray.of(new float[3 * 64], 1, 3, 8, 8)).build());
  }

  @Test
  void aModelWithoutASizeAsksForOne() {
    Model silent = model("", 24 * GIGABYTE);
    assertRefused(
        "[request] no width or height: unet/config.json has no sample_size to take them from, so"
            + " give both.",
        silent,
        REQUEST.toBuilder().width(64).build());
    assertEquals(
        OptionalInt.of(64), silent.resolve(REQUEST.toBuilder().size(64, 64).build()).width());
  }

  @Test
  void sizesBesideTheMultipleNameTheirNeighbours() {
    assertRefused(
        "[request] height 1001 is not a multiple of 8 (one latent cell is 8 pixels): use 1000 or"
            + " 1008.",
        KOLORS,
        REQUEST.toBuilder().height(1001).build());
    assertRefused(
        "[request] width 7 is not a multiple of 8 (one latent cell is 8 pixels): use 8.",
        KOLORS,
        REQUEST.toBuilder().width(7).build());
    assertRefused(
        "[request] width 2147483647 is not a multiple of 8 (one latent cell is 8 pixels): use"
            + " 2147483640 or 2147483648.",
        KOLORS,
        REQUEST.toBuilder().width(Integer.MAX_VALUE).build());
  }

  @Test
  void featureMapsThatNoArrayHoldsAreRefused() {
    assertRefused(
        "[request] 4096x4096 pixels make a feature map of 4,294,967,296 values in the VAE: 2^31-1"
            + " are the most. Use a smaller width or height, or VAE tiling.",
        KOLORS,
        REQUEST.toBuilder().size(4096, 4096).build());
    assertRefused(
        "[request] 2147483640x2147483640 pixels are more than 2^31-1: use a smaller width or"
            + " height.",
        KOLORS,
        REQUEST.toBuilder().size(2147483640, 2147483640).build());
    KOLORS.resolve(REQUEST.toBuilder().size(2048, 2048).build());
    KOLORS.resolve(REQUEST.toBuilder().size(4096, 4096).outputType(OutputType.LATENT).build());
  }

  @Test
  void aHeapThatCannotHoldThePictureIsSaidBeforeTheWork() {
    assertRefused(
        "[request] 1024x1024 pixels need about 3,499 MB of Java heap in the VAE, and it can have"
            + " 2,000 MB: use a smaller width or height, or VAE tiling, or start Java"
            + " with a larger -Xmx.",
        model("\"sample_size\": 128,", 2 * GIGABYTE),
        REQUEST);
    model("\"sample_size\": 128,", 2 * GIGABYTE)
        .resolve(REQUEST.toBuilder().vaeTiling(true).build());
    model("\"sample_size\": 128,", 2 * GIGABYTE)
        .resolve(REQUEST.toBuilder().size(512, 512).build());
    model("\"sample_size\": 128,", 2 * GIGABYTE)
        .resolve(REQUEST.toBuilder().outputType(OutputType.LATENT).build());
  }

  /**
   * Keys and values of 60 attentions of 1,280 and of 10 of 640 channels over 256 tokens, beside the
   * 2,048 that they are made from; the skips; and maps of 960 channels: two samples of each. And
   * two threads' buffers of 1,280 channels.
   */
  @Test
  void aHeapThatCannotHoldWhatTheUNetKeepsIsSaidBeforeTheWork() {
    long text = 256L * (2 * (60 * 1280 + 10 * 640) + 2048);
    long skips =
        3 * 64 * 64 * 320 + 32 * 32 * 320 + 2 * 32 * 32 * 640 + 16 * 16 * 640 + 2 * 16 * 16 * 1280;
    long maps = 6 * 64 * 64 * 960;
    long buffers = Convolution.bufferValues(1280);
    long bytes = 44_000_000 + (long) (1.28 * 4 * 2 * (text + skips + maps + buffers));
    assertRefused(
        "[request] 512x512 pixels need about %,d MB of Java heap in the U-Net, and it can have 700 MB: use"
                .formatted(Math.ceilDiv(bytes, 1_000_000))
            + " a smaller width or height, or start Java with a larger -Xmx.",
        model("", 700_000_000),
        REQUEST.toBuilder().size(512, 512).outputType(OutputType.LATENT).build());
    model("", bytes)
        .resolve(REQUEST.toBuilder().size(512, 512).outputType(OutputType.LATENT).build());
    model("", 700_000_000)
        .resolve(
            REQUEST.toBuilder()
                .size(512, 512)
                .outputType(OutputType.LATENT)
                .guidanceScale(1)
                .build());
  }

  @Test
  void countsThatDoNotMatchAreRefused() {
    ImageRequest two = ImageRequest.of(List.of("a", "b"));
    assertRefused(
        "[request] 3 negative prompts for 2 prompts: give one for all, or one a prompt.",
        KOLORS,
        two.toBuilder().negativePrompts(List.of("", "", "")).build());
    assertRefused(
        "[request] 2 negative prompts for 1 prompt: give one for all, or one a prompt.",
        KOLORS,
        REQUEST.toBuilder().negativePrompts(List.of("", "")).build());
    assertRefused(
        "[request] 3 seeds for 4 images: give one for all, or one an image.",
        KOLORS,
        two.toBuilder().numImagesPerPrompt(2).seeds(1, 2, 3).build());
    assertRefused(
        "[request] 2 seeds for 1 image: give one for all, or one an image.",
        KOLORS,
        REQUEST.toBuilder().seeds(1, 2).build());
    RunControl control = RunControl.builder().generators(List.of(new TorchGenerator(1))).build();
    assertRefused(
        "[request] 1 generator for 2 images: give one an image.",
        () -> KOLORS.resolve(two, control));
    assertRefused(
        "[request] both seeds and generators: give one of them, a generator has its own seed.",
        () -> KOLORS.resolve(REQUEST, control));
    assertRefused(
        "[request] 4294967294 images: 1000000 are the most of one request.",
        KOLORS,
        two.toBuilder().numImagesPerPrompt(Integer.MAX_VALUE).build());
  }

  @Test
  void latentsMustHaveTheShapeOfTheImages() {
    FloatArray latents = FloatArray.of(new float[4 * 8 * 16], 1, 4, 8, 16);
    KOLORS.resolve(REQUEST.toBuilder().latents(latents).size(128, 64).build());
    assertRefused(
        "[request] the latents are [1, 4, 8, 16]: 2 images of 16x8 cells and 4 channels ask for"
            + " [2, 4, 8, 16].",
        KOLORS,
        REQUEST.toBuilder().numImagesPerPrompt(2).latents(latents).size(128, 64).build());
    assertRefused(
        "[request] the latents are [1, 4, 8, 16]: 1 image of 8x16 cells and 4 channels asks for"
            + " [1, 4, 16, 8].",
        KOLORS,
        REQUEST.toBuilder().latents(latents).size(64, 128).build());
    assertRefused(
        "[request] the latents of 100000 images have more than 2^31-1 values: ask for fewer at a"
            + " time.",
        KOLORS,
        REQUEST.toBuilder().numImagesPerPrompt(100_000).outputType(OutputType.LATENT).build());
  }

  @Test
  void oneSeedCountsOnAndSeveralAreTaken() {
    ImageRequest four = ImageRequest.builder(List.of("a", "b")).numImagesPerPrompt(2).build();
    assertEquals(
        List.of(7L, 8L, 9L, 10L), KOLORS.resolve(four.toBuilder().seed(7).build()).seeds());
    assertEquals(
        List.of(4L, 3L, 2L, 1L),
        KOLORS.resolve(four.toBuilder().seeds(4, 3, 2, 1).build()).seeds());
    assertEquals(List.of(-5L), KOLORS.resolve(REQUEST.toBuilder().seed(-5).build()).seeds());
  }

  @Test
  void withoutASeedOneOf32BitsIsDrawn() {
    ImageRequest two = ImageRequest.builder("a").numImagesPerPrompt(2).build();
    List<Long> seeds = KOLORS.resolve(two).seeds();
    assertEquals(2, seeds.size());
    assertTrue(seeds.getFirst() >= 0 && seeds.getFirst() < 1L << 32);
    assertEquals(seeds.getFirst() + 1, seeds.getLast());
    assertTrue(!seeds.equals(KOLORS.resolve(two).seeds()), "one in 2^32 times they are equal");
  }

  @Test
  void generatorsNeedNoSeeds() {
    RunControl control = RunControl.builder().generators(List.of(new TorchGenerator(3))).build();
    ResolvedRequest resolved = KOLORS.resolve(ImageRequest.of("a"), control);
    assertEquals(List.of(), resolved.request().seeds());
  }

  private static void assertRefused(String message, Model model, ImageRequest request) {
    assertRefused(message, () -> model.resolve(request));
  }

  private static void assertRefused(String message, Executable executable) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, executable).getMessage());
  }
}
