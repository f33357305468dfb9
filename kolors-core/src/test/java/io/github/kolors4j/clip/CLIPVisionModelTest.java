package io.github.kolors4j.clip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.FormulaWeights;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CLIPVisionModelTest {
  @TempDir private Path folder;

  @Test
  void givesTheLastLayerButOneAsTransformersDoes() throws IOException {
    try (Fixture fixture = Fixture.open("clip/hidden_states");
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads);
        CLIPVisionModel model = model(fixture)) {
      Tensor hidden = model.hiddenStates(fixture.tensor(workspace, "input.pixel_values"));
      fixture.assertClose("output.hidden_states", hidden);
      Tensor zeros = workspace.tensor(1, 28, 28, 3);
      Arrays.fill(zeros.data(), 0, zeros.shape().size(), 0);
      fixture.assertClose("output.zeros", model.hiddenStates(zeros));
      assertThrows(
          IllegalArgumentException.class, () -> model.hiddenStates(workspace.tensor(1, 28, 27, 3)));
    }
  }

  private CLIPVisionModel model(Fixture fixture) throws IOException {
    Files.writeString(folder.resolve("config.json"), fixture.config().text());
    CLIPVisionConfig config = CLIPVisionConfig.of(fixture.config());
    FormulaWeights.write(
        folder.resolve("model.safetensors"), CLIPVisionModel.parameters(config), 0);
    return CLIPVisionModel.load(folder);
  }

  /** As some adapters come with a whole CLIP, and others with what they need alone. */
  @Test
  void aFileMayHaveAWholeClipOrNoMoreThanIsRead() throws IOException {
    try (Fixture fixture = Fixture.open("clip/hidden_states")) {
      String vision = fixture.config().text();
      Files.writeString(
          folder.resolve("config.json"),
          "{\"projection_dim\": 8, \"vision_config\": %s, \"text_config\": {}}".formatted(vision));
      CLIPVisionConfig config = CLIPVisionConfig.of(fixture.config());
      assertEquals(config, CLIPVisionModel.config(folder));
      List<Parameter> all = new ArrayList<>(CLIPVisionModel.parameters(config));
      all.add(new Parameter("text_model.final_layer_norm.weight", List.of(5L)));
      all.add(new Parameter("vision_model.embeddings.position_ids", List.of(1L, 17L)));
      all.add(new Parameter("logit_scale", List.of(1L)));
      FormulaWeights.write(folder.resolve("model.safetensors"), all, 0);
      CLIPVisionModel.load(folder).close();

      all.removeIf(each -> each.name().matches("visual.*|.*layers\\.2\\..*|.*post_layernorm.*"));
      FormulaWeights.write(folder.resolve("model.safetensors"), all, 0);
      CLIPVisionModel.load(folder).close();

      all.add(new Parameter("vision_model.other.weight", List.of(5L)));
      FormulaWeights.write(folder.resolve("model.safetensors"), all, 0);
      assertThrows(InvalidFileException.class, () -> CLIPVisionModel.load(folder));
    }
  }

  /** ViT-L/14 at 336 pixels has 304 million parameters, 577 tokens of 1,024. */
  @Test
  void kolorsEncoderHasTheSizeThatIsPublished() throws InvalidFileException {
    CLIPVisionConfig config =
        CLIPVisionConfig.of(
            JsonConfig.parse(
                "config.json",
                """
                {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
                 "num_hidden_layers": 24, "image_size": 336, "patch_size": 14, "projection_dim": 768}
                """));
    assertEquals(577, config.tokens());
    long parameters = CLIPVisionModel.parameters(config).stream().mapToLong(Parameter::size).sum();
    assertEquals(304_293_888, parameters);
  }
}
