package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;

/** Activation functions, element by element. */
public final class Activation {
  private Activation() {}

  /**
   * {@code x · sigmoid(x)} (Hendrycks and Gimpel 2016; also named swish).
   *
   * @param x any shape
   * @return a new tensor of the shape of x
   */
  public static Tensor silu(Tensor x) {
    Tensor y = x.workspace().tensor(x.shape());
    for (int i = 0; i < x.shape().size(); i++) {
      y.data()[i] = (float) (x.data()[i] / (1 + Math.exp(-x.data()[i])));
    }
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
    for (int i = 0; i < x.shape().size(); i++) {
      double v = x.data()[i];
      // Series for erf, for now.
      double z = v / Math.sqrt(2);
      double erf = 0;
      if (Math.abs(z) > 5) {
        erf = Math.signum(z);
      } else {
        double term = z;
        for (int k = 0; k < 200; k++) {
          erf += term / (2 * k + 1);
          term *= -z * z / (k + 1);
        }
        erf *= 2 / Math.sqrt(Math.PI);
      }
      y.data()[i] = (float) (0.5 * v * (1 + erf));
    }
    return y;
  }
}
