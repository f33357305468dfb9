package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.Normalization;

/**
 * Normalization of each token to mean 0 and variance 1; PyTorch's {@code LayerNorm}.
 *
 * @param weight scale {@code [d]}
 * @param bias shift {@code [d]}
 * @param eps added to the variance
 */
public record LayerNorm(Weight weight, Weight bias, float eps) implements Norm {
  /**
   * A layer.
   *
   * @param weights the layer's parameters
   * @param width of the input
   * @param eps added to the variance
   * @return the layer
   */
  public static LayerNorm load(Weights weights, int width, float eps) {
    return new LayerNorm(weights.weight("weight", width), weights.weight("bias", width), eps);
  }

  @Override
  public Tensor forward(Tensor x) {
    return Normalization.layerNorm(x, eps, weight, bias);
  }
}
