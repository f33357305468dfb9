package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderTiny;
import java.io.IOException;
import java.util.List;

/** A component that has weights. */
public enum Part {
  /** The U-Net. */
  UNET("unet", "diffusion_pytorch_model", 1),
  /** The VAE. */
  VAE("vae", "diffusion_pytorch_model", 1),
  /** The text encoder, the only one that is published in several files. */
  TEXT("text_encoder", "model", 3),
  /** A tiny autoencoder, for previews. */
  TAESD("taesd", "diffusion_pytorch_model", 1),
  /** The image encoder of image prompts. */
  IMAGE_ENCODER("image_encoder", "model", 1),
  /** An adapter for image prompts, a single file without a configuration. */
  IP_ADAPTER("", "ip_adapter_plus_general", 1),
  /** A ControlNet for the U-Net. */
  CONTROLNET("controlnet", "diffusion_pytorch_model", 1),
  /** An adapter for the U-Net, a single file without a configuration. */
  LORA("", "pytorch_lora_weights", 1);

  private final String folder;
  private final String base;
  private final int files;

  Part(String folder, String base, int files) {
    this.folder = folder;
    this.base = base;
    this.files = files;
  }

  /**
   * Its folder in the checkpoint.
   *
   * @return the name; empty for the checkpoint's own
   */
  public String folder() {
    return folder;
  }

  /** Whether it is none of a checkpoint's own components, whose files have a variant. */
  boolean isBeside() {
    return this != UNET && this != VAE && this != TEXT;
  }

  /** What its file names begin with. */
  String base() {
    return base;
  }

  /** How many files it is published in. */
  int files() {
    return files;
  }

  /**
   * All tensors of its files.
   *
   * @param config the checkpoint's configurations
   * @return names and shapes
   * @throws IOException if a configuration is not possible
   */
  public List<Parameter> parameters(CheckpointConfig config) throws IOException {
    ImagePromptConfig more = new ImagePromptConfig(config);
    return switch (this) {
      case UNET -> UNet2DConditionModel.parameters(config.unet());
      case VAE -> AutoencoderKL.parameters(config.vae());
      case TEXT -> ChatGlmModel.parameters(config.textEncoder());
      case TAESD -> AutoencoderTiny.parameters(more.taesd());
      case IMAGE_ENCODER -> CLIPVisionModel.parameters(more.imageEncoder());
      case IP_ADAPTER -> IpAdapterModel.parameters(more.ipAdapter());
      case CONTROLNET -> ControlNetModel.parameters(config.controlNet());
      case LORA -> config.lora().parameters(UNet2DConditionModel.parameters(config.unet()));
    };
  }
}
