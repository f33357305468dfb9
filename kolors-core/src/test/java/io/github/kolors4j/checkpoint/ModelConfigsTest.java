package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the models' configurations accept, and the sentence for each value that they refuse. */
class ModelConfigsTest {
  // The last key is a note, so that each of the others is followed by a comma.
  private static final String UNET =
      """
      {"block_out_channels": [320, 640, 1280],
       "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
       "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
       "attention_head_dim": [5, 10, 20], "transformer_layers_per_block": [1, 2, 10],
       "cross_attention_dim": 2048, "encoder_hid_dim": 4096, "encoder_hid_dim_type": "text_proj",
       "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
       "projection_class_embeddings_input_dim": 5632, "use_linear_projection": true, "_": ""}
      """;
  private static final String VAE =
      """
      {"block_out_channels": [128, 256],
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"], "scaling_factor": 0.13025, "_": ""}
      """;
  private static final String TEXT_ENCODER =
      """
      {"add_qkv_bias": true, "multi_query_attention": true, "multi_query_group_num": 2,
       "original_rope": true, "architectures": ["ChatGLMModel"],
       "_": ""}
      """;

  /** A key given twice here would be refused: the one of the template is taken out. */
  private static JsonConfig with(String file, String template, String key, String value)
      throws InvalidFileException {
    String without =
        template.replaceAll("(?s)\"" + key + "\": (\\[[^]]*]|[^,\\[}]*)(,\\s*|(?=}))", "");
    return JsonConfig.parse(file, "{\"" + key + "\": " + value + ", " + without.substring(1));
  }

  @Test
  void theUNetsConfigHasTheClassesDefaults() throws InvalidFileException {
    UNet2DConditionConfig config =
        UNet2DConditionConfig.of(JsonConfig.parse("unet/config.json", UNET));
    assertEquals(OptionalInt.empty(), config.sampleSize());
    assertEquals(List.of(2, 2, 2), config.encoder().layersPerBlock());
    assertEquals(List.of(10, 2, 1), config.upTransformerLayersPerBlock());
    assertEquals(List.of(5, 10, 20), config.encoder().numAttentionHeads());
    assertEquals(1280, config.encoder().timeEmbedDim());
    assertEquals(4096, config.textEmbedDim());
    assertEquals(32, config.encoder().normNumGroups());
    assertEquals(1e-5f, config.encoder().normEps());
  }

  @Test
  void theUNetsLargestFeatureMapIsTheFinestLevelBesideItsSkip() throws InvalidFileException {
    UNet2DConditionConfig config =
        UNet2DConditionConfig.of(JsonConfig.parse("unet/config.json", UNET));
    assertEquals(2L * 128 * 96 * 960, config.largestFeatureMap(2, 128, 96));
    assertEquals(1L * 5 * 4 * (320 + 640), config.largestFeatureMap(1, 5, 4));
    assertEquals(1L * 5120, config.largestFeatureMap(1, 1, 1));
  }

  @Test
  void theTextEncodersConfigHasTheClassesDefaults() throws InvalidFileException {
    ChatGlmConfig config =
        ChatGlmConfig.of(JsonConfig.parse("text_encoder/config.json", TEXT_ENCODER));
    assertEquals(28, config.numLayers());
    assertEquals(2, config.kvHeads());
    assertEquals(13696, config.ffnHiddenSize());
    ChatGlmConfig plain = ChatGlmConfig.of(JsonConfig.parse("text_encoder/config.json", "{}"));
    assertEquals(32, plain.kvHeads());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          act_fn | "mish" | only "silu", "swish" are supported
          addition_embed_type | "text" | only "text_time" is supported
          addition_embed_type | null | only "text_time" is supported
          attention_type | "gated" | only "default" is supported
          center_input_sample | true | only false is supported
          class_embed_type | "timestep" | only null is supported
          class_embeddings_concat | true | only false is supported
          cross_attention_norm | "layer_norm" | only null is supported
          downsample_padding | 0 | only 1 is supported
          dual_cross_attention | true | only false is supported
          encoder_hid_dim_type | "image_proj" | only "text_proj" is supported
          encoder_hid_dim | null | an integer from 1 to 65536 is needed
          mid_block_only_cross_attention | true | only null is supported
          mid_block_scale_factor | 1.5 | only 1 is supported
          mid_block_type | "UNetMidBlock2D" | only "UNetMidBlock2DCrossAttn" is supported
          mid_block_type | null | only "UNetMidBlock2DCrossAttn" is supported
          num_attention_heads | 8 | only null is supported
          num_class_embeds | 10 | only null is supported
          only_cross_attention | true | only false is supported
          resnet_out_scale_factor | 2 | only 1 is supported
          resnet_skip_time_act | true | only false is supported
          resnet_time_scale_shift | "scale_shift" | only "default" is supported
          time_cond_proj_dim | 256 | only null is supported
          time_embedding_act_fn | "silu" | only null is supported
          time_embedding_type | "fourier" | only "positional" is supported
          timestep_post_act | "silu" | only null is supported
          conv_in_kernel | 4 | an odd size is needed
          conv_out_kernel | 0 | an integer from 1 to 31 is needed
          norm_num_groups | 48 | it must divide the 320 channels
          norm_num_groups | null | an integer from 1 to 65536 is needed
          norm_eps | 0 | a number above 0 is needed
          attention_head_dim | 7 | it is the number of heads and must divide the 320 channels
          attention_head_dim | [5, 10] | a list must have 3 values, one a block
          cross_attention_dim | [2048, 2048, 2048] | an integer from 1 to 65536 is needed
          layers_per_block | 2147483648 | an integer from 1 to 256 is needed
          transformer_layers_per_block | [1, 2, 2147483647] | an integer from 0 to 256 is needed
          down_block_types | ["DownBlock2D"] | one for each of the 3 blocks is needed
          up_block_types | ["UpBlock2D"] | one for each of the 3 blocks is needed
          projection_class_embeddings_input_dim | 1536 | it must be more than the 1536 of the six sizes
          use_linear_projection | 1 | true or false is needed
          """)
  void theUNetRefuses(String key, String value, String rule) {
    assertFault("unet/config.json", UNET, key, value, rule, UNet2DConditionConfig::of);
  }

  @Test
  void theUNetRefusesABlockThatItDoesNotKnow() {
    assertEquals(
        "[config] unet/config.json: down_block_types has \"AttnDownBlock2D\";"
            + " only \"DownBlock2D\", \"CrossAttnDownBlock2D\" are supported.",
        assertThrows(
                InvalidFileException.class,
                () ->
                    UNet2DConditionConfig.of(
                        with(
                            "unet/config.json",
                            UNET,
                            "down_block_types",
                            "[\"AttnDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"]")))
            .getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          act_fn | "relu" | only "silu", "swish" are supported
          latents_mean | [0, 0, 0, 0] | only null is supported
          latents_std | [1, 1, 1, 1] | only null is supported
          shift_factor | 0.1159 | only null is supported
          norm_num_groups | 48 | it must divide the 128 channels
          down_block_types | ["DownEncoderBlock2D"] | one for each of the 2 blocks is needed
          up_block_types | ["UpDecoderBlock2D"] | one for each of the 2 blocks is needed
          block_out_channels | [8, 8, 8, 8, 8, 8, 8, 8, 8] | 8 blocks are the most
          block_out_channels | 128 | a list of integers is needed
          scaling_factor | 0 | a number above 0 is needed
          use_post_quant_conv | "yes" | true or false is needed
          layers_per_block | 2147483648 | an integer from 1 to 256 is needed
          """)
  void theVaeRefuses(String key, String value, String rule) {
    assertFault("vae/config.json", VAE, key, value, rule, AutoencoderKLConfig::of);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          original_rope | false | only true is supported
          quantization_bit | 3 | only 0, 4, 8 are supported
          pre_seq_len | 128 | only null is supported
          kv_channels | 126 | a multiple of 4 is needed: half of them turn in pairs
          multi_query_group_num | 3 | it must divide the 32 attention heads
          num_attention_heads | 100000 | with heads of 128 channels that is too wide
          num_layers | 2147483648 | an integer from 1 to 1024 is needed
          layernorm_epsilon | "small" | a number is needed
          rmsnorm | null | true or false is needed
          """)
  void theTextEncoderRefuses(String key, String value, String rule) {
    assertFault("text_encoder/config.json", TEXT_ENCODER, key, value, rule, ChatGlmConfig::of);
  }

  @FunctionalInterface
  private interface Reader {
    Object read(JsonConfig json) throws InvalidFileException;
  }

  private static void assertFault(
      String file, String template, String key, String value, String rule, Reader reader) {
    assertEquals(
        "[config] %s: %s is %s; %s.".formatted(file, key, value, rule),
        assertThrows(
                InvalidFileException.class, () -> reader.read(with(file, template, key, value)))
            .getMessage());
  }
}
