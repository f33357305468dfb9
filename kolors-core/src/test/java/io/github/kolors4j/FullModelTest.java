package io.github.kolors4j;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.UNet2DConditionInput;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * A checkpoint of any size against diffusers: {@code KOLORS_MODEL_DIR} names it, and {@code
 * KOLORS_REFERENCE_DIR} what {@code fixtures/make_full_model_reference.py} made of the same files.
 */
@EnabledIfEnvironmentVariable(named = "KOLORS_MODEL_DIR", matches = ".+")
@EnabledIfEnvironmentVariable(named = "KOLORS_REFERENCE_DIR", matches = ".+")
class FullModelTest {
  private final Path model = Path.of(System.getenv("KOLORS_MODEL_DIR"));

  @Test
  void theUNetPredictsAsDiffusersDoes() throws IOException {
    try (Fixture reference = reference("unet");
        UNet2DConditionModel unet =
            UNet2DConditionModel.load(model.resolve("unet"), Optional.empty());
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      Conditioning conditioning =
          unet.prepare(
              reference.tensor(workspace, "input.encoder_hidden_states"),
              reference.tensor(workspace, "input.text_embeds"),
              reference.rows("input.time_ids"));
      float timestep = reference.floats("input.timestep")[0];
      reference.assertClose(
          "output.sample",
          unet.forward(
              UNet2DConditionInput.of(
                  reference.tensor(workspace, "input.sample"), timestep, conditioning)));
    }
  }

  @Test
  void theVaeDecodesAsDiffusersDoes() throws IOException {
    try (Fixture reference = reference("vae");
        AutoencoderKL vae = AutoencoderKL.load(model.resolve("vae"), Optional.empty());
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      reference.assertClose(
          "output.sample", vae.decode(reference.tensor(workspace, "input.latents")));
    }
  }

  @Test
  void theTextEncoderEncodesAsDiffusersDoes() throws IOException {
    try (Fixture reference = reference("text");
        ChatGlmModel text = ChatGlmModel.load(model.resolve("text_encoder"), Optional.empty());
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      PromptEmbedding embedding =
          text.encode(
              workspace,
              reference.integerRows("input.input_ids"),
              reference.integerRows("input.attention_mask"),
              reference.integerRows("input.position_ids"));
      reference.assertClose("output.prompt_embeds", embedding.hiddenStates());
      reference.assertClose("output.pooled", embedding.pooled());
    }
  }

  /** Skips what there is no reference of. */
  private static Fixture reference(String part) throws IOException {
    Path file = Path.of(System.getenv("KOLORS_REFERENCE_DIR"), part + ".safetensors");
    assumeTrue(Files.exists(file), "no " + file);
    return Fixture.at(file);
  }
}
