package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.util.List;
import java.util.OptionalInt;

/**
 * The U-Net's configuration, {@code unet/config.json}. Lists have one value a block, the first
 * (finest) down block first, unless said otherwise.
 *
 * @param sampleSize height and width of the latents it was trained with
 * @param inChannels channels of the sample
 * @param outChannels channels of the prediction
 * @param blockOutChannels channels
 * @param downBlockTypes classes
 * @param upBlockTypes classes, the coarsest first
 * @param layersPerBlock residual blocks; an up block has one more
 * @param transformerLayersPerBlock depth of the transformers
 * @param upTransformerLayersPerBlock depth of the up blocks' transformers, the coarsest first
 * @param numAttentionHeads heads; the file calls them {@code attention_head_dim}
 * @param crossAttentionDim width of the text that the attentions read
 * @param encoderHidDim width of the text that the encoder gives
 * @param additionTimeEmbedDim width of the embedding of each of the six sizes
 * @param projectionClassEmbeddingsInputDim width of the pooled text and of the six sizes together
 * @param timeEmbedDim width of the timestep's embedding
 * @param normNumGroups groups of the group normalizations
 * @param normEps epsilon of the residual blocks' normalizations
 * @param flipSinToCos whether a sinusoidal embedding begins with the cosines
 * @param freqShift shift in the exponent of a sinusoidal embedding's frequencies
 * @param useLinearProjection whether a transformer's projections are stored as matrices, not as 1×1
 *     convolutions
 * @param convInKernel height and width of the first convolution
 * @param convOutKernel height and width of the last convolution
 */
public record UNet2DConditionConfig(
    OptionalInt sampleSize,
    int inChannels,
    int outChannels,
    List<Integer> blockOutChannels,
    List<String> downBlockTypes,
    List<String> upBlockTypes,
    List<Integer> layersPerBlock,
    List<Integer> transformerLayersPerBlock,
    List<Integer> upTransformerLayersPerBlock,
    List<Integer> numAttentionHeads,
    int crossAttentionDim,
    int encoderHidDim,
    int additionTimeEmbedDim,
    int projectionClassEmbeddingsInputDim,
    int timeEmbedDim,
    int normNumGroups,
    float normEps,
    boolean flipSinToCos,
    float freqShift,
    boolean useLinearProjection,
    int convInKernel,
    int convOutKernel) {

  /** More than any U-Net has, and few enough that sizes computed from them stay integers. */
  private static final int MAX_CHANNELS = 1 << 16;

  private static final int MAX_LAYERS = 256;

  /**
   * Reads the configuration.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static UNet2DConditionConfig of(JsonConfig json) throws InvalidFileException {
    json.only("act_fn", "silu", "swish");
    json.onlyStated("addition_embed_type", "text_time");
    json.only("attention_type", "default");
    json.only("center_input_sample", false);
    json.only("class_embeddings_concat", false);
    json.only("downsample_padding", 1);
    json.only("dual_cross_attention", false);
    json.only("mid_block_scale_factor", 1);
    json.only("mid_block_type", "UNetMidBlock2DCrossAttn");
    json.only("only_cross_attention", false);
    json.only("resnet_out_scale_factor", 1);
    json.only("resnet_skip_time_act", false);
    json.only("resnet_time_scale_shift", "default");
    json.only("time_embedding_type", "positional");
    json.onlyNull(
        "class_embed_type",
        "cross_attention_norm",
        "mid_block_only_cross_attention",
        "num_attention_heads",
        "num_class_embeds",
        "time_cond_proj_dim",
        "time_embedding_act_fn",
        "timestep_post_act");
    json.withoutEffect("addition_embed_type_num_heads", "dropout", "upcast_attention");
    if (!json.isNull("encoder_hid_dim_type")) {
      json.only("encoder_hid_dim_type", "text_proj");
    }

    List<String> downBlockTypes =
        json.strings("down_block_types", "DownBlock2D", "CrossAttnDownBlock2D");
    List<String> upBlockTypes = json.strings("up_block_types", "UpBlock2D", "CrossAttnUpBlock2D");
    List<Integer> blockOutChannels = json.integers("block_out_channels", 1, MAX_CHANNELS);
    int blocks = blockOutChannels.size();
    if (downBlockTypes.size() != blocks) {
      throw json.fault("down_block_types", "one for each of the " + blocks + " blocks is needed");
    }
    if (upBlockTypes.size() != blocks) {
      throw json.fault("up_block_types", "one for each of the " + blocks + " blocks is needed");
    }
    int normNumGroups = json.integer("norm_num_groups", 32, 1, MAX_CHANNELS);
    List<Integer> numAttentionHeads =
        json.integerForEach("attention_head_dim", 8, blocks, 1, MAX_CHANNELS);
    for (int i = 0; i < blocks; i++) {
      int channels = blockOutChannels.get(i);
      if (channels % normNumGroups != 0) {
        throw json.fault("norm_num_groups", "it must divide the %d channels".formatted(channels));
      }
      if (channels % numAttentionHeads.get(i) != 0) {
        throw json.fault(
            "attention_head_dim",
            "it is the number of heads and must divide the %d channels".formatted(channels));
      }
    }

    List<Integer> depths =
        json.integerForEach("transformer_layers_per_block", 1, blocks, 0, MAX_LAYERS);
    List<Integer> upDepths =
        json.isNull("reverse_transformer_layers_per_block")
            ? depths.reversed()
            : json.integerForEach("reverse_transformer_layers_per_block", 1, blocks, 0, MAX_LAYERS);

    UNet2DConditionConfig config =
        new UNet2DConditionConfig(
            json.optionalInteger("sample_size", 1, MAX_CHANNELS),
            json.integer("in_channels", 4, 1, MAX_CHANNELS),
            json.integer("out_channels", 4, 1, MAX_CHANNELS),
            blockOutChannels,
            downBlockTypes,
            upBlockTypes,
            json.integerForEach("layers_per_block", 2, blocks, 1, MAX_LAYERS),
            depths,
            upDepths,
            numAttentionHeads,
            json.integer("cross_attention_dim", 1280, 1, MAX_CHANNELS),
            json.integer("encoder_hid_dim", 1, MAX_CHANNELS),
            json.integer("addition_time_embed_dim", 1, MAX_CHANNELS),
            json.integer("projection_class_embeddings_input_dim", 1, 8 * MAX_CHANNELS),
            json.optionalInteger("time_embedding_dim", 1, MAX_CHANNELS)
                .orElse(4 * blockOutChannels.getFirst()),
            normNumGroups,
            json.positive("norm_eps", 1e-5),
            json.bool("flip_sin_to_cos", true),
            json.number("freq_shift", 0),
            json.bool("use_linear_projection", false),
            oddKernel(json, "conv_in_kernel"),
            oddKernel(json, "conv_out_kernel"));
    int sizes = 6 * config.additionTimeEmbedDim;
    if (config.projectionClassEmbeddingsInputDim <= sizes) {
      throw json.fault(
          "projection_class_embeddings_input_dim",
          "it must be more than the %d of the six sizes".formatted(sizes));
    }
    json.warnAboutUnknownKeys("UNet2DConditionModel");
    return config;
  }

  /**
   * The width of the pooled text.
   *
   * @return what is left of {@link #projectionClassEmbeddingsInputDim} beside the six sizes
   */
  public int textEmbedDim() {
    return projectionClassEmbeddingsInputDim - 6 * additionTimeEmbedDim;
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
    int last = blockOutChannels.size() - 1;
    long largest = 0;
    long h = latentHeight;
    long w = latentWidth;
    for (int i = 0; i <= last; i++) {
      // A residual block of the ascending half reads what comes from below beside a skip; a
      // transformer's feed-forward layer is four times as wide as the level.
      int c = blockOutChannels.get(i);
      int below = blockOutChannels.get(Math.min(i + 1, last));
      int above = blockOutChannels.get(Math.max(i - 1, 0));
      boolean attends = attendsGoingDown(i) || attendsGoingUp(i) || i == last;
      int widest = Math.max(c + Math.max(c, Math.max(below, above)), attends ? 4 * c : 0);
      largest = Math.max(largest, batchSize * h * w * widest);
      h = (h + 1) / 2;
      w = (w + 1) / 2;
    }
    return largest;
  }

  private boolean attendsGoingDown(int level) {
    return downBlockTypes.get(level).startsWith("CrossAttn");
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
    int last = blockOutChannels.size() - 1;
    long widths = crossAttentionDim;
    for (int i = 0; i <= last; i++) {
      long transformers = i == last ? transformerLayersPerBlock.get(i) : 0;
      if (attendsGoingDown(i)) {
        transformers += (long) layersPerBlock.get(i) * transformerLayersPerBlock.get(i);
      }
      if (attendsGoingUp(i)) {
        transformers += (layersPerBlock.get(i) + 1L) * upTransformerLayersPerBlock.get(last - i);
      }
      widths += 2 * transformers * blockOutChannels.get(i);
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
    long values = h * w * blockOutChannels.getFirst();
    for (int i = 0; i < blockOutChannels.size(); i++) {
      values += h * w * blockOutChannels.get(i) * layersPerBlock.get(i);
      h = (h + 1) / 2;
      w = (w + 1) / 2;
      values += i + 1 < blockOutChannels.size() ? h * w * blockOutChannels.get(i) : 0;
    }
    return batchSize * values;
  }

  private static int oddKernel(JsonConfig json, String key) throws InvalidFileException {
    int kernel = json.integer(key, 3, 1, 31);
    if (kernel % 2 == 0) {
      throw json.fault(key, "an odd size is needed");
    }
    return kernel;
  }
}
