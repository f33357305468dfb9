package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Resampling;

/**
 * Enlarges a feature map and smoothes it by a convolution; diffusers' {@code Upsample2D}.
 *
 * @param conv over the enlarged map
 */
public record Upsample2D(Conv2d conv) {
  /**
   * A layer.
   *
   * @param weights the layer's parameters
   * @param channels of input and output
   * @return the layer
   */
  public static Upsample2D load(Weights weights, int channels) {
    return new Upsample2D(Conv2d.load(weights.at("conv"), channels, channels, 3));
  }

  /**
   * Enlarges to a given size.
   *
   * @param x {@code [n, h, w, c]}
   * @param hOut height of the result
   * @param wOut width of the result
   * @return {@code [n, hOut, wOut, c]}
   */
  public Tensor forward(Tensor x, int hOut, int wOut) {
    try (var scope = x.workspace().scope()) {
      Tensor enlarged = Resampling.nearest(x, hOut, wOut); // [n, hOut, wOut, c]
      return scope.keep(conv.forward(enlarged));
    }
  }
}
