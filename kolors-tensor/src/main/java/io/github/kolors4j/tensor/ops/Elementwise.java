package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;

/** Sums, products, slices and concatenations. */
public final class Elementwise {
  private Elementwise() {}

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
    for (int i = 0; i < a.shape().size(); i++) {
      y.data()[i] = a.data()[i] + b.data()[i];
    }
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
    for (int i = 0; i < a.shape().size(); i++) {
      y.data()[i] = a.data()[i] * b.data()[i];
    }
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
    for (int i = 0; i < x.shape().size(); i++) {
      y.data()[i] = x.data()[i] * factor;
    }
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
    for (int i = 0; i < a.shape().rows(); i++) {
      System.arraycopy(a.data(), i * p, y.data(), i * (p + q), p);
      System.arraycopy(b.data(), i * q, y.data(), i * (p + q) + p, q);
    }
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
    int width = to - from;
    Tensor y = x.workspace().tensor(x.shape().withLast(width));
    for (int i = 0; i < x.shape().rows(); i++) {
      System.arraycopy(x.data(), i * c + from, y.data(), i * width, width);
    }
    return y;
  }
}
