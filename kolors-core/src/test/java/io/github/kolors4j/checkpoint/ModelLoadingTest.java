package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What each model does about tensors that do not fit. */
class ModelLoadingTest {
  private static final Set<String> NONE = Set.of();

  @Test
  void theUNetNamesWhatIsMissingAndWhatIsTooMuch() throws IOException {
    try (Fixture fixture = Fixture.open("unet/one_image")) {
      UNet2DConditionConfig config = UNet2DConditionConfig.of(fixture.config());
      Set<String> without =
          Set.of(
              "down_blocks.1.attentions.0.norm.weight",
              "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight",
              "conv_out.bias");
      assertFault(
          "[weights] unet (fake): 3 tensors expected but missing"
              + " (first: down_blocks.1.attentions.0.norm.weight).",
          () -> UNet2DConditionModel.of(config, Fixture.changed(fixture.source(), without)));
      assertFault(
          "[weights] unet (fake): 1 tensor is not of this model (first: class_embedding.weight)."
              + " A file of another model, or a config that does not fit?",
          () ->
              UNet2DConditionModel.of(
                  config,
                  Fixture.changed(
                      fixture.source(), NONE, zeros("class_embedding.weight", DType.F16, 10))));
      assertFault(
          "[weights] unet (fake): conv_in.bias is stored as F64: F32, F16, BF16 and F8_E4M3 are read. Convert it.",
          () ->
              UNet2DConditionModel.of(
                  config,
                  Fixture.changed(fixture.source(), NONE, zeros("conv_in.bias", DType.F64, 10))));
    }
  }

  @Test
  void theVaeChecksItsEncoderWithoutRequiringIt() throws IOException {
    try (Fixture fixture = Fixture.open("vae/whole_file")) {
      AutoencoderKLConfig config = AutoencoderKLConfig.of(fixture.config());
      AutoencoderKL.of(
          config,
          Fixture.changed(fixture.source(), Set.of("encoder.conv_in.weight", "quant_conv.weight")));
      assertFault(
          "[weights] vae (fake): encoder.conv_in.bias has the shape [9]; its config asks for [8].",
          () ->
              AutoencoderKL.of(
                  config,
                  Fixture.changed(
                      fixture.source(), NONE, zeros("encoder.conv_in.bias", DType.F16, 9))));
    }
  }

  @Test
  void theTextEncoderChecksWhatKolorsDoesNotReadWithoutRequiringIt() throws IOException {
    try (Fixture fixture = Fixture.open("chatglm/multi_query")) {
      ChatGlmConfig config = ChatGlmConfig.of(fixture.config());
      ChatGlmModel.of(
          config,
          Fixture.changed(
              fixture.source(),
              Set.of("encoder.final_layernorm.weight"),
              zeros("output_layer.weight", DType.F16, 97, 40),
              zeros("rotary_pos_emb.inv_freq", DType.F16, 2)));
      assertFault(
          "[weights] text_encoder (fake): rotary_pos_emb.inv_freq has the shape [4];"
              + " its config asks for [2].",
          () ->
              ChatGlmModel.of(
                  config,
                  Fixture.changed(
                      fixture.source(), NONE, zeros("rotary_pos_emb.inv_freq", DType.F16, 4))));
    }
  }

  @Test
  void aFolderWithoutItsConfigIsNamed(@TempDir Path directory) throws IOException {
    Path vae = Files.createDirectory(directory.resolve("vae"));
    assertFault(
        "[config] vae/config.json: there is no such file in %s. Incomplete download?"
            .formatted(vae),
        () -> AutoencoderKL.load(vae, Optional.empty()));
  }

  @Test
  void aFaultyWeightIsNamedWithItsFile(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("diffusion_pytorch_model.fp16.safetensors");
    try (Fixture fixture = Fixture.open("vae/whole_file")) {
      Files.writeString(directory.resolve("config.json"), fixture.config().text());
      Map<String, TensorData> tensors = new LinkedHashMap<>();
      for (String name : fixture.source().names()) {
        TensorInfo info = fixture.source().find(name).orElseThrow();
        tensors.put(name, new TensorData(info.dtype(), info.shape(), fixture.source().data(name)));
      }
      SafetensorsWriter.write(file, Map.of(), tensors);
      AutoencoderKL.load(directory, Optional.empty()).close();

      tensors.remove("decoder.conv_out.bias");
      SafetensorsWriter.write(file, Map.of(), tensors);
      assertFault(
          "[weights] vae (%s): 1 tensor expected but missing (first: decoder.conv_out.bias)."
              .formatted(file),
          () -> AutoencoderKL.load(directory, Optional.empty()));

      tensors.put("decoder.conv_out.bias", TensorData.f32(new float[2], 2));
      SafetensorsWriter.write(file, Map.of(), tensors);
      assertFault(
          "[weights] vae (%s): decoder.conv_out.bias has the shape [2]; its config asks for [3]."
              .formatted(file),
          () -> AutoencoderKL.load(directory, Optional.empty()));
    }
  }

  private static TensorInfo zeros(String name, DType dtype, long... shape) {
    return Fixture.Fake.info(name, dtype, shape);
  }

  private static void assertFault(String message, Executable call) {
    assertEquals(message, assertThrows(InvalidFileException.class, call).getMessage());
  }
}
