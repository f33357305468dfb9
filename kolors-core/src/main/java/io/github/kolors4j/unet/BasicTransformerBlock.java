package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.tensor.Tensor;
import java.util.List;

/**
 * Self-attention, attention to the text and a feed-forward layer, each normalized before and added
 * after; diffusers {@code BasicTransformerBlock}.
 */
record BasicTransformerBlock(
    LayerNorm norm1,
    Attention attn1,
    LayerNorm norm2,
    Attention attn2,
    LayerNorm norm3,
    FeedForward ff) {
  /** Not in the config: {@code Transformer2DModel} leaves it at its default. */
  private static final float NORM_EPS = 1e-5f;

  static BasicTransformerBlock load(Weights weights, int d, int heads, int crossAttentionDim) {
    return new BasicTransformerBlock(
        LayerNorm.load(weights.at("norm1"), d, NORM_EPS),
        Attention.load(weights.at("attn1"), d, d, heads),
        LayerNorm.load(weights.at("norm2"), d, NORM_EPS),
        Attention.load(weights.at("attn2"), d, crossAttentionDim, heads),
        LayerNorm.load(weights.at("norm3"), d, NORM_EPS),
        FeedForward.load(weights.at("ff"), d));
  }

  /** {@code x [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor x, Conditioning conditioning) {
    try (var scope = x.workspace().scope()) {
      // 1. Self-attention
      int perturbedRows = conditioning.perturbedRows(attn1);
      Tensor hiddenStates = attn1.selfAttention(norm1.forward(x), x, perturbedRows); // [n, s, d]

      // 2. Cross-attention
      List<AttentionContext> contexts = conditioning.contexts(attn2);
      hiddenStates =
          attn2.forward(norm2.forward(hiddenStates), contexts, hiddenStates); // [n, s, d]

      // 3. Feed-forward
      hiddenStates = ff.forward(norm3.forward(hiddenStates), hiddenStates); // [n, s, d]
      return scope.keep(hiddenStates);
    }
  }
}
