package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.checkpoint.Parameter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Mean and deviation of a tensor's values, such that the activations of the whole network stay of
 * order one: every layer gives about the variance that it gets, and the branches of a chain of
 * residual blocks add up to about what goes through it, however long it is.
 */
record Distribution(float mean, float deviation) {
  /** Blocks that follow one another, as {@code transformer_blocks.7}. */
  private static final Pattern CHAIN =
      Pattern.compile("(.*\\b(?:transformer_blocks|layers))\\.(\\d+)\\..*");

  /** The last layer of a branch inside such a block. */
  private static final Pattern BRANCH_OUTPUT =
      Pattern.compile(".*\\.(to_out\\.0|net\\.2|dense|dense_4h_to_h)\\.weight");

  /** The last layer of a branch around which the whole network goes on. */
  private static final Pattern TRUNK_BRANCH_OUTPUT =
      Pattern.compile(".*\\.(conv2|proj_out|to_out\\.0|proj_attn)\\.weight");

  /** Layers that read the output of SiLU, GEGLU or SwiGLU, which is smaller than its input. */
  private static final Pattern AFTER_ACTIVATION =
      Pattern.compile(
          "(.*\\.)?(conv1|conv2|conv_out|linear_2|time_emb_proj|net\\.2|dense_4h_to_h)\\.weight");

  /**
   * Queries and keys: larger, or all tokens would be attended to alike and the output of an
   * attention would be nothing but the mean of the values.
   */
  private static final Pattern QUERY_KEY =
      Pattern.compile(".*\\.(to_q|to_k|query_key_value)\\.weight");

  private static final float ACTIVATION_GAIN = 2.5f;
  private static final float QUERY_KEY_GAIN = 2;
  private static final float TRUNK_GAIN = 0.25f;

  /** Of an update by LoRA, which is small beside the weight that it is added to. */
  private static final float UPDATE_GAIN = 1e-4f;

  private static final float BIAS_DEVIATION = 0.02f;
  private static final float NORM_DEVIATION = 0.05f;

  /** The distributions of a model's tensors, by name. */
  static Map<String, Distribution> of(List<Parameter> parameters) {
    Map<String, Integer> lengths = new HashMap<>();
    for (Parameter parameter : parameters) {
      Matcher chain = CHAIN.matcher(parameter.name());
      if (chain.matches()) {
        lengths.merge(chain.group(1), Integer.parseInt(chain.group(2)) + 1, Math::max);
      }
    }
    Map<String, Distribution> distributions = new HashMap<>();
    for (Parameter parameter : parameters) {
      distributions.put(parameter.name(), of(parameter, lengths));
    }
    return distributions;
  }

  private static Distribution of(Parameter parameter, Map<String, Integer> lengths) {
    String name = parameter.name();
    if (name.endsWith("bias")) {
      return new Distribution(0, BIAS_DEVIATION);
    }
    if (name.endsWith("word_embeddings.weight")) {
      return new Distribution(0, 1);
    }
    if (parameter.shape().size() == 1) { // the scale of a normalization
      return new Distribution(1, NORM_DEVIATION);
    }
    Matcher chain = CHAIN.matcher(name);
    float gain = 1;
    if (AFTER_ACTIVATION.matcher(name).matches()) {
      gain *= ACTIVATION_GAIN;
    }
    if (QUERY_KEY.matcher(name).matches()) {
      gain *= QUERY_KEY_GAIN;
    }
    if (chain.matches()) {
      if (BRANCH_OUTPUT.matcher(name).matches()) {
        gain /= Objects.requireNonNull(lengths.get(chain.group(1)));
      }
    } else if (TRUNK_BRANCH_OUTPUT.matcher(name).matches()) {
      gain *= TRUNK_GAIN;
    }
    if (name.endsWith(".lora_B.weight")) {
      gain *= UPDATE_GAIN;
    }
    long fanIn = parameter.size() / parameter.shape().getFirst();
    return new Distribution(0, (float) Math.sqrt(gain / fanIn));
  }
}
