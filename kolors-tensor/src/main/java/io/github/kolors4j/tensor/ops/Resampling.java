package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;

/** Changes of a feature map's height and width. */
public final class Resampling {
  private Resampling() {}

  /**
   * Nearest-neighbour resampling, PyTorch's {@code interpolate(mode="nearest")}: output pixel i
   * takes input pixel {@code ⌊i · in / out⌋}.
   *
   * @param x {@code [n, h, w, c]}
   * @param hOut height of the result
   * @param wOut width of the result
   * @return {@code [n, hOut, wOut, c]}
   * @throws IllegalArgumentException if x is no feature map or an extent is negative
   */
  public static Tensor nearest(Tensor x, int hOut, int wOut) {
    Checks.that(x.shape().rank() == 4, "[nearest] x is %s and must be [n, h, w, c].", x.shape());
    int n = x.dim(0);
    int h = x.dim(1);
    int w = x.dim(2);
    int c = x.dim(3);
    Tensor y = x.workspace().tensor(n, hOut, wOut, c);
    float[] source = x.data();
    float[] target = y.data();
    x.workspace()
        .threads()
        .run(
            n * hOut,
            (row, _) -> {
              int line = row / hOut * h + source(row % hOut, h, hOut);
              for (int j = 0; j < wOut; j++) {
                int from = (line * w + source(j, w, wOut)) * c;
                System.arraycopy(source, from, target, (row * wOut + j) * c, c);
              }
            });
    return y;
  }

  /** As PyTorch computes it, in F32. */
  private static int source(int index, int in, int out) {
    return Math.min((int) (index * ((float) in / out)), in - 1);
  }
}
