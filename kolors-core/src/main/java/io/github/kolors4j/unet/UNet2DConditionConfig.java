package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.util.List;
import java.util.OptionalInt;

/**
 * The U-Net's configuration, {@code unet/config.json}.
 *
 * @param sampleSize height and width of the latents it was trained with
 * @param encoder what it says of the descending half, with which a ControlNet's begins too
 * @param outChannels channels of the prediction
 * @param upBlockTypes classes, the coarsest first; such a block has one residual block more than
 *     the one of its level that goes down
 * @param upTransformerLayersPerBlock depth of the up blocks' transformers, the coarsest first
 * @param convOutKernel height and width of the last convolution
 */
public record UNet2DConditionConfig(
    OptionalInt sampleSize,
    UNetEncoderConfig encoder,
    int outChannels,
    List<String> upBlockTypes,
    List<Integer> upTransformerLayersPerBlock,
    int convOutKernel) {

  /**
   * Reads the configuration.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static UNet2DConditionConfig of(JsonConfig json) throws InvalidFileException {
    UNetEncoderConfig encoder = UNetEncoderConfig.of(json);
    int blocks = encoder.blocks();
    List<String> upBlockTypes = json.strings("up_block_types", "UpBlock2D", "CrossAttnUpBlock2D");
    if (upBlockTypes.size() != blocks) {
      throw json.fault("up_block_types", "one for each of the " + blocks + " blocks is needed");
    }
    UNet2DConditionConfig config =
        new UNet2DConditionConfig(
            json.optionalInteger("sample_size", 1, UNetEncoderConfig.MAX_CHANNELS),
            encoder,
            json.integer("out_channels", 4, 1, UNetEncoderConfig.MAX_CHANNELS),
            upBlockTypes,
            json.isNull("reverse_transformer_layers_per_block")
                ? encoder.transformerLayersPerBlock().reversed()
                : json.integerForEach(
                    "reverse_transformer_layers_per_block",
                    1,
                    blocks,
                    0,
                    UNetEncoderConfig.MAX_LAYERS),
            UNetEncoderConfig.oddKernel(json, "conv_out_kernel"));
    UNetEncoderConfig.checkDepth(
        json,
        json.isNull("reverse_transformer_layers_per_block")
            ? "transformer_layers_per_block"
            : "reverse_transformer_layers_per_block",
        encoder.layersPerBlock().reversed().stream().map(layers -> layers + 1).toList(),
        config.upTransformerLayersPerBlock);
    json.warnAboutUnknownKeys("UNet2DConditionModel");
    return config;
  }

  /**
   * Channels of the sample.
   *
   * @return those of the latents; for a U-Net that paints into a picture, with those of the mask
   *     and of the masked picture's latents
   */
  public int inChannels() {
    return encoder.inChannels();
  }

  /**
   * Channels of each block.
   *
   * @return the finest first
   */
  public List<Integer> blockOutChannels() {
    return encoder.blockOutChannels();
  }

  /**
   * The width of the text that the text encoder gives.
   *
   * @return values of a token
   */
  public int encoderHidDim() {
    return encoder.encoderHidDim();
  }

  /**
   * The width of the pooled text.
   *
   * @return values of a text
   */
  public int textEmbedDim() {
    return encoder.textEmbedDim();
  }

  /**
   * The number of values of the largest feature map of a step. One above 2³¹−1 cannot be computed.
   *
   * @param batchSize samples
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @return values for all samples together
   */
  public long largestFeatureMap(int batchSize, int latentHeight, int latentWidth) {
    int last = blockOutChannels().size() - 1;
    long largest = 0;
    long h = latentHeight;
    long w = latentWidth;
    for (int i = 0; i <= last; i++) {
      // A residual block of the ascending half reads what comes from below beside a skip; a
      // transformer's feed-forward layer is four times as wide as the level.
      int c = blockOutChannels().get(i);
      int below = blockOutChannels().get(Math.min(i + 1, last));
      int above = blockOutChannels().get(Math.max(i - 1, 0));
      boolean attends = attendsGoingDown(i) || attendsGoingUp(i) || i == last;
      int widest = Math.max(c + Math.max(c, Math.max(below, above)), attends ? 4 * c : 0);
      largest = Math.max(largest, batchSize * h * w * widest);
      h = (h + 1) / 2;
      w = (w + 1) / 2;
    }
    return largest;
  }

  private boolean attendsGoingDown(int level) {
    return encoder.downBlockTypes().get(level).startsWith("CrossAttn");
  }

  private boolean attendsGoingUp(int level) {
    return upBlockTypes.get(upBlockTypes.size() - 1 - level).startsWith("CrossAttn");
  }

  /**
   * The number of values that are computed once for a prompt and kept for all steps: keys and
   * values of the cross-attentions, and the text that they are made from.
   *
   * @param batchSize samples
   * @param tokens of each text
   * @return values for all samples together
   */
  public long textValues(int batchSize, int tokens) {
    int last = blockOutChannels().size() - 1;
    long widths = encoder.crossAttentionDim();
    for (int i = 0; i <= last; i++) {
      long transformers = i == last ? encoder.transformerLayersPerBlock().get(i) : 0;
      if (attendsGoingDown(i)) {
        transformers +=
            (long) encoder.layersPerBlock().get(i) * encoder.transformerLayersPerBlock().get(i);
      }
      if (attendsGoingUp(i)) {
        transformers +=
            (encoder.layersPerBlock().get(i) + 1L) * upTransformerLayersPerBlock.get(last - i);
      }
      widths += 2 * transformers * blockOutChannels().get(i);
    }
    return (long) batchSize * tokens * widths;
  }

  /**
   * The number of values of the maps that the descending half keeps for the ascending one.
   *
   * @param batchSize samples
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @return values for all samples together
   */
  public long skipValues(int batchSize, int latentHeight, int latentWidth) {
    long h = latentHeight;
    long w = latentWidth;
    long values = h * w * blockOutChannels().getFirst();
    for (int i = 0; i < blockOutChannels().size(); i++) {
      values += h * w * blockOutChannels().get(i) * encoder.layersPerBlock().get(i);
      h = (h + 1) / 2;
      w = (w + 1) / 2;
      values += i + 1 < blockOutChannels().size() ? h * w * blockOutChannels().get(i) : 0;
    }
    return batchSize * values;
  }
}
