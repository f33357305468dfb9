package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.clip.CLIPVisionConfig;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterConfig;
import io.github.kolors4j.ipadapter.ResamplerSize;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import io.github.kolors4j.vae.AutoencoderTinyConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The sizes of what a checkpoint can have beside its own components: as published where the U-Net
 * is Kolors', and very small for others.
 *
 * @param checkpoint the configurations of the checkpoint
 */
record ImagePromptConfig(CheckpointConfig checkpoint) {
  /** Kolors' U-Net reads text of this width. */
  private static final int FULL_CROSS_ATTENTION = 2048;

  private boolean isFull() {
    return checkpoint.unet().encoder().crossAttentionDim() == FULL_CROSS_ATTENTION;
  }

  /** TAESD-XL with as many levels as the VAE has; smaller ones have fewer channels. */
  String taesdJson() {
    AutoencoderKLConfig vae = checkpoint.vae();
    int levels = vae.blockOutChannels().size();
    List<Integer> channels = Collections.nCopies(levels, isFull() ? 64 : 8);
    List<Integer> blocks = new ArrayList<>(Collections.nCopies(levels, 3));
    blocks.set(0, 1);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "AutoencoderTiny");
    json.put("act_fn", "relu");
    json.put("encoder_block_out_channels", channels);
    json.put("decoder_block_out_channels", channels);
    json.put("num_encoder_blocks", blocks);
    json.put("num_decoder_blocks", blocks.reversed());
    json.put("in_channels", 3);
    json.put("out_channels", vae.outChannels());
    json.put("latent_channels", vae.latentChannels());
    json.put("scaling_factor", 1.0);
    json.put("upsampling_scaling_factor", 2);
    return JsonWriter.indented(json) + "\n";
  }

  AutoencoderTinyConfig taesd() throws IOException {
    return AutoencoderTinyConfig.of(JsonConfig.parse("taesd/config.json", taesdJson()));
  }

  /** CLIP ViT-L/14 at 336 pixels, or one of two small layers. */
  String imageEncoderJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("architectures", List.of("CLIPVisionModelWithProjection"));
    json.put("model_type", "clip_vision_model");
    json.put("hidden_act", "quick_gelu");
    json.put("hidden_size", isFull() ? 1024 : 16);
    json.put("intermediate_size", isFull() ? 4096 : 32);
    json.put("num_attention_heads", isFull() ? 16 : 2);
    json.put("num_hidden_layers", isFull() ? 24 : 2);
    json.put("image_size", isFull() ? 336 : 28);
    json.put("patch_size", isFull() ? 14 : 7);
    json.put("projection_dim", isFull() ? 768 : 8);
    json.put("layer_norm_eps", 1e-5);
    return JsonWriter.indented(json) + "\n";
  }

  CLIPVisionConfig imageEncoder() throws IOException {
    return CLIPVisionConfig.of(JsonConfig.parse("image_encoder/config.json", imageEncoderJson()));
  }

  /** Kolors-IP-Adapter-Plus, or one of two tokens and a layer. */
  IpAdapterConfig ipAdapter() throws IOException {
    UNet2DConditionConfig unet = checkpoint.unet();
    int dim = unet.encoder().crossAttentionDim();
    int embedDim = imageEncoder().hiddenSize();
    return new IpAdapterConfig(
        IpAdapter.Kind.PLUS,
        isFull() ? 16 : 2,
        new ResamplerSize(embedDim, dim, isFull() ? 4 : 1, isFull() ? 12 : 1, 4 * dim, dim),
        0,
        0,
        unet);
  }
}
