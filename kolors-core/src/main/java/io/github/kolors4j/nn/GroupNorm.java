package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.Normalization;

/**
 * Normalization over groups of channels; PyTorch's {@code GroupNorm}.
 *
 * @param weight scale {@code [c]}
 * @param bias shift {@code [c]}
 * @param groups how many groups, a divisor of c
 * @param eps added to the variance
 */
public record GroupNorm(Weight weight, Weight bias, int groups, float eps) {
  /**
   * A layer.
   *
   * @param weights the layer's parameters
   * @param channels of the input
   * @param groups how many groups
   * @param eps added to the variance
   * @return the layer
   */
  public static GroupNorm load(Weights weights, int channels, int groups, float eps) {
    return new GroupNorm(
        weights.weight("weight", channels), weights.weight("bias", channels), groups, eps);
  }

  /**
   * The normalization.
   *
   * @param x {@code [n, ..., c]}
   * @return the same shape
   */
  public Tensor forward(Tensor x) {
    return Normalization.groupNorm(x, groups, eps, weight, bias);
  }

  /**
   * The normalization, then SiLU.
   *
   * @param x {@code [n, ..., c]}
   * @return the same shape
   */
  public Tensor forwardSilu(Tensor x) {
    return Normalization.groupNormSilu(x, groups, eps, weight, bias);
  }
}
