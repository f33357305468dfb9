package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.Normalization;

/**
 * Division of each token by its root mean square; ChatGLM's {@code RMSNorm}.
 *
 * @param weight scale {@code [d]}
 * @param eps added to the mean square
 */
public record RmsNorm(Weight weight, float eps) implements Norm {
  /**
   * A layer.
   *
   * @param weights the layer's parameters
   * @param width of the input
   * @param eps added to the mean square
   * @return the layer
   */
  public static RmsNorm load(Weights weights, int width, float eps) {
    return new RmsNorm(weights.weight("weight", width), eps);
  }

  @Override
  public Tensor forward(Tensor x) {
    return Normalization.rmsNorm(x, eps, weight);
  }
}
