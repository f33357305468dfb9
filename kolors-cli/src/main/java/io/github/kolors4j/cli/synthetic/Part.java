package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.util.List;

/** A component that has weights. */
public enum Part {
  /** The U-Net. */
  UNET("unet", "diffusion_pytorch_model", 1),
  /** The VAE. */
  VAE("vae", "diffusion_pytorch_model", 1),
  /** The text encoder, the only one that is published in several files. */
  TEXT("text_encoder", "model", 3);

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
   * @return the name
   */
  public String folder() {
    return folder;
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
   */
  public List<Parameter> parameters(CheckpointConfig config) {
    return switch (this) {
      case UNET -> UNet2DConditionModel.parameters(config.unet());
      case VAE -> AutoencoderKL.parameters(config.vae());
      case TEXT -> ChatGlmModel.parameters(config.textEncoder());
    };
  }
}
