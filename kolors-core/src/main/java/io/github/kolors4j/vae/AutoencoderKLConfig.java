package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.util.List;

/**
 * The VAE's configuration, {@code vae/config.json}.
 *
 * @param inChannels channels of a picture that is encoded
 * @param outChannels channels of a picture that is decoded
 * @param blockOutChannels channels of each block, the finest first
 * @param layersPerBlock residual blocks of an encoder's block; a decoder's has one more
 * @param latentChannels channels of the latents
 * @param normNumGroups groups of the group normalizations
 * @param scalingFactor what latents are multiplied by for the U-Net, and divided by before {@link
 *     AutoencoderKL#decode}
 * @param sampleSize pixels of the pictures that it was trained with, in each direction; tiles are
 *     as large
 * @param useQuantConv whether there is a 1×1 convolution after the encoder
 * @param usePostQuantConv whether there is a 1×1 convolution before the decoder
 * @param midBlockAddAttention whether the middle blocks have an attention
 */
public record AutoencoderKLConfig(
    int inChannels,
    int outChannels,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int latentChannels,
    int normNumGroups,
    float scalingFactor,
    int sampleSize,
    boolean useQuantConv,
    boolean usePostQuantConv,
    boolean midBlockAddAttention) {

  private static final int MAX_CHANNELS = 1 << 16;
  private static final int MAX_LAYERS = 256;
  private static final int MAX_BLOCKS = 8;

  /** Of the encoder, where Kolors has 8. Each has names and shapes to be made. */
  private static final int MAX_RESIDUAL_BLOCKS = 64;

  /**
   * Reads the configuration.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static AutoencoderKLConfig of(JsonConfig json) throws InvalidFileException {
    json.only("act_fn", "silu", "swish");
    json.onlyNull("latents_mean", "latents_std", "shift_factor");
    json.withoutEffect("force_upcast");

    List<Integer> blockOutChannels = json.integers("block_out_channels", 1, MAX_CHANNELS);
    int blocks = blockOutChannels.size();
    if (blocks > MAX_BLOCKS) {
      throw json.fault("block_out_channels", "%s blocks are the most".formatted(MAX_BLOCKS));
    }
    if (json.strings("down_block_types", "DownEncoderBlock2D").size() != blocks) {
      throw json.fault("down_block_types", "one for each of the " + blocks + " blocks is needed");
    }
    if (json.strings("up_block_types", "UpDecoderBlock2D").size() != blocks) {
      throw json.fault("up_block_types", "one for each of the " + blocks + " blocks is needed");
    }
    int normNumGroups = json.integer("norm_num_groups", 32, 1, MAX_CHANNELS);
    for (int channels : blockOutChannels) {
      if (channels % normNumGroups != 0) {
        throw json.fault("norm_num_groups", "it must divide the %s channels".formatted(channels));
      }
    }
    int layersPerBlock = json.integer("layers_per_block", 1, 1, MAX_LAYERS);
    if (blocks * layersPerBlock > MAX_RESIDUAL_BLOCKS) {
      throw json.fault(
          "layers_per_block",
          "that makes %s residual blocks, and %s are the most"
              .formatted(blocks * layersPerBlock, MAX_RESIDUAL_BLOCKS));
    }
    AutoencoderKLConfig config =
        new AutoencoderKLConfig(
            json.integer("in_channels", 3, 1, MAX_CHANNELS),
            json.integer("out_channels", 3, 1, MAX_CHANNELS),
            blockOutChannels,
            layersPerBlock,
            json.integer("latent_channels", 4, 1, MAX_CHANNELS),
            normNumGroups,
            json.positive("scaling_factor", 0.18215),
            json.integerForEach("sample_size", 32, 2, 1, MAX_CHANNELS).getFirst(),
            json.bool("use_quant_conv", true),
            json.bool("use_post_quant_conv", true),
            json.bool("mid_block_add_attention", true));
    json.warnAboutUnknownKeys("AutoencoderKL");
    return config;
  }

  /**
   * How many pixels of the picture one latent cell is, in each direction.
   *
   * @return 2 to the number of upsamplers
   */
  public int scaleFactor() {
    return 1 << (blockOutChannels.size() - 1);
  }

  Tiling tiling() {
    return Tiling.of(sampleSize, scaleFactor());
  }

  /**
   * The number of values of the largest feature map of a decode in tiles.
   *
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @return values for one tile, of one sample
   */
  public long largestTiledFeatureMap(int latentHeight, int latentWidth) {
    int tile = tiling().size();
    return largestFeatureMap(Math.min(latentHeight, tile), Math.min(latentWidth, tile));
  }

  /**
   * The number of values of the largest feature map of an encode, of which two and a half exist at
   * once. A picture with one above 2³¹−1 cannot be encoded.
   *
   * @param height of the picture, in pixels
   * @param width of the picture, in pixels
   * @return values for one sample
   */
  public long largestEncoderFeatureMap(int height, int width) {
    long largest = 0;
    int channels = blockOutChannels.getFirst();
    for (int i = 0; i < blockOutChannels.size(); i++) {
      channels = Math.max(blockOutChannels.get(i), channels);
      largest = Math.max(largest, (long) (height >> i) * (width >> i) * channels);
      channels = blockOutChannels.get(i);
    }
    return largest;
  }

  /**
   * The number of values of the largest feature map of an encode in tiles.
   *
   * @param height of the picture, in pixels
   * @param width of the picture, in pixels
   * @return values for one tile, of one sample
   */
  public long largestTiledEncoderFeatureMap(int height, int width) {
    int tile = tiling().size() * scaleFactor();
    return largestEncoderFeatureMap(Math.min(height, tile), Math.min(width, tile));
  }

  /**
   * The number of values of the largest feature map of a decode, of which two and a half exist at
   * once. One above 2³¹−1 cannot be decoded.
   *
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @return values for one sample
   */
  public long largestFeatureMap(int latentHeight, int latentWidth) {
    long largest = 0;
    int channels = blockOutChannels.getLast();
    for (int i = 0; i < blockOutChannels.size(); i++) {
      int level = blockOutChannels.size() - 1 - i;
      channels = Math.max(blockOutChannels.get(level), channels);
      long pixels = ((long) latentHeight << i) * ((long) latentWidth << i);
      largest = Math.max(largest, pixels * channels);
      channels = blockOutChannels.get(level);
    }
    return largest;
  }
}
