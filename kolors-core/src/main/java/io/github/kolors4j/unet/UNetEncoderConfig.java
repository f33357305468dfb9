package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a configuration says of the encoder half of a U-Net. Lists have one value a block, the
 * finest first.
 *
 * @param inChannels channels of the sample
 * @param blockOutChannels channels
 * @param downBlockTypes classes
 * @param layersPerBlock residual blocks
 * @param transformerLayersPerBlock depth of the transformers
 * @param numAttentionHeads heads; the file calls them {@code attention_head_dim}
 * @param crossAttentionDim width of the text that the attentions read
 * @param encoderHidDim width of the text that the text encoder gives
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
 */
public record UNetEncoderConfig(
    int inChannels,
    List<Integer> blockOutChannels,
    List<String> downBlockTypes,
    List<Integer> layersPerBlock,
    List<Integer> transformerLayersPerBlock,
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
    int convInKernel) {

  /** More than any U-Net has, and few enough that sizes computed from them stay integers. */
  static final int MAX_CHANNELS = 1 << 16;

  static final int MAX_LAYERS = 256;

  private static final int MAX_BLOCKS = 8;

  /** Of one half of a U-Net, where Kolors has 6 and 9. Each has names and shapes to be made. */
  private static final int MAX_RESIDUAL_BLOCKS = 64;

  /** Of one half of a U-Net, where Kolors has 26 and 39. */
  private static final int MAX_TRANSFORMER_BLOCKS = 128;

  /** Height and width, or top and left, of original, crop and target. */
  private static final int SIZES = 6;

  /**
   * Reads what a configuration says of the half.
   *
   * @param json the file of a U-Net or a ControlNet
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static UNetEncoderConfig of(JsonConfig json) throws InvalidFileException {
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
    json.withoutEffect(
        "addition_embed_type_num_heads", "dropout", "quantization_config", "upcast_attention");
    if (!json.isNull("encoder_hid_dim_type")) {
      json.only("encoder_hid_dim_type", "text_proj");
    }

    List<String> downBlockTypes =
        json.strings("down_block_types", "DownBlock2D", "CrossAttnDownBlock2D");
    List<Integer> blockOutChannels = json.integers("block_out_channels", 1, MAX_CHANNELS);
    int blocks = blockOutChannels.size();
    if (blocks > MAX_BLOCKS) {
      throw json.fault("block_out_channels", MAX_BLOCKS + " blocks are the most");
    }
    if (downBlockTypes.size() != blocks) {
      throw json.fault("down_block_types", "one for each of the " + blocks + " blocks is needed");
    }
    int normNumGroups = json.integer("norm_num_groups", 32, 1, MAX_CHANNELS);
    List<Integer> numAttentionHeads =
        json.integerForEach("attention_head_dim", 8, blocks, 1, MAX_CHANNELS);
    for (int i = 0; i < blocks; i++) {
      int channels = blockOutChannels.get(i);
      if (channels % normNumGroups != 0) {
        throw json.fault("norm_num_groups", "it must divide the %s channels".formatted(channels));
      }
      if (channels % numAttentionHeads.get(i) != 0) {
        throw json.fault(
            "attention_head_dim",
            "it is the number of heads and must divide the %s channels".formatted(channels));
      }
    }

    UNetEncoderConfig config =
        new UNetEncoderConfig(
            json.integer("in_channels", 4, 1, MAX_CHANNELS),
            blockOutChannels,
            downBlockTypes,
            json.integerForEach("layers_per_block", 2, blocks, 1, MAX_LAYERS),
            json.integerForEach("transformer_layers_per_block", 1, blocks, 0, MAX_LAYERS),
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
            oddKernel(json, "conv_in_kernel"));
    checkDepth(
        json,
        "transformer_layers_per_block",
        config.layersPerBlock,
        config.transformerLayersPerBlock);
    int sizes = SIZES * config.additionTimeEmbedDim;
    if (config.projectionClassEmbeddingsInputDim <= sizes) {
      throw json.fault(
          "projection_class_embeddings_input_dim",
          "it must be more than the %s of the six sizes".formatted(sizes));
    }
    return config;
  }

  /** Refuses a half that is many times as deep as any U-Net's, before its names are made. */
  static void checkDepth(JsonConfig json, String key, List<Integer> layers, List<Integer> depths)
      throws InvalidFileException {
    int residual = 0;
    int transformers = 0;
    for (int i = 0; i < layers.size(); i++) {
      residual += layers.get(i);
      transformers += layers.get(i) * depths.get(i);
    }
    if (residual > MAX_RESIDUAL_BLOCKS) {
      throw json.fault(
          "layers_per_block",
          "that makes %s residual blocks, and %s are the most"
              .formatted(residual, MAX_RESIDUAL_BLOCKS));
    }
    if (transformers > MAX_TRANSFORMER_BLOCKS) {
      throw json.fault(
          key,
          "with layers_per_block that makes %s transformer blocks, and %s are the most"
              .formatted(transformers, MAX_TRANSFORMER_BLOCKS));
    }
  }

  static int oddKernel(JsonConfig json, String key) throws InvalidFileException {
    int kernel = json.integer(key, 3, 1, 31);
    if (kernel % 2 == 0) {
      throw json.fault(key, "an odd size is needed");
    }
    return kernel;
  }

  /**
   * The width of the pooled text.
   *
   * @return what is left of {@link #projectionClassEmbeddingsInputDim} beside the six sizes
   */
  public int textEmbedDim() {
    return projectionClassEmbeddingsInputDim - SIZES * additionTimeEmbedDim;
  }

  /**
   * The shapes of the residuals: those of the skips, in order.
   *
   * @param sample {@code [n, h, w, c]}
   * @return {@code [n, hk, wk, ck]} of each
   */
  public List<Shape> residuals(Shape sample) {
    List<Shape> shapes = new ArrayList<>();
    int n = sample.dim(0);
    int h = sample.dim(1);
    int w = sample.dim(2);
    shapes.add(Shape.of(n, h, w, blockOutChannels.getFirst()));
    for (int i = 0; i < blocks(); i++) {
      int c = blockOutChannels.get(i);
      shapes.addAll(Collections.nCopies(layersPerBlock.get(i), Shape.of(n, h, w, c)));
      if (i + 1 < blocks()) {
        h = (h + 1) / 2;
        w = (w + 1) / 2;
        shapes.add(Shape.of(n, h, w, c));
      }
    }
    return shapes;
  }

  /**
   * The number of values that are computed once for a prompt and kept for all steps, where the half
   * stands alone: keys and values of its cross-attentions, and the text that they are made from.
   *
   * @param batchSize samples
   * @param tokens of each text
   * @return values for all samples together
   */
  public long textValues(int batchSize, int tokens) {
    long widths = crossAttentionDim;
    for (int i = 0; i < blocks(); i++) {
      boolean attends = downBlockTypes.get(i).startsWith("CrossAttn");
      long transformers =
          (attends ? (long) layersPerBlock.get(i) * transformerLayersPerBlock.get(i) : 0)
              + (i == blocks() - 1 ? transformerLayersPerBlock.get(i) : 0);
      widths += 2 * transformers * blockOutChannels.get(i);
    }
    return (long) batchSize * tokens * widths;
  }

  /** How many blocks there are. */
  int blocks() {
    return blockOutChannels.size();
  }

  /** The transformers of a level; those of an up block may have another depth. */
  Transformer2DModel.Size transformer(int level, int depth) {
    return new Transformer2DModel.Size(
        blockOutChannels.get(level), numAttentionHeads.get(level), depth);
  }
}
