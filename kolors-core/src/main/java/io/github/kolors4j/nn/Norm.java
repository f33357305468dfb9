package io.github.kolors4j.nn;

import io.github.kolors4j.tensor.Tensor;

/** A normalization of each token by itself. */
public sealed interface Norm permits LayerNorm, RmsNorm {
  /**
   * The normalization.
   *
   * @param x {@code [..., d]}
   * @return the same shape
   */
  Tensor forward(Tensor x);
}
