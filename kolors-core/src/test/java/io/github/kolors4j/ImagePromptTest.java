package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.FormulaWeights;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.clip.CLIPVisionConfig;
import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.estimate.MachineSpeed;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.ResizeFilter;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterConfig;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.ipadapter.ResamplerSize;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageEmbeds;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Image prompts on the mini checkpoint, with random adapters: IP-Adapter-Plus as diffusers'
 * KolorsPipeline has it, FaceID-Plus as Kolors' own classes have it.
 */
class ImagePromptTest {
  private static final ImageRequest PLAIN =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .negativePrompt("模糊,黑色背景")
          .size(32, 40)
          .numInferenceSteps(2)
          .seed(5)
          .outputType(OutputType.LATENT)
          .build();

  private static final Pattern PROJECTION = Pattern.compile("(.*\\.to_[qkv])\\.weight");

  @TempDir private static Path folder;

  private static KolorsPipeline pipeline;
  private static Fixture plus;
  private static Fixture face;
  private static IpAdapter first;
  private static IpAdapter second;
  private static IpAdapter ofFaces;
  private static KolorsImage red;
  private static KolorsImage turned;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
    plus = Fixture.open("ipadapter/plus");
    face = Fixture.open("ipadapter/face");
    writeEncoder(folder.resolve("image_encoder"));
    first = IpAdapter.of(writePlus("first.safetensors", 1));
    second = IpAdapter.of(writePlus("second.safetensors", 2));
    UNet2DConditionConfig unet = pipeline.unet().config();
    int width = unet.encoderHidDim();
    ResamplerSize size = new ResamplerSize(24, width, 4, width / 64, 4 * width, width);
    Path file = folder.resolve("face.safetensors");
    FormulaWeights.write(
        file,
        IpAdapterModel.parameters(
            new IpAdapterConfig(IpAdapter.Kind.FACE_ID_PLUS, 6, size, 512, 1024, unet)),
        3);
    ofFaces = IpAdapter.of(file);
    red = picture(plus, "red");
    turned = picture(plus, "turned");
  }

  private static void writeEncoder(Path encoder) throws IOException {
    Files.createDirectory(encoder);
    try (Fixture clip = Fixture.open("clip/hidden_states")) {
      Files.writeString(encoder.resolve("config.json"), clip.config().text());
      FormulaWeights.write(
          encoder.resolve("model.safetensors"),
          CLIPVisionModel.parameters(CLIPVisionConfig.of(clip.config())),
          0);
    }
  }

  private static Path writePlus(String name, int seed) throws IOException {
    Path file = folder.resolve(name);
    ResamplerSize size = new ResamplerSize(24, 96, 4, 1, 384, 96);
    FormulaWeights.write(
        file,
        IpAdapterModel.parameters(
            new IpAdapterConfig(IpAdapter.Kind.PLUS, 3, size, 0, 0, pipeline.unet().config())),
        seed);
    return file;
  }

  @AfterAll
  static void close() {
    pipeline.close();
    plus.close();
    face.close();
  }

  private static KolorsImage picture(Fixture fixture, String name) {
    int[] dims = fixture.dims("input." + name);
    return KolorsImage.of(dims[1], dims[0], fixture.bytes("input." + name));
  }

  private static FloatArray latents(KolorsPipeline from, ImageRequest request) {
    return from.generate(request).latents().orElseThrow();
  }

  private static ImageRequest with(ImagePrompt... prompts) {
    return PLAIN.toBuilder().imagePrompts(List.of(prompts)).build();
  }

  private static void assertAsReference(Fixture fixture, String key, ImageRequest request) {
    float[] expected = fixture.floats(key);
    float[] actual = latents(pipeline, request).values();
    assertEquals(expected.length, actual.length);
    double error = 0;
    double square = 0;
    for (int i = 0; i < expected.length; i++) {
      error += Math.pow(actual[i] - expected[i], 2);
      square += Math.pow(expected[i], 2);
    }
    double rms = Math.sqrt(error / square);
    String measured = "%s: relative RMS %.1e".formatted(key, rms);
    System.out.println(measured);
    assertTrue(rms <= Fixture.MAX_RELATIVE_RMS, measured);
  }

  private static void assertAsDiffusers(String name, ImagePrompt... prompts) {
    assertAsReference(plus, "output." + name + ".latents", with(prompts));
  }

  @Test
  void imagesAddUpAsInDiffusers() {
    assertAsDiffusers("one", ImagePrompt.of(first, red).at(0.6));
    assertAsDiffusers("two_images", ImagePrompt.of(first, red, turned).at(0.5));
    assertAsDiffusers(
        "two_adapters", ImagePrompt.of(first, red).at(0.4), ImagePrompt.of(second, turned).at(0.9));
    assertAsDiffusers(
        "one_off", ImagePrompt.of(first, red).at(0), ImagePrompt.of(second, turned).at(0.9));
    ImageRequest unguided =
        with(ImagePrompt.of(first, red).at(0.8)).toBuilder().guidanceScale(1).build();
    assertAsReference(plus, "output.without_guidance.latents", unguided);
    ImageRequest longer =
        with(ImagePrompt.of(first, turned)).toBuilder().numInferenceSteps(3).build();
    assertAsReference(plus, "output.perturbed_scale_1.latents", longer);
  }

  @Test
  void scalesOfBlocksAreAsInDiffusers() {
    assertAsDiffusers("style", ImagePrompt.of(first, red).styleAt(0.7));
    assertAsDiffusers(
        "style_and_layout",
        ImagePrompt.of(first, turned).styleAt(0.7).atBlock("down_blocks.2", 0.4));
  }

  @Test
  void masksSayWhereAsInDiffusers() {
    assertAsDiffusers(
        "masked",
        ImagePrompt.of(first, red, turned)
            .at(0.7)
            .within(picture(plus, "left"), picture(plus, "right")));
  }

  @Test
  void imageToImagePerturbedAttentionAndALoraBesideAnImageAreAsInDiffusers() throws IOException {
    try (Fixture combined = Fixture.open("ipadapter/combined")) {
      ImageRequest one = with(ImagePrompt.of(first, picture(combined, "red")).at(0.6));
      assertAsReference(
          combined,
          "output.image_to_image.latents",
          one.toBuilder()
              .image(picture(combined, "scene"))
              .strength(0.5)
              .numInferenceSteps(4)
              .build());
      assertAsReference(combined, "output.perturbed.latents", one.toBuilder().pagScale(3).build());
      assertAsReference(
          combined,
          "output.adapted.latents",
          one.toBuilder().adapters(Adapters.of(Adapter.load(writeLora())).at(0.2)).build());
    }
  }

  /** Of rank 2, as {@code image_prompt_fixtures.py} makes it. */
  private static Path writeLora() throws IOException {
    List<Parameter> parameters = new ArrayList<>();
    for (Parameter each : UNet2DConditionModel.parameters(pipeline.unet().config())) {
      Matcher projection = PROJECTION.matcher(each.name());
      if (projection.matches()) {
        String module = "unet." + projection.group(1);
        parameters.add(new Parameter(module + ".lora_A.weight", List.of(2L, each.shape().get(1))));
        parameters.add(new Parameter(module + ".lora_B.weight", List.of(each.shape().get(0), 2L)));
      }
    }
    Path file = folder.resolve("lora.safetensors");
    FormulaWeights.write(file, parameters, 4);
    return file;
  }

  @Test
  void besideAnythingElseAScaleOfZeroHasTheBytesOfNone() throws IOException {
    KolorsImage scene = picture(plus, "left");
    ControlNetInput led = ControlNetInput.of(ControlNet.of(MiniCheckpoint.controlNet()), turned);
    List<ImageRequest> others =
        List.of(
            PLAIN.toBuilder().image(scene).strength(0.6).build(),
            PLAIN.toBuilder().image(scene).mask(turned).build(),
            PLAIN.toBuilder().pagScale(2).build(),
            PLAIN.toBuilder().controlNet(led).build(),
            PLAIN.toBuilder().adapters(Adapters.of(Adapter.load(writeLora())).at(0.2)).build());
    for (ImageRequest other : others) {
      FloatArray alone = latents(pipeline, other);
      ImagePrompt prompt = ImagePrompt.of(first, red);
      assertEquals(alone, latents(pipeline, other.toBuilder().imagePrompt(prompt.at(0)).build()));
      assertFalse(alone.equals(latents(pipeline, other.toBuilder().imagePrompt(prompt).build())));
    }
    ImageRequest image = with(ImagePrompt.of(first, red));
    assertEquals(
        latents(pipeline, image),
        latents(pipeline, image.toBuilder().controlNet(led.at(0)).build()));
    assertEquals(
        latents(
            pipeline,
            PLAIN.toBuilder().imagePrompt(ImagePrompt.of(first, red)).controlNet(led).build()),
        latents(
            pipeline,
            PLAIN.toBuilder().controlNet(led).imagePrompt(ImagePrompt.of(first, red)).build()));
  }

  @Test
  void facesAreAsKolorsOwnClassesHaveThem() {
    float[] embedding = face.floats("input.face");
    // what Kolors' pipeline does with a face's square, before the image processor sees it
    KolorsImage square = picture(face, "square").resize(28, 28, ResizeFilter.BICUBIC);
    assertAsReference(
        face, "output.latents", with(ImagePrompt.ofFace(ofFaces, embedding, square).at(0.8)));
    assertAsReference(
        face,
        "output.latents",
        with(ImagePrompt.ofFace(ofFaces, embedding, picture(face, "square")).at(0.8)));
  }

  @Test
  void aScaleOfZeroHasTheBytesOfNone() {
    FloatArray plain = latents(pipeline, PLAIN);
    assertEquals(plain, latents(pipeline, with(ImagePrompt.of(first, red).at(0))));
    assertEquals(
        plain, latents(pipeline, with(ImagePrompt.of(first, red).at(0).atBlock("up_blocks.0", 0))));
    assertFalse(plain.equals(latents(pipeline, with(ImagePrompt.of(first, red).at(0.01)))));
  }

  @Test
  void encodedImagesGiveTheBytesOfTheImages() {
    ImagePrompt images = ImagePrompt.of(first, red, turned).at(0.5);
    ImageEmbeds embeds = pipeline.encodeImages(images);
    FloatArray expected = latents(pipeline, with(images));
    assertEquals(expected, latents(pipeline, with(ImagePrompt.of(first, embeds).at(0.5))));
    ImageEmbeds positive = new ImageEmbeds(embeds.imageEmbeds(), Optional.empty());
    assertEquals(expected, latents(pipeline, with(ImagePrompt.of(first, positive).at(0.5))));
    assertArrayEquals(
        new int[] {2, 17, 24}, embeds.negativeImageEmbeds().orElseThrow().shape().dims());
  }

  @Test
  void rememberedImagesNeedNoEncoder(@TempDir Path cache) throws IOException {
    FloatArray expected = latents(pipeline, with(ImagePrompt.of(first, red).at(0.5)));
    Path encoder = Files.createDirectory(cache.resolve("image_encoder"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(folder.resolve("image_encoder").resolve(name), encoder.resolve(name));
    }
    IpAdapter own = IpAdapter.of(first.file(), encoder);
    for (int run = 0; run < 2; run++) {
      try (KolorsPipeline remembering =
          KolorsPipeline.builder(MiniCheckpoint.directory())
              .promptCache(PromptCache.at(cache.resolve("prompts")))
              .open()) {
        assertEquals(expected, latents(remembering, with(ImagePrompt.of(own, red).at(0.5))));
      }
      try (var files = Files.list(cache.resolve("prompts"))) {
        long count = files.filter(file -> file.toString().endsWith(".safetensors")).count();
        assertEquals(4, count, "two prompts, an image and what it is held against");
      }
    }
  }

  @Test
  void aRequestSurvivesItsJsonAndIsGeneratedAgain() {
    ImageRequest request =
        with(
            ImagePrompt.of(first, red, turned)
                .at(0.7)
                .atBlock("up_blocks.0", 0.25)
                .within(picture(plus, "left"), picture(plus, "right")),
            ImagePrompt.ofFace(ofFaces, face.floats("input.face"), picture(face, "square")),
            ImagePrompt.of(second, pipeline.encodeImages(ImagePrompt.of(second, red))));
    ImageRequest again = ImageRequest.fromJson(request.toJson());
    assertEquals(request, again);
    assertEquals(latents(pipeline, request), latents(pipeline, again));
  }

  /** A picture of somebody is not in the file of another picture any larger than it was seen. */
  @Test
  void aPictureKeepsOfItsImagesWhatWasSeenAndNoFolders() {
    ImageRequest request =
        with(
                ImagePrompt.of(first, red, turned)
                    .at(0.7)
                    .within(picture(plus, "left"), picture(plus, "right")))
            .toBuilder()
            .outputType(OutputType.IMAGE)
            .build();
    PictureMetadata metadata = pipeline.metadata(pipeline.generate(request), 0);
    assertFalse(metadata.toJson().contains(folder.toString()), metadata.toJson());
    ImagePrompt kept = metadata.request().imagePrompts().getFirst();
    assertEquals(28, kept.images().getFirst().width());
    ImagePrompt found =
        new ImagePrompt(
            first,
            kept.images(),
            kept.embeds(),
            kept.faceEmbedding(),
            kept.scale(),
            kept.blocks(),
            kept.masks());
    ImageRequest again = metadata.request().toBuilder().imagePrompt(found).build();
    assertEquals(metadata.pixels(), PictureMetadata.hash(pipeline.generate(again).image()));
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeAnythingIsComputed(@TempDir Path other) throws IOException {
    assertThrows(IllegalArgumentException.class, () -> ImagePrompt.of(first)); // no image
    assertThrows(IllegalArgumentException.class, () -> ImagePrompt.of(ofFaces, red)); // no face
    assertThrows(
        IllegalArgumentException.class,
        () -> ImagePrompt.of(first, red, turned).within(picture(plus, "left")));
    assertThrows(IllegalArgumentException.class, () -> ImagePrompt.of(first, red).at(Double.NaN));
    ImagePrompt wide =
        ImagePrompt.of(
            first, new ImageEmbeds(FloatArray.wrap(new float[50], 1, 2, 25), Optional.empty()));
    assertRefused("a width of 25", with(wide));
    assertRefused(
        "has 3 values", with(ImagePrompt.ofFace(ofFaces, new float[3], picture(face, "square"))));

    IpAdapter alone = IpAdapter.of(Files.copy(first.file(), other.resolve("ip.safetensors")));
    assertRefused("no image encoder", with(ImagePrompt.of(alone, red)));
    IpAdapter gone =
        IpAdapter.reference(
            other.resolve("gone.safetensors"),
            first.imageEncoder(),
            IpAdapter.Kind.PLUS,
            "0123",
            28);
    assertRefused("gone.safetensors", with(ImagePrompt.of(gone, red)));
    IpAdapter changed =
        IpAdapter.reference(
            first.file(), first.imageEncoder(), IpAdapter.Kind.PLUS, second.identity(), 28);
    try (KolorsPipeline fresh = KolorsPipeline.open(MiniCheckpoint.directory())) {
      assertTrue(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> fresh.generate(with(ImagePrompt.of(changed, red))))
              .getMessage()
              .contains("another file"));
    }
  }

  private static void assertRefused(String part, ImageRequest request) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> pipeline.generate(request)).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void anEstimateCountsTheImagesAndTheirFiles() {
    try (ThreadPool threads = new ThreadPool(1)) {
      MachineSpeed speed = MachineSpeed.measure(threads, Products.F32, Duration.ofMillis(50));
      CostEstimate plain = pipeline.estimate(PLAIN, speed);
      CostEstimate more = pipeline.estimate(with(ImagePrompt.of(first, red)), speed);
      assertTrue(more.diskBytes() > plain.diskBytes());
      assertTrue(more.heapBytes() > plain.heapBytes());
    }
  }
}
