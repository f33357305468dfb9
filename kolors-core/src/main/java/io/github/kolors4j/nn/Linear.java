package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.MatMul;
import java.util.Optional;

/**
 * A product with a matrix: {@code [..., in]} to {@code [..., out]}; PyTorch's {@code Linear}.
 *
 * @param weight {@code [out, in]}
 * @param bias {@code [out]}
 */
public record Linear(Weight weight, Optional<Weight> bias) {
  /**
   * A layer with a bias.
   *
   * @param weights the layer's parameters
   * @param in width of the input
   * @param out width of the output
   * @return the layer
   */
  public static Linear load(Weights weights, int in, int out) {
    return load(weights, in, out, true);
  }

  /**
   * A layer.
   *
   * @param weights the layer's parameters
   * @param in width of the input
   * @param out width of the output
   * @param bias whether it has a bias
   * @return the layer
   */
  public static Linear load(Weights weights, int in, int out, boolean bias) {
    return new Linear(
        weights.weight("weight", out, in),
        bias ? Optional.of(weights.weight("bias", out)) : Optional.empty());
  }

  /**
   * The layer that a 1×1 convolution is to a channels-last feature map.
   *
   * @param weights the convolution's parameters
   * @param in channels of the input
   * @param out channels of the output
   * @return the layer
   */
  public static Linear loadPointwise(Weights weights, int in, int out) {
    return new Linear(
        weights.viewed("weight", new int[] {out, in, 1, 1}, new int[] {out, in}),
        Optional.of(weights.weight("bias", out)));
  }

  /**
   * The product.
   *
   * @param x {@code [..., in]}
   * @return {@code [..., out]}
   */
  public Tensor forward(Tensor x) {
    return MatMul.linear(x, weight, bias.orElse(null));
  }

  /**
   * The product, added to a residual.
   *
   * @param x {@code [..., in]}
   * @param residual {@code [..., out]}
   * @return {@code [..., out]}
   */
  public Tensor forward(Tensor x, Tensor residual) {
    return MatMul.linear(x, weight, bias.orElse(null), residual);
  }

  /**
   * The product, halved: values times GELU of gates.
   *
   * @param x {@code [..., in]}
   * @return {@code [..., out / 2]}
   */
  public Tensor forwardGeglu(Tensor x) {
    return MatMul.linearGeglu(x, weight, bias.orElse(null));
  }

  /**
   * The product, halved: SiLU of gates times values.
   *
   * @param x {@code [..., in]}
   * @return {@code [..., out / 2]}
   */
  public Tensor forwardSwiglu(Tensor x) {
    return MatMul.linearSwiglu(x, weight, bias.orElse(null));
  }
}
