package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.util.List;

/**
 * The configuration of a tiny autoencoder, its {@code config.json}.
 *
 * @param inChannels channels of a picture that is encoded
 * @param outChannels channels of a picture that is decoded
 * @param latentChannels channels of the latents
 * @param encoderBlocks residual blocks of each of the encoder's levels, the finest first
 * @param decoderBlocks residual blocks of each of the decoder's levels, the coarsest first
 * @param channels of all feature maps
 * @param scalingFactor what latents are multiplied by for the U-Net, and divided by before {@link
 *     AutoencoderTiny#decode}; 1 for TAESD, which was made for the U-Net's latents
 */
public record AutoencoderTinyConfig(
    int inChannels,
    int outChannels,
    int latentChannels,
    List<Integer> encoderBlocks,
    List<Integer> decoderBlocks,
    int channels,
    float scalingFactor) {

  private static final int MAX_CHANNELS = 1 << 16;
  private static final int MAX_BLOCKS = 64;
  private static final int MAX_LEVELS = 8;

  /** TAESD-XL, whose files have no other. */
  public static final AutoencoderTinyConfig TAESD =
      new AutoencoderTinyConfig(3, 3, 4, List.of(1, 3, 3, 3), List.of(3, 3, 3, 1), 64, 1);

  /** Keeps copies of the lists. */
  public AutoencoderTinyConfig {
    encoderBlocks = List.copyOf(encoderBlocks);
    decoderBlocks = List.copyOf(decoderBlocks);
  }

  /**
   * Reads the configuration.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static AutoencoderTinyConfig of(JsonConfig json) throws InvalidFileException {
    json.only("act_fn", "relu");
    json.only("upsample_fn", "nearest");
    json.only("upsampling_scaling_factor", 2);
    json.withoutEffect(
        "force_upcast", "latent_magnitude", "latent_shift", "shift_factor", "block_out_channels");
    List<Integer> encoderBlocks =
        list(json, "num_encoder_blocks", TAESD.encoderBlocks, 0, MAX_BLOCKS);
    List<Integer> decoderBlocks =
        list(json, "num_decoder_blocks", TAESD.decoderBlocks, 0, MAX_BLOCKS);
    List<Integer> standard = List.of(64, 64, 64, 64);
    List<Integer> encoder = list(json, "encoder_block_out_channels", standard, 1, MAX_CHANNELS);
    List<Integer> decoder = list(json, "decoder_block_out_channels", standard, 1, MAX_CHANNELS);
    if (encoder.size() != encoderBlocks.size() || encoder.size() > MAX_LEVELS) {
      throw json.fault(
          "encoder_block_out_channels", "one for each of num_encoder_blocks, 8 at most");
    }
    if (decoder.size() != decoderBlocks.size() || decoder.size() != encoder.size()) {
      throw json.fault(
          "decoder_block_out_channels", "one for each of num_decoder_blocks, as the encoder has");
    }
    int channels = encoder.getFirst();
    if (encoder.stream().anyMatch(c -> c != channels)
        || decoder.stream().anyMatch(c -> c != channels)) {
      throw json.fault("decoder_block_out_channels", "all must be equal, also to the encoder's");
    }
    AutoencoderTinyConfig config =
        new AutoencoderTinyConfig(
            json.integer("in_channels", 3, 1, MAX_CHANNELS),
            json.integer("out_channels", 3, 1, MAX_CHANNELS),
            json.integer("latent_channels", 4, 1, MAX_CHANNELS),
            encoderBlocks,
            decoderBlocks,
            channels,
            json.positive("scaling_factor", 1));
    json.warnAboutUnknownKeys("AutoencoderTiny");
    return config;
  }

  private static List<Integer> list(
      JsonConfig json, String key, List<Integer> absent, int min, int max)
      throws InvalidFileException {
    return json.isNull(key) ? absent : json.integers(key, min, max);
  }

  /**
   * How many pixels of the picture one latent cell is, in each direction.
   *
   * @return 2 to the number of upsamplers
   */
  public int scaleFactor() {
    return 1 << (decoderBlocks.size() - 1);
  }

  /**
   * The number of values of the largest feature map of a decode or an encode, of which three exist
   * at once.
   *
   * @param height of the picture, in pixels
   * @param width of the picture, in pixels
   * @return values for one sample
   */
  public long largestFeatureMap(int height, int width) {
    return (long) height * width * channels;
  }
}
