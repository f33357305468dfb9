package io.github.kolors4j.chatglm;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;

/** Two linear layers, the first gated by SiLU; diffusers {@code MLP}. */
record Mlp(Linear denseHTo4h, Linear dense4hToH) {

  static Mlp load(Weights weights, ChatGlmConfig config) {
    int d = config.hiddenSize();
    int inner = config.ffnHiddenSize();
    boolean bias = config.addBiasLinear();
    return new Mlp(
        Linear.load(weights.at("dense_h_to_4h"), d, 2 * inner, bias),
        Linear.load(weights.at("dense_4h_to_h"), inner, d, bias));
  }

  /** {@code hiddenStates} and {@code residual [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor hiddenStates, Tensor residual) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor gated = denseHTo4h.forwardSwiglu(hiddenStates); // [n, s, ffnHiddenSize]
      return scope.keep(dense4hToH.forward(gated, residual)); // [n, s, d]
    }
  }
}
