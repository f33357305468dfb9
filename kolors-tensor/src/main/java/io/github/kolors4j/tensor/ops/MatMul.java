package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Products of activations with weights: {@code y = x · wᵀ + b}, PyTorch's {@code Linear}. */
public final class MatMul {
  private static final Kernels KERNELS = KernelProvider.kernels();

  private MatMul() {}

  /**
   * A linear layer.
   *
   * @param x {@code [..., k]}
   * @param weight {@code [n, k]}, or {@code [n, k, 1, 1]}
   * @param bias {@code [n]}, or null for none
   * @return {@code [..., n]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linear(Tensor x, Weight weight, @Nullable Weight bias) {
    return linear(x, weight, bias, null);
  }

  /**
   * A linear layer whose result is added to a residual.
   *
   * @param x {@code [..., k]}
   * @param weight {@code [n, k]}, or {@code [n, k, 1, 1]}
   * @param bias {@code [n]}, or null for none
   * @param residual {@code [..., n]}, or null for none
   * @return {@code [..., n]}, a new tensor
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linear(
      Tensor x, Weight weight, @Nullable Weight bias, @Nullable Tensor residual) {
    int n = weight.shape().dim(0);
    check(x, weight, bias, n);
    Shape shape = x.shape().withLast(n);
    Checks.same("matmul", "residual", residual, shape);
    Tensor y = x.workspace().tensor(shape);
    try (Workspace.Scope _ = x.workspace().scope()) {
      float @Nullable [] shift = bias == null ? null : vector(x.workspace(), bias);
      float @Nullable [] added = residual == null ? null : residual.data();
      float[] out = y.data();
      product(
          x,
          weight,
          n,
          out,
          false,
          part -> {
            for (int i = part.row(); i < part.row() + part.rows(); i++) {
              int at = i * n + part.column();
              start(shift, part.column(), added, out, at, part.columns());
            }
          });
    }
    return y;
  }

  /**
   * A linear layer of twice the width whose second half, through GELU, gates the first: diffusers'
   * {@code GEGLU} (Shazeer 2020).
   *
   * @param x {@code [..., k]}
   * @param weight {@code [2n, k]}: values, then gates
   * @param bias {@code [2n]}, or null for none
   * @return {@code [..., n]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linearGeglu(Tensor x, Weight weight, @Nullable Weight bias) {
    return gated(
        x,
        weight,
        bias,
        (values, at, gates, go, n) -> {
          KERNELS.gelu(gates, go, gates, go, n);
          KERNELS.multiply(gates, go, values, at, n);
        });
  }

  /**
   * A linear layer of twice the width whose first half, through SiLU, gates the second: ChatGLM's
   * {@code swiglu} (Shazeer 2020).
   *
   * @param x {@code [..., k]}
   * @param weight {@code [2n, k]}: gates, then values
   * @param bias {@code [2n]}, or null for none
   * @return {@code [..., n]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor linearSwiglu(Tensor x, Weight weight, @Nullable Weight bias) {
    return gated(
        x,
        weight,
        bias,
        (values, at, gates, go, n) -> {
          KERNELS.silu(values, at, values, at, n);
          KERNELS.multiply(gates, go, values, at, n);
        });
  }

  /** How the second half of a row meets the first, which it leaves the result in. */
  @FunctionalInterface
  private interface Gate {
    void apply(float[] first, int at, float[] second, int from, int n);
  }

  private static Tensor gated(Tensor x, Weight weight, @Nullable Weight bias, Gate gate) {
    Checks.that(
        weight.shape().dim(0) % 2 == 0,
        "[matmul] the weight %s has an odd number of rows: values and gates take half each.",
        weight);
    int n = weight.shape().dim(0) / 2;
    check(x, weight, bias, 2 * n);
    Tensor y = x.workspace().tensor(x.shape().withLast(n));
    try (Workspace.Scope _ = x.workspace().scope()) {
      float @Nullable [] shift = bias == null ? null : vector(x.workspace(), bias);
      float[] out = y.data();
      product(
          x,
          weight,
          n,
          out,
          true,
          new Gemm.Edges() {
            @Override
            public void start(Gemm.Part part) {
              for (int i = 0; i < part.rows(); i++) {
                int at = (part.row() + i) * n + part.column();
                MatMul.start(shift, part.column(), null, out, at, part.columns());
              }
            }

            @Override
            public void startGates(Gemm.Part part, Results gates) {
              int column = n + part.column();
              for (int i = 0; i < part.rows(); i++) {
                MatMul.start(shift, column, null, gates.data(), gates.at(i), part.columns());
              }
            }

            @Override
            public void finish(Gemm.Part part, Results gates) {
              for (int i = 0; i < part.rows(); i++) {
                int at = (part.row() + i) * n + part.column();
                gate.apply(out, at, gates.data(), gates.at(i), part.columns());
              }
            }
          });
    }
    return y;
  }

  /** The first values of a row of results: the bias, and the residual where there is one. */
  static void start(
      float @Nullable [] bias, int bo, float @Nullable [] residual, float[] y, int yo, int n) {
    if (residual != null) {
      System.arraycopy(residual, yo, y, yo, n);
      if (bias != null) {
        KERNELS.add(bias, bo, y, yo, n);
      }
    } else if (bias != null) {
      System.arraycopy(bias, bo, y, yo, n);
    } else {
      Arrays.fill(y, yo, yo + n, 0);
    }
  }

  private static void product(
      Tensor x, Weight weight, int n, float[] out, boolean gated, Gemm.Edges edges) {
    LinearOperands operands = LinearOperands.of(x, weight);
    Gemm.multiply(
        x.workspace(),
        new Gemm.Product(
            x.shape().rows(), n, operands.k(), operands.a(), operands.b(), out, gated, edges));
  }

  /** The values of a parameter that is a vector, in the workspace's memory. */
  static float[] vector(Workspace workspace, Weight weight) {
    int n = weight.rowLength();
    float[] values = workspace.tensor(n).data();
    workspace.threads().run(1, (row, scratch) -> weight.decode(row, 0, n, values, 0, scratch));
    return values;
  }

  private static void check(Tensor x, Weight weight, @Nullable Weight bias, int n) {
    Shape w = weight.shape();
    int k = w.size() / Math.max(w.dim(0), 1);
    if (w.rank() < 2 || w.dim(1) != k || x.dim(-1) != k || w.dim(0) != n) {
      throw new IllegalArgumentException(
          "[matmul] x is %s and the weight %s: the innermost extent of x must be the weight's second."
              .formatted(x.shape(), weight));
    }
    Checks.vector("matmul", bias, n);
  }
}
