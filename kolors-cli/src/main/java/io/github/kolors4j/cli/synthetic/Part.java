package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.util.List;

/** A component that has weights. */
public enum Part {
  /** The U-Net. */
  UNET("unet", "diffusion_pytorch_model", "fp16", 1),
  /** The VAE. */
  VAE("vae", "diffusion_pytorch_model", "fp16", 1),
  /** The text encoder, the only one that is published in several files. */
  TEXT("text_encoder", "model", "fp16", 3),
  /** A ControlNet, which is published by itself and in the plain variant. */
  CONTROLNET("controlnet", "diffusion_pytorch_model", "", 1);

  private final String folder;
  private final String base;
  private final String variant;
  private final int files;

  Part(String folder, String base, String variant, int files) {
    this.folder = folder;
    this.base = base;
    this.variant = variant;
    this.files = files;
  }

  /**
   * Its folder in the checkpoint.
   *
   * @return the name
   */
  public String folder() {
    return folder;
  }

  /** What its file names begin with. */
  String base() {
    return base;
  }

  /** The variant that it is published in, empty for the plain one. */
  String variant() {
    return variant;
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
   */
  public List<Parameter> parameters(CheckpointConfig config) {
    return switch (this) {
      case UNET -> UNet2DConditionModel.parameters(config.unet());
      case VAE -> AutoencoderKL.parameters(config.vae());
      case TEXT -> ChatGlmModel.parameters(config.textEncoder());
      case CONTROLNET -> ControlNetModel.parameters(config.controlNet());
    };
  }
}
