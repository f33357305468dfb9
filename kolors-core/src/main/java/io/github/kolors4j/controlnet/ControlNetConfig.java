package io.github.kolors4j.controlnet;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.unet.UNetEncoderConfig;
import java.util.List;

/**
 * A ControlNet's configuration, its {@code config.json}.
 *
 * @param encoder what it says of the half of a U-Net that it is
 * @param conditioningChannels channels of the picture that it follows
 * @param conditioningEmbeddingOutChannels channels of the convolutions that bring the picture to
 *     the size of the latents; between each two of them it is halved
 */
public record ControlNetConfig(
    UNetEncoderConfig encoder,
    int conditioningChannels,
    List<Integer> conditioningEmbeddingOutChannels) {

  private static final String EMBEDDING = "conditioning_embedding_out_channels";
  private static final int MAX_CHANNELS = 1 << 16;
  private static final int MAX_HALVINGS = 8;
  private static final int RGB = 3;

  /** Keeps a copy of the list. */
  public ControlNetConfig {
    conditioningEmbeddingOutChannels = List.copyOf(conditioningEmbeddingOutChannels);
  }

  /**
   * Reads the configuration. The name of the class in it does not matter: published ones have names
   * of their own.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static ControlNetConfig of(JsonConfig json) throws InvalidFileException {
    json.only("controlnet_conditioning_channel_order", "rgb");
    json.only("global_pool_conditions", false);
    json.only("conditioning_channels", RGB);
    UNetEncoderConfig encoder = UNetEncoderConfig.of(json);
    List<Integer> channels =
        json.isNull(EMBEDDING)
            ? List.of(16, 32, 96, 256)
            : json.integers(EMBEDDING, 1, MAX_CHANNELS);
    if (channels.size() > MAX_HALVINGS + 1) {
      throw json.fault(EMBEDDING, (MAX_HALVINGS + 1) + " are the most");
    }
    json.warnAboutUnknownKeys("ControlNetModel");
    return new ControlNetConfig(encoder, RGB, channels);
  }

  /**
   * Pixels of the picture on the side of a latent cell.
   *
   * @return 8 for Kolors
   */
  public int scaleFactor() {
    return 1 << (conditioningEmbeddingOutChannels.size() - 1);
  }
}
