package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters of requests and of pipelines, on the mini checkpoint. */
class AdaptersInPipelineTest {
  @TempDir private static Path folder;

  private static KolorsPipeline pipeline;
  private static Adapter adapter;

  private static final ImageRequest PLAIN =
      ImageRequest.builder("一只瓢虫")
          .size(64, 64)
          .numInferenceSteps(2)
          .seed(7)
          .outputType(OutputType.LATENT)
          .build();

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
    adapter = Adapter.load(attentionLora());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  /** Of rank 2 on all attentions of the U-Net and on the text encoder's first layer. */
  private static Path attentionLora() throws IOException {
    Map<String, TensorData> tensors = new TreeMap<>();
    SplittableRandom random = new SplittableRandom(3);
    for (Parameter parameter : UNet2DConditionModel.parameters(pipeline.unet().config())) {
      if (parameter.name().matches(".*attn[12]\\.to_(q|k|v|out\\.0)\\.weight")) {
        add(tensors, "unet.", parameter, random);
      }
    }
    for (Parameter parameter : ChatGlmModel.parameters(pipeline.textEncoder().config())) {
      if (parameter.name().endsWith("layers.0.self_attention.query_key_value.weight")) {
        add(tensors, "text_encoder.", parameter, random);
      }
    }
    Path file = folder.resolve("lora.safetensors");
    SafetensorsWriter.write(file, Map.of(), tensors);
    return file;
  }

  private static void add(
      Map<String, TensorData> tensors,
      String prefix,
      Parameter parameter,
      SplittableRandom random) {
    String module = parameter.name().substring(0, parameter.name().length() - ".weight".length());
    long out = parameter.shape().get(0);
    long in = parameter.shape().get(1);
    tensors.put(prefix + module + ".lora_A.weight", values(random, 2, in));
    tensors.put(prefix + module + ".lora_B.weight", values(random, out, 2));
  }

  private static TensorData values(SplittableRandom random, long rows, long columns) {
    float[] values = new float[(int) (rows * columns)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (random.nextFloat() - 0.5f) * 0.3f;
    }
    return TensorData.f32(values, rows, columns);
  }

  private static float[] latents(KolorsPipeline from, ImageRequest request) {
    return from.generate(request).latents().orElseThrow().values();
  }

  private static ImageRequest with(Adapters adapters) {
    return PLAIN.toBuilder().adapters(adapters).build();
  }

  @Test
  void adaptersOfARequestAndOfAPipelineGiveTheSameBytesAndLeaveOthersAlone() {
    float[] plain = latents(pipeline, PLAIN);
    Adapters adapters = Adapters.of(adapter).at(0.8);
    float[] adapted = latents(pipeline, with(adapters));
    assertFalse(Arrays.equals(plain, adapted), "the update shows");
    assertArrayEquals(adapted, latents(pipeline.withAdapters(adapters), PLAIN));
    assertArrayEquals(plain, latents(pipeline, PLAIN));
    assertArrayEquals(plain, latents(pipeline, with(adapters.at(0))));
  }

  @Test
  void theTextEncoderHasAWeightOfItsOwn() {
    Adapters adapters = Adapters.of(adapter).at(0.8);
    assertFalse(
        Arrays.equals(
            latents(pipeline, with(adapters)), latents(pipeline, with(adapters.textEncoderAt(0)))));
    assertFalse(
        Arrays.equals(
            pipeline.encodePrompt("x").promptEmbeds().values(),
            pipeline.withAdapters(adapters).encodePrompt("x").promptEmbeds().values()));
  }

  @Test
  void aSavedPipelineHasTheSums(@TempDir Path target) throws IOException {
    KolorsPipeline adapted = pipeline.withAdapters(Adapters.of(adapter));
    Path saved = target.resolve("fused");
    adapted.savePretrained(saved);
    try (KolorsPipeline fused = KolorsPipeline.open(saved)) {
      float[] expected = latents(adapted, PLAIN);
      float[] actual = latents(fused, PLAIN);
      double error = 0;
      double square = 0;
      for (int i = 0; i < expected.length; i++) {
        error += Math.pow(actual[i] - expected[i], 2);
        square += Math.pow(expected[i], 2);
      }
      // the sums are rounded to F16, 2^-11 of each
      assertTrue(Math.sqrt(error / square) < 5e-3, "" + Math.sqrt(error / square));
      assertFalse(Arrays.equals(actual, latents(pipeline, PLAIN)), "the update is in it");
    }
  }

  @Test
  void aRequestWithAdaptersSurvivesItsJsonAndIsGeneratedAgain() {
    ImageRequest request =
        with(Adapters.of(adapter).at(0.5).textEncoderAt(1).atBlock("up_blocks.0", 0.25));
    ImageRequest again = ImageRequest.fromJson(request.toJson());
    assertEquals(request, again);
    assertArrayEquals(latents(pipeline, request), latents(pipeline, again));
  }

  @Test
  void aPictureNamesItsAdaptersWithoutTheirFolders() {
    ImageRequest request =
        with(Adapters.of(adapter)).toBuilder().outputType(OutputType.IMAGE).build();
    String json = pipeline.metadata(pipeline.generate(request), 0).toJson();
    assertTrue(json.contains("\"lora.safetensors\"") && json.contains(adapter.sha256()), json);
    assertFalse(json.contains(folder.toString()), json);
  }

  @Test
  void adaptedModelsAreOthersThanTheirParents() {
    KolorsPipeline adapted = pipeline.withAdapters(Adapters.of(adapter));
    assertEquals(
        List.of("text_encoder", "unet"),
        pipeline.identity().differences(adapted.identity()).stream().sorted().toList());
    assertFalse(
        adapted.identity().equals(pipeline.withAdapters(Adapters.of(adapter).at(2)).identity()));
  }

  @Test
  void anAdapterOfAnotherModelIsRefusedBeforeAnythingIsComputed(@TempDir Path other)
      throws IOException {
    Path file = other.resolve("other.safetensors");
    SafetensorsWriter.write(
        file,
        Map.of(),
        Map.of(
            "a.lora_A.weight", TensorData.f32(new float[2], 1, 2),
            "a.lora_B.weight", TensorData.f32(new float[2], 2, 1)));
    Adapters adapters = Adapters.of(Adapter.load(file));
    assertThrows(IllegalArgumentException.class, () -> pipeline.generate(with(adapters)));
    assertThrows(IllegalArgumentException.class, () -> pipeline.withAdapters(adapters));
    assertThrows(IllegalArgumentException.class, () -> pipeline.fit(adapters));
  }
}
