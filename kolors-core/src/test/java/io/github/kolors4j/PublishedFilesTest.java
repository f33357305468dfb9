package io.github.kolors4j;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.Prediction;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files in the layouts that others publish weights for Kolors in, written by {@code
 * fixtures/single_file_fixtures.py}, against diffusers on the same values.
 */
class PublishedFilesTest {
  private static final Path FOLDER = Path.of("src/test/resources/single_file");

  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  @TempDir private Path component;

  @AfterEach
  void close() {
    workspace.close();
    threads.close();
  }

  /** The folder that a checkpoint's configuration is read from. */
  private Path folder(Fixture fixture) throws IOException {
    Files.writeString(component.resolve("config.json"), fixture.config().text());
    return component;
  }

  private static Path file(String name) {
    return FOLDER.resolve(name + ".safetensors");
  }

  @ParameterizedTest
  @ValueSource(strings = {"chatglm_8bit", "chatglm_4bit"})
  void chatGlmOfTheWrappersForComfyUiEncodesAsItsDequantizedWeights(String name)
      throws IOException {
    try (Fixture expected = Fixture.open("single_file/expected_" + name);
        ChatGlmModel model = ChatGlmModel.loadFile(folder(expected), file(name))) {
      PromptEmbedding embedding =
          model.encode(
              workspace,
              expected.integerRows("input.input_ids"),
              expected.integerRows("input.attention_mask"),
              expected.integerRows("input.position_ids"));
      expected.assertClose("output.prompt_embeds", embedding.hiddenStates());
      expected.assertClose("output.pooled", embedding.pooled());
    }
  }

  @Test
  void aCheckpointOfComfyUiHasAUnetUnderStabilitysNames() throws IOException {
    try (Fixture unet = Fixture.open("unet/one_image");
        UNet2DConditionModel model = UNet2DConditionModel.loadFile(folder(unet), file("comfyui"))) {
      unet.assertClose("output.sample", Prediction.of(model, unet, workspace));
    }
  }

  @Test
  void aCheckpointOfComfyUiHasAVaeUnderLatentDiffusionsNames() throws IOException {
    try (Fixture vae = Fixture.open("vae/whole_file");
        AutoencoderKL model = AutoencoderKL.loadFile(folder(vae), file("comfyui"))) {
      vae.assertClose("output.sample", model.decode(vae.tensor(workspace, "input.latents")));
    }
  }

  @Test
  void aUnetOf8BitFloatsPredictsAsItsValues() throws IOException {
    try (Fixture inputs = Fixture.open("unet/one_image");
        Fixture expected = Fixture.open("single_file/expected_unet_f8");
        UNet2DConditionModel model =
            UNet2DConditionModel.loadFile(folder(inputs), file("unet_f8"))) {
      expected.assertClose("output.sample", Prediction.of(model, inputs, workspace));
    }
  }
}
