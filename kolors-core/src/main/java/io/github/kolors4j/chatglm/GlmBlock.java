package io.github.kolors4j.chatglm;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.nn.Norm;
import io.github.kolors4j.nn.RmsNorm;
import io.github.kolors4j.tensor.Tensor;

/**
 * A layer of the transformer: attention and MLP, each normalized before and added after; diffusers
 * {@code GLMBlock}.
 */
record GlmBlock(
    Norm inputLayernorm,
    SelfAttention selfAttention,
    Norm postAttentionLayernorm,
    Mlp mlp,
    boolean applyResidualConnectionPostLayernorm) {

  static GlmBlock load(Weights weights, ChatGlmConfig config) {
    return new GlmBlock(
        norm(weights.at("input_layernorm"), config),
        SelfAttention.load(weights.at("self_attention"), config),
        norm(weights.at("post_attention_layernorm"), config),
        Mlp.load(weights.at("mlp"), config),
        config.applyResidualConnectionPostLayernorm());
  }

  static Norm norm(Weights weights, ChatGlmConfig config) {
    return config.rmsnorm()
        ? RmsNorm.load(weights, config.hiddenSize(), config.layernormEpsilon())
        : LayerNorm.load(weights, config.hiddenSize(), config.layernormEpsilon());
  }

  /** {@code hiddenStates [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor hiddenStates, Context context) {
    return forward(hiddenStates, context, 0);
  }

  /** {@code hiddenStates [n, s, d]} to {@code [n, d]}: the last token only. */
  Tensor forwardLast(Tensor hiddenStates, Context context) {
    Tensor last = forward(hiddenStates, context, hiddenStates.dim(1) - 1); // [n, 1, d]
    return last.reshape(hiddenStates.dim(0), hiddenStates.dim(2)); // [n, d]
  }

  private Tensor forward(Tensor hiddenStates, Context context, int from) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor layernormOutput = inputLayernorm.forward(hiddenStates); // [n, s, d]

      Tensor residual =
          Tokens.from(applyResidualConnectionPostLayernorm ? layernormOutput : hiddenStates, from);
      Tensor layernormInput =
          selfAttention.forward(layernormOutput, residual, context, from); // [n, s − from, d]

      layernormOutput = postAttentionLayernorm.forward(layernormInput);
      residual = applyResidualConnectionPostLayernorm ? layernormOutput : layernormInput;
      return scope.keep(mlp.forward(layernormOutput, residual)); // [n, s − from, d]
    }
  }
}
