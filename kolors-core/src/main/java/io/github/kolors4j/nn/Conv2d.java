package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.Convolution;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import org.jspecify.annotations.Nullable;

/**
 * A convolution: {@code [n, h, w, in]} to {@code [n, hOut, wOut, out]}; PyTorch's {@code Conv2d}.
 *
 * @param weight {@code [out, in, k, k]}
 * @param bias {@code [out]}; null for none
 * @param geometry stride and padding
 */
public record Conv2d(Weight weight, @Nullable Weight bias, Geometry geometry) {
  /**
   * A convolution that keeps height and width: stride 1 and a padding of (k − 1) / 2.
   *
   * @param weights the layer's parameters
   * @param in channels of the input
   * @param out channels of the output
   * @param k height and width of the kernel, odd
   * @return the layer
   */
  public static Conv2d load(Weights weights, int in, int out, int k) {
    return load(weights, in, out, k, new Geometry(1, (k - 1) / 2));
  }

  /**
   * A convolution.
   *
   * @param weights the layer's parameters
   * @param in channels of the input
   * @param out channels of the output
   * @param k height and width of the kernel
   * @param geometry stride and padding
   * @return the layer
   */
  public static Conv2d load(Weights weights, int in, int out, int k, Geometry geometry) {
    return new Conv2d(
        weights.weight("weight", out, in, k, k), weights.weight("bias", out), geometry);
  }

  /**
   * A convolution that adds no bias.
   *
   * @param weights the layer's parameters
   * @param in channels of the input
   * @param out channels of the output
   * @param k height and width of the kernel
   * @param geometry stride and padding
   * @return the layer
   */
  public static Conv2d loadWithoutBias(Weights weights, int in, int out, int k, Geometry geometry) {
    return new Conv2d(weights.weight("weight", out, in, k, k), null, geometry);
  }

  /**
   * The convolution.
   *
   * @param x {@code [n, h, w, in]}
   * @return {@code [n, hOut, wOut, out]}
   */
  public Tensor forward(Tensor x) {
    return Convolution.conv2d(x, weight, bias, geometry);
  }

  /**
   * The convolution, added to a residual.
   *
   * @param x {@code [n, h, w, in]}
   * @param residual {@code [n, hOut, wOut, out]}, or {@code [n, out]} to be added at every pixel
   * @return {@code [n, hOut, wOut, out]}
   */
  public Tensor forward(Tensor x, Tensor residual) {
    return Convolution.conv2d(x, weight, bias, geometry, residual);
  }
}
