package io.github.kolors4j.ipadapter;

import static io.github.kolors4j.tensor.ops.Attention.scaledDotProduct;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import io.github.kolors4j.tensor.ops.Elementwise;

/**
 * Queries that look at features and at each other, and a feed-forward layer, both added to them.
 *
 * @param norm1 of the features
 * @param norm2 of the queries
 * @param toKv keys, then values
 */
record PerceiverAttention(
    LayerNorm norm1,
    LayerNorm norm2,
    Linear toQ,
    Linear toKv,
    Linear toOut,
    Heads heads,
    LayerNorm ffNorm,
    Linear ffIn,
    Linear ffOut) {
  /** PyTorch's default, which no file says. */
  static final float NORM_EPS = 1e-5f;

  /** Of every published adapter; diffusers counts heads by it, too. */
  static final int HEAD_WIDTH = 64;

  static PerceiverAttention load(Weights weights, ResamplerSize size) {
    int d = size.dim();
    int inner = size.heads() * HEAD_WIDTH;
    Weights attention = weights.at(0);
    Weights ff = weights.at(1);
    return new PerceiverAttention(
        LayerNorm.load(attention.at("norm1"), d, NORM_EPS),
        LayerNorm.load(attention.at("norm2"), d, NORM_EPS),
        Linear.load(attention.at("to_q"), d, inner, false),
        Linear.load(attention.at("to_kv"), d, 2 * inner, false),
        Linear.load(attention.at("to_out"), inner, d, false),
        Heads.of(size.heads(), HEAD_WIDTH),
        LayerNorm.load(ff.at(0), d, NORM_EPS),
        Linear.load(ff.at(1), d, size.ffDim(), false),
        Linear.load(ff.at(3), size.ffDim(), d, false));
  }

  /** {@code latents [n, t, d]} that look at {@code features [n, s, d]}, to {@code [n, t, d]}. */
  Tensor forward(Tensor latents, Tensor features) {
    try (var scope = latents.workspace().scope()) {
      Tensor queries = norm2.forward(latents);
      Tensor kv = toKv.forward(concat(norm1.forward(features), queries)); // [n, s + t, 2 · inner]
      int inner = heads.heads() * heads.dHead();
      Tensor attended =
          scaledDotProduct(
              toQ.forward(queries),
              Elementwise.slice(kv, 0, inner),
              Elementwise.slice(kv, inner, 2 * inner),
              heads,
              null); // [n, t, inner]
      Tensor hiddenStates = toOut.forward(attended, latents); // [n, t, d]
      Tensor wide = ffIn.forward(ffNorm.forward(hiddenStates));
      return scope.keep(ffOut.forward(Activation.gelu(wide), hiddenStates)); // [n, t, d]
    }
  }

  /** The tokens of both, {@code [n, s + t, d]}. */
  private static Tensor concat(Tensor features, Tensor latents) {
    int n = features.dim(0);
    int d = features.dim(2);
    int s = features.dim(1);
    int t = latents.dim(1);
    Tensor both = features.workspace().tensor(n, s + t, d);
    for (int i = 0; i < n; i++) {
      int at = i * (s + t) * d;
      System.arraycopy(features.data(), i * s * d, both.data(), at, s * d);
      System.arraycopy(latents.data(), i * t * d, both.data(), at + s * d, t * d);
    }
    return both;
  }
}
