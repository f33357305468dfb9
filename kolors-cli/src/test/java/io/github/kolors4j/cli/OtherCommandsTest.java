package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Of {@code encode}, {@code tokenize} and {@code inspect}. */
class OtherCommandsTest {
  @TempDir private Path folder;

  @Test
  void encodeWritesIdsAndEmbeddings() throws IOException {
    Path file = folder.resolve("a.safetensors");
    Run run = Run.of("encode", "一只瓢虫", "--out", file.toString());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(file + System.lineSeparator(), run.out());
    try (SafetensorsFile written = SafetensorsFile.open(file)) {
      assertEquals(
          Set.of(
              "input_ids",
              "attention_mask",
              "position_ids",
              "prompt_embeds",
              "pooled_prompt_embeds"),
          written.names());
      for (String ids : List.of("input_ids", "attention_mask", "position_ids")) {
        assertEquals(DType.I64, written.find(ids).orElseThrow().dtype());
        assertEquals(List.of(1L, 256L), written.find(ids).orElseThrow().shape());
      }
      assertEquals(List.of(1L, 256L, 128L), written.find("prompt_embeds").orElseThrow().shape());
      assertEquals(List.of(1L, 128L), written.find("pooled_prompt_embeds").orElseThrow().shape());
      assertEquals(DType.F32, written.find("prompt_embeds").orElseThrow().dtype());
    }
  }

  @Test
  void encodeWithANegativePromptWritesItsEmbeddingsToo() throws IOException {
    Path file = folder.resolve("a.safetensors");
    Run run = Run.of("encode", "cat", "--negative-prompt", "", "--out", file.toString());
    assertEquals(0, run.exitCode(), run.err());
    try (SafetensorsFile written = SafetensorsFile.open(file)) {
      assertEquals(7, written.names().size());
      assertEquals(
          List.of(1L, 256L, 128L), written.find("negative_prompt_embeds").orElseThrow().shape());
      assertEquals(
          List.of(1L, 128L), written.find("negative_pooled_prompt_embeds").orElseThrow().shape());
    }
  }

  @Test
  void tokenizeGivesThreeFlatListsOf256() {
    JsonObject json = Run.of("tokenize", "一只瓢虫", "--json").json();
    assertEquals(Set.of("inputIds", "attentionMask", "positionIds"), json.keySet());
    json.keySet().forEach(key -> assertEquals(256, json.getAsJsonArray(key).size()));
    JsonArray ids = json.getAsJsonArray("inputIds");
    JsonArray mask = json.getAsJsonArray("attentionMask");
    assertEquals("0", mask.get(0).toString());
    assertEquals("1", mask.get(255).toString());
    assertEquals("0", ids.get(0).toString());
  }

  @Test
  void tokenizeShowsTheTokensOneALine() {
    Run run = Run.of("tokenize", "瓢虫");
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("[gMASK]") && run.out().contains("瓢虫"), run.out());
    assertEquals("", run.err());
  }

  @Test
  void tokenizeWarnsOfALostPart() {
    Run run = Run.of("tokenize", "cat ".repeat(400) + "giraffe", "--json");
    assertEquals(1, run.out().lines().count());
    assertTrue(run.err().contains("giraffe"), run.err());
  }

  @Test
  void inspectListsTheTensorsOfACheckpointWithItsComponents() throws IOException {
    JsonObject json = Run.of("inspect", MiniCheckpoint.directory().toString(), "--json").json();
    JsonObject components = json.getAsJsonObject("components");
    assertEquals(
        Set.of("scheduler", "text_encoder", "tokenizer", "unet", "vae"), components.keySet());
    JsonObject text = components.getAsJsonObject("text_encoder");
    assertEquals("ChatGLMModel", text.get("class").getAsString());
    assertEquals(1_251_456, text.get("parameters").getAsLong()); // as its index says
    JsonObject unet = components.getAsJsonObject("unet");
    assertEquals("UNet2DConditionModel", unet.get("class").getAsString());
    assertEquals(
        "EulerDiscreteScheduler",
        components.getAsJsonObject("scheduler").get("class").getAsString());
    JsonObject first =
        json.getAsJsonArray("tensors").asList().stream()
            .map(element -> element.getAsJsonObject())
            .filter(tensor -> tensor.get("name").getAsString().equals("conv_in.weight"))
            .findFirst()
            .orElseThrow();
    assertEquals("F16", first.get("dtype").getAsString());
    assertEquals("[32,4,3,3]", first.get("shape").toString());
    assertEquals("unet/diffusion_pytorch_model.fp16.safetensors", first.get("file").getAsString());
  }

  @Test
  void inspectTakesAComponentOrAFileToo() throws IOException {
    Path unet = MiniCheckpoint.directory().resolve("unet");
    JsonObject component = Run.of("inspect", unet.toString(), "--json").json();
    assertEquals(
        "UNet2DConditionModel",
        component.getAsJsonObject("components").getAsJsonObject("unet").get("class").getAsString());
    Path file = unet.resolve("diffusion_pytorch_model.fp16.safetensors");
    JsonObject tensors = Run.of("inspect", file.toString(), "--json").json();
    assertEquals(Set.of("tensors"), tensors.keySet());
    assertEquals(
        component.getAsJsonArray("tensors").size(), tensors.getAsJsonArray("tensors").size());
  }

  @Test
  void inspectWithoutJsonIsForReading() throws IOException {
    Run run = Run.of("inspect", MiniCheckpoint.directory().toString());
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("text_encoder: ChatGLMModel, 1,251,456 parameters"), run.out());
    assertTrue(run.out().contains("conv_in.weight  F16  [32, 4, 3, 3]  unet/"), run.out());
  }

  /** A layer of ChatGLM, of 4 values in and 6 of queries, keys and values: 24 + 40 + 4 + 12. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void inspectCountsEachParameterOnceInEightBitsAndInFour(int inAByte) throws IOException {
    SafetensorsWriter.write(
        folder.resolve("model.safetensors"),
        Map.of(),
        Map.of(
            "encoder.layers.0.self_attention.query_key_value.weight",
            zeros(DType.I8, 6, 4 / inAByte),
            "encoder.layers.0.self_attention.query_key_value.weight_scale",
            zeros(DType.F16, 6),
            "encoder.layers.0.mlp.dense_4h_to_h.weight",
            zeros(DType.I8, 4, 10 / inAByte),
            "encoder.layers.0.mlp.dense_4h_to_h.weight_scale",
            zeros(DType.F16, 4),
            "encoder.layers.0.input_layernorm.weight",
            zeros(DType.F16, 4),
            "embedding.word_embeddings.weight",
            zeros(DType.F16, 3, 4)));
    JsonObject json = Run.of("inspect", folder.toString(), "--json").json();
    JsonObject component =
        json.getAsJsonObject("components").getAsJsonObject(folder.getFileName().toString());
    assertEquals(80, component.get("parameters").getAsLong());
  }

  private static TensorData zeros(DType dtype, long... shape) {
    List<Long> extents = Arrays.stream(shape).boxed().toList();
    byte[] bytes = new byte[(int) dtype.byteLength(extents)];
    return new TensorData(dtype, extents, MemorySegment.ofArray(bytes));
  }

  @Test
  void inspectCanLookForNanAndInfinity(@TempDir Path folder) throws IOException {
    String mini = MiniCheckpoint.directory().toString();
    assertEquals(Run.of("inspect", mini), Run.of("inspect", mini, "--check"));
    Path file = folder.resolve("nan.safetensors");
    float[] values = {1, 2, 3, Float.NaN, 5, 6};
    SafetensorsWriter.write(file, Map.of(), Map.of("w", TensorData.f32(values, 2, 3)));
    assertEquals(0, Run.of("inspect", file.toString()).exitCode());
    Run found = Run.of("inspect", file.toString(), "--check");
    assertEquals(1, found.exitCode());
    assertEquals("", found.out());
    assertTrue(
        found.err().contains("[weights] " + file + ": w F32 is not finite at [1, 0]: "),
        found.err());
  }
}
