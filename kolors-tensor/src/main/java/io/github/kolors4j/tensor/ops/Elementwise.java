package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;

/** Sums, products, slices and concatenations. */
public final class Elementwise {
  private static final Kernels KERNELS = KernelProvider.kernels();

  private Elementwise() {}

  /** A kernel that changes y by x. */
  @FunctionalInterface
  private interface Update {
    void apply(float[] x, int xo, float[] y, int yo, int n);
  }

  private static void combine(Tensor a, Tensor b, Tensor y, Update update) {
    float[] from = a.data();
    float[] with = b.data();
    float[] to = y.data();
    Ranges.run(
        y,
        (at, n) -> {
          System.arraycopy(from, at, to, at, n);
          update.apply(with, at, to, at, n);
        });
  }

  /**
   * The sum.
   *
   * @param a any shape
   * @param b the same shape
   * @return a new tensor
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor add(Tensor a, Tensor b) {
    Tensor y = a.workspace().tensor(a.shape());
    Checks.same("add", "b", b, a.shape());
    combine(a, b, y, KERNELS::add);
    return y;
  }

  /**
   * The product, element by element.
   *
   * @param a any shape
   * @param b the same shape
   * @return a new tensor
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor multiply(Tensor a, Tensor b) {
    Tensor y = a.workspace().tensor(a.shape());
    Checks.same("multiply", "b", b, a.shape());
    combine(a, b, y, KERNELS::multiply);
    return y;
  }

  /**
   * Each value times a constant.
   *
   * @param x any shape
   * @param factor the constant
   * @return a new tensor
   */
  public static Tensor scale(Tensor x, float factor) {
    Tensor y = x.workspace().tensor(x.shape());
    float[] from = x.data();
    float[] to = y.data();
    Ranges.run(x, (at, n) -> KERNELS.scale(factor, from, at, to, at, n));
    return y;
  }

  /**
   * Puts two tensors side by side along the innermost axis.
   *
   * @param a {@code [..., p]}
   * @param b {@code [..., q]}, with the same outer extents
   * @return {@code [..., p + q]}
   * @throws IllegalArgumentException if the outer extents differ
   */
  public static Tensor concat(Tensor a, Tensor b) {
    int p = a.dim(-1);
    int q = b.dim(-1);
    Tensor y = a.workspace().tensor(a.shape().withLast(p + q));
    Checks.same("concat", "b", b, a.shape().withLast(q));
    float[] left = a.data();
    float[] right = b.data();
    float[] to = y.data();
    Ranges.runRows(
        y,
        (row, count) -> {
          for (int i = row; i < row + count; i++) {
            System.arraycopy(left, i * p, to, i * (p + q), p);
            System.arraycopy(right, i * q, to, i * (p + q) + p, q);
          }
        });
    return y;
  }

  /**
   * A range of the innermost axis.
   *
   * @param x {@code [..., c]}
   * @param from first channel, inclusive
   * @param to last channel, exclusive
   * @return {@code [..., to − from]}, a copy
   * @throws IllegalArgumentException if the range is not inside the axis
   */
  public static Tensor slice(Tensor x, int from, int to) {
    int c = x.dim(-1);
    Checks.that(
        0 <= from && from <= to && to <= c, "[slice] %d to %d is not inside 0 to %d.", from, to, c);
    int width = to - from;
    Tensor y = x.workspace().tensor(x.shape().withLast(width));
    float[] source = x.data();
    float[] target = y.data();
    Ranges.runRows(
        y,
        (row, count) -> {
          for (int i = row; i < row + count; i++) {
            System.arraycopy(source, i * c + from, target, i * width, width);
          }
        });
    return y;
  }
}
