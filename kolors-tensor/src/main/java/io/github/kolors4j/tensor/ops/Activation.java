package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;

/** Activation functions, element by element. */
public final class Activation {
  private static final Kernels KERNELS = KernelProvider.kernels();

  /** What brings the sigmoid near the normal distribution's function. */
  private static final float QUICK = 1.702f;

  private Activation() {}

  /**
   * {@code x · sigmoid(x)} (Hendrycks and Gimpel 2016; also named swish).
   *
   * @param x any shape
   * @return a new tensor of the shape of x
   */
  public static Tensor silu(Tensor x) {
    Tensor y = x.workspace().tensor(x.shape());
    float[] from = x.data();
    float[] to = y.data();
    Ranges.run(x, (at, n) -> KERNELS.silu(from, at, to, at, n));
    return y;
  }

  /**
   * The exact GELU, {@code x · Φ(x)} with the normal distribution's Φ by {@code erf}.
   *
   * @param x any shape
   * @return a new tensor of the shape of x
   */
  public static Tensor gelu(Tensor x) {
    Tensor y = x.workspace().tensor(x.shape());
    float[] from = x.data();
    float[] to = y.data();
    Ranges.run(x, (at, n) -> KERNELS.gelu(from, at, to, at, n));
    return y;
  }

  /**
   * The rectified linear unit, {@code max(x, 0)}, in the place of its argument: feature maps of
   * whole pictures are too large to have twice.
   *
   * @param x any shape; is changed
   */
  public static void reluInPlace(Tensor x) {
    float[] values = x.data();
    Ranges.run(
        x,
        (at, n) -> {
          for (int i = at; i < at + n; i++) {
            values[i] = Math.max(values[i], 0);
          }
        });
  }

  /**
   * The GELU of CLIP, {@code x · sigmoid(1.702 · x)}.
   *
   * @param x any shape
   * @return a new tensor of the shape of x
   */
  public static Tensor quickGelu(Tensor x) {
    Tensor y = x.workspace().tensor(x.shape());
    float[] from = x.data();
    float[] to = y.data();
    Ranges.run(
        x,
        (at, n) -> {
          KERNELS.scale(QUICK, from, at, to, at, n);
          KERNELS.silu(to, at, to, at, n);
          KERNELS.scale(1 / QUICK, to, at, to, at, n);
        });
    return y;
  }
}
