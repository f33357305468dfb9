package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;

/** Products of activations with weights: {@code y = x · wᵀ + b}, PyTorch's {@code Linear}. */
public final class MatMul {
  private MatMul() {}

  /**
   * A linear layer.
   *
   * @param x {@code [..., k]}
   * @param weight {@code [n, k]}
   * @param bias {@code [n]}, or null for none
   * @return {@code [..., n]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linear(Tensor x, Weight weight, Weight bias) {
    return linear(x, weight, bias, null);
  }

  /**
   * A linear layer whose result is added to a residual.
   *
   * @param x {@code [..., k]}
   * @param weight {@code [n, k]}
   * @param bias {@code [n]}, or null for none
   * @param residual {@code [..., n]}, or null for none
   * @return {@code [..., n]}, a new tensor
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linear(Tensor x, Weight weight, Weight bias, Tensor residual) {
    int rows = x.shape().rows();
    int k = x.dim(-1);
    int n = weight.shape().dim(0);
    Tensor y = x.workspace().tensor(x.shape().withLast(n));
    float[] w = weight.toFloats();
    float[] b = bias == null ? new float[n] : bias.toFloats();
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum = Math.fma(x.data()[i * k + p], w[j * k + p], sum);
        }
        y.data()[i * n + j] = sum + b[j] + (residual == null ? 0 : residual.data()[i * n + j]);
      }
    }
    return y;
  }

  /**
   * A linear layer of twice the width whose second half, through GELU, gates the first: diffusers'
   * {@code GEGLU}.
   *
   * @param x {@code [..., k]}
   * @param weight {@code [2n, k]}: values, then gates
   * @param bias {@code [2n]}, or null for none
   * @return {@code [..., n]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linearGeglu(Tensor x, Weight weight, Weight bias) {
    Tensor both = linear(x, weight, bias);
    int n = both.dim(-1) / 2;
    Tensor gate = Activation.gelu(Elementwise.slice(both, n, 2 * n));
    return Elementwise.multiply(Elementwise.slice(both, 0, n), gate);
  }

  /**
   * A linear layer of twice the width whose first half, through SiLU, gates the second: ChatGLM's
   * {@code swiglu}.
   *
   * @param x {@code [..., k]}
   * @param weight {@code [2n, k]}: gates, then values
   * @param bias {@code [2n]}, or null for none
   * @return {@code [..., n]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linearSwiglu(Tensor x, Weight weight, Weight bias) {
    Tensor both = linear(x, weight, bias);
    int n = both.dim(-1) / 2;
    Tensor gate = Activation.silu(Elementwise.slice(both, 0, n));
    return Elementwise.multiply(Elementwise.slice(both, n, 2 * n), gate);
  }
}
