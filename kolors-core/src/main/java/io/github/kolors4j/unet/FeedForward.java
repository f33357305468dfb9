package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;

/** Two linear layers, the first gated by GELU; diffusers {@code FeedForward} with {@code GEGLU}. */
record FeedForward(Linear proj, Linear out) {
  private static final int EXPANSION = 4;

  static FeedForward load(Weights weights, int d) {
    int inner = EXPANSION * d;
    return new FeedForward(
        Linear.load(weights.at("net.0.proj"), d, 2 * inner),
        Linear.load(weights.at("net.2"), inner, d));
  }

  /** {@code hiddenStates} and {@code residual [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor hiddenStates, Tensor residual) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor gated = proj.forwardGeglu(hiddenStates); // [n, s, 4·d]
      return scope.keep(out.forward(gated, residual)); // [n, s, d]
    }
  }
}
