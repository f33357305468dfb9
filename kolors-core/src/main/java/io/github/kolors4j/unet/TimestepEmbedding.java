package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;

/** Two linear layers with SiLU between them; diffusers {@code TimestepEmbedding}. */
record TimestepEmbedding(Linear linear1, Linear linear2) {

  static TimestepEmbedding load(Weights weights, int in, int timeEmbedDim) {
    return new TimestepEmbedding(
        Linear.load(weights.at("linear_1"), in, timeEmbedDim),
        Linear.load(weights.at("linear_2"), timeEmbedDim, timeEmbedDim));
  }

  /** {@code sample [n, in]} to {@code [n, timeEmbedDim]}. */
  Tensor forward(Tensor sample) {
    try (var scope = sample.workspace().scope()) {
      Tensor emb = linear1.forward(sample); // [n, d]
      emb = Activation.silu(emb);
      return scope.keep(linear2.forward(emb));
    }
  }
}
