package io.github.kolors4j.clip;

import static io.github.kolors4j.tensor.ops.Attention.scaledDotProduct;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;
import io.github.kolors4j.tensor.ops.Attention.Heads;

/**
 * Self-attention and a feed-forward layer, each normalized before and added after; transformers'
 * {@code CLIPEncoderLayer}.
 */
record CLIPEncoderLayer(
    LayerNorm layerNorm1,
    Linear qProj,
    Linear kProj,
    Linear vProj,
    Linear outProj,
    Heads heads,
    LayerNorm layerNorm2,
    Linear fc1,
    Linear fc2) {

  static CLIPEncoderLayer load(Weights weights, CLIPVisionConfig config) {
    int d = config.hiddenSize();
    Weights attention = weights.at("self_attn");
    Weights mlp = weights.at("mlp");
    return new CLIPEncoderLayer(
        LayerNorm.load(weights.at("layer_norm1"), d, config.layerNormEps()),
        Linear.load(attention.at("q_proj"), d, d),
        Linear.load(attention.at("k_proj"), d, d),
        Linear.load(attention.at("v_proj"), d, d),
        Linear.load(attention.at("out_proj"), d, d),
        Heads.of(config.numAttentionHeads(), d / config.numAttentionHeads()),
        LayerNorm.load(weights.at("layer_norm2"), d, config.layerNormEps()),
        Linear.load(mlp.at("fc1"), d, config.intermediateSize()),
        Linear.load(mlp.at("fc2"), config.intermediateSize(), d));
  }

  /** {@code x [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor x) {
    try (var scope = x.workspace().scope()) {
      // 1. Self-attention
      Tensor normed = layerNorm1.forward(x);
      Tensor attended =
          scaledDotProduct(
              qProj.forward(normed), kProj.forward(normed), vProj.forward(normed), heads, null);
      Tensor hiddenStates = outProj.forward(attended, x); // [n, s, d]

      // 2. Feed-forward
      Tensor inner = Activation.quickGelu(fc1.forward(layerNorm2.forward(hiddenStates)));
      return scope.keep(fc2.forward(inner, hiddenStates)); // [n, s, d]
    }
  }
}
