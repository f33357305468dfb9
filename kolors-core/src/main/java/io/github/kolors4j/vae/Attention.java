package io.github.kolors4j.vae;

import static io.github.kolors4j.tensor.ops.Attention.scaledDotProduct;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Attention.Heads;

/**
 * Attention of each pixel to all pixels, normalized before and added after; diffusers {@code
 * Attention} as the VAE has it: one head of all channels.
 */
record Attention(
    GroupNorm groupNorm, Linear toQ, Linear toK, Linear toV, Linear toOut, Heads heads) {

  static Attention load(Weights weights, int c, AutoencoderKLConfig config) {
    return new Attention(
        GroupNorm.load(
            weights.at("group_norm"), c, config.normNumGroups(), UNetMidBlock2D.NORM_EPS),
        Linear.load(weights.at("to_q", "query"), c, c),
        Linear.load(weights.at("to_k", "key"), c, c),
        Linear.load(weights.at("to_v", "value"), c, c),
        Linear.load(weights.at("to_out.0", "proj_attn"), c, c),
        Heads.of(1, c));
  }

  /** {@code x [n, h, w, c]} to {@code [n, h, w, c]}. */
  Tensor forward(Tensor x) {
    try (var scope = x.workspace().scope()) {
      int n = x.dim(0);
      int h = x.dim(1);
      int w = x.dim(2);
      int c = x.dim(3);
      Tensor residual = x.reshape(n, h * w, c); // [n, h·w, c]

      Tensor hiddenStates = groupNorm.forward(residual);
      Tensor query = toQ.forward(hiddenStates);
      Tensor key = toK.forward(hiddenStates);
      Tensor value = toV.forward(hiddenStates);
      hiddenStates = scaledDotProduct(query, key, value, heads, null);
      hiddenStates = toOut.forward(hiddenStates, residual);
      return scope.keep(hiddenStates).reshape(n, h, w, c); // [n, h, w, c]
    }
  }
}
