package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;

/** Group, layer and RMS normalization. The epsilon is always the caller's. */
public final class Normalization {
  private Normalization() {}

  /**
   * Normalizes groups of neighbouring channels over all positions of a sample (Wu and He 2018).
   *
   * @param x {@code [n, ..., c]}
   * @param groups how many groups, a divisor of c
   * @param eps added to the variance
   * @param weight scale {@code [c]}
   * @param bias shift {@code [c]}
   * @return a new tensor of the shape of x
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor groupNorm(Tensor x, int groups, float eps, Weight weight, Weight bias) {
    int n = x.dim(0);
    int c = x.dim(-1);
    int pixels = x.shape().size() / n / c;
    int size = c / groups;
    Tensor y = x.workspace().tensor(x.shape());
    float[] scale = weight.toFloats();
    float[] shift = bias.toFloats();
    for (int i = 0; i < n; i++) {
      for (int g = 0; g < groups; g++) {
        double sum = 0;
        double squares = 0;
        for (int p = 0; p < pixels; p++) {
          for (int j = 0; j < size; j++) {
            sum += x.data()[(i * pixels + p) * c + g * size + j];
          }
        }
        double mean = sum / ((double) pixels * size);
        for (int p = 0; p < pixels; p++) {
          for (int j = 0; j < size; j++) {
            double d = x.data()[(i * pixels + p) * c + g * size + j] - mean;
            squares += d * d;
          }
        }
        double inverse = 1 / Math.sqrt(squares / ((double) pixels * size) + eps);
        for (int p = 0; p < pixels; p++) {
          for (int j = 0; j < size; j++) {
            int at = (i * pixels + p) * c + g * size + j;
            int channel = g * size + j;
            y.data()[at] =
                (float) ((x.data()[at] - mean) * inverse * scale[channel] + shift[channel]);
          }
        }
      }
    }
    return y;
  }

  /**
   * {@link #groupNorm} followed by SiLU, in one pass.
   *
   * @param x {@code [n, ..., c]}
   * @param groups how many groups, a divisor of c
   * @param eps added to the variance
   * @param weight scale {@code [c]}
   * @param bias shift {@code [c]}
   * @return a new tensor of the shape of x
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor groupNormSilu(Tensor x, int groups, float eps, Weight weight, Weight bias) {
    return Activation.silu(groupNorm(x, groups, eps, weight, bias));
  }

  /**
   * Normalizes each row to mean 0 and variance 1, then scales and shifts (Ba et al. 2016).
   *
   * @param x {@code [..., d]}
   * @param eps added to the variance
   * @param weight scale {@code [d]}
   * @param bias shift {@code [d]}
   * @return a new tensor of the shape of x
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor layerNorm(Tensor x, float eps, Weight weight, Weight bias) {
    int d = x.dim(-1);
    Tensor y = x.workspace().tensor(x.shape());
    float[] scale = weight.toFloats();
    float[] shift = bias.toFloats();
    for (int i = 0; i < x.shape().rows(); i++) {
      double sum = 0;
      for (int j = 0; j < d; j++) {
        sum += x.data()[i * d + j];
      }
      double mean = sum / d;
      double squares = 0;
      for (int j = 0; j < d; j++) {
        double v = x.data()[i * d + j] - mean;
        squares += v * v;
      }
      double inverse = 1 / Math.sqrt(squares / d + eps);
      for (int j = 0; j < d; j++) {
        y.data()[i * d + j] =
            (float) ((x.data()[i * d + j] - mean) * inverse * scale[j] + shift[j]);
      }
    }
    return y;
  }

  /**
   * Divides each row by its root mean square, then scales (Zhang and Sennrich 2019).
   *
   * @param x {@code [..., d]}
   * @param eps added to the mean square
   * @param weight scale {@code [d]}
   * @return a new tensor of the shape of x
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor rmsNorm(Tensor x, float eps, Weight weight) {
    int d = x.dim(-1);
    Tensor y = x.workspace().tensor(x.shape());
    float[] scale = weight.toFloats();
    for (int i = 0; i < x.shape().rows(); i++) {
      double squares = 0;
      for (int j = 0; j < d; j++) {
        double v = x.data()[i * d + j];
        squares += v * v;
      }
      double inverse = 1 / Math.sqrt(squares / d + eps);
      for (int j = 0; j < d; j++) {
        y.data()[i * d + j] = (float) (x.data()[i * d + j] * inverse * scale[j]);
      }
    }
    return y;
  }
}
