package io.github.kolors4j.chatglm;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;

/**
 * The text encoder's configuration, {@code text_encoder/config.json}.
 *
 * @param numLayers how many layers
 * @param paddedVocabSize rows of the embedding
 * @param hiddenSize width of a token
 * @param ffnHiddenSize inner width of the feed-forward layers
 * @param kvChannels width of a head
 * @param numAttentionHeads heads of the queries
 * @param kvHeads heads of keys and values: {@code multi_query_group_num}, or as many as the queries
 *     have
 * @param multiQueryAttention whether keys and values have heads of their own number; it also tells
 *     how queries, keys and values lie in one matrix
 * @param seqLength positions that there are
 * @param layernormEpsilon epsilon of all normalizations
 * @param rmsnorm whether the normalizations are by the root mean square
 * @param applyResidualConnectionPostLayernorm whether what is added is the normalized input
 * @param postLayerNorm whether the file has a last normalization; Kolors does not use it
 * @param addBiasLinear whether all linear layers have a bias
 * @param addQkvBias whether those of queries, keys and values have one
 */
public record ChatGlmConfig(
    int numLayers,
    int paddedVocabSize,
    int hiddenSize,
    int ffnHiddenSize,
    int kvChannels,
    int numAttentionHeads,
    int kvHeads,
    boolean multiQueryAttention,
    int seqLength,
    float layernormEpsilon,
    boolean rmsnorm,
    boolean applyResidualConnectionPostLayernorm,
    boolean postLayerNorm,
    boolean addBiasLinear,
    boolean addQkvBias) {

  private static final int MAX_LAYERS = 1_024;
  private static final int MAX_WIDTH = 1 << 18;
  private static final int MAX_ROWS = 1 << 24;

  /**
   * Reads the configuration.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static ChatGlmConfig of(JsonConfig json) throws InvalidFileException {
    json.only("original_rope", true);
    json.only("quantization_bit", 0, 4, 8); // the shapes of the tensors tell
    json.onlyNull("pre_seq_len");

    int hiddenSize = json.integer("hidden_size", 4096, 1, MAX_WIDTH);
    int heads = json.integer("num_attention_heads", 32, 1, MAX_WIDTH);
    boolean multiQueryAttention = json.bool("multi_query_attention", false);
    int groups = json.integer("multi_query_group_num", 1, 1, MAX_WIDTH);
    if (multiQueryAttention && heads % groups != 0) {
      throw json.fault(
          "multi_query_group_num", "it must divide the %s attention heads".formatted(heads));
    }
    int kvChannels = json.integer("kv_channels", 128, 1, MAX_WIDTH);
    if (kvChannels % 4 != 0) {
      throw json.fault("kv_channels", "a multiple of 4 is needed: half of them turn in pairs");
    }
    if ((long) heads * kvChannels > MAX_WIDTH) {
      throw json.fault(
          "num_attention_heads",
          "with heads of %s channels that is too wide".formatted(kvChannels));
    }
    return new ChatGlmConfig(
        json.integer("num_layers", 28, 1, MAX_LAYERS),
        json.integer("padded_vocab_size", 65024, 1, MAX_ROWS),
        hiddenSize,
        json.integer("ffn_hidden_size", 13696, 1, MAX_WIDTH),
        kvChannels,
        heads,
        multiQueryAttention ? groups : heads,
        multiQueryAttention,
        json.integer("seq_length", 2048, 1, MAX_ROWS),
        json.positive("layernorm_epsilon", 1e-5),
        json.bool("rmsnorm", true),
        json.bool("apply_residual_connection_post_layernorm", false),
        json.bool("post_layer_norm", true),
        json.bool("add_bias_linear", false),
        json.bool("add_qkv_bias", false));
  }
}
