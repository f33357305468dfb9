package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;

/** Activation functions, element by element. */
public final class Activation {
  private static final Kernels KERNELS = KernelProvider.kernels();

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
}
