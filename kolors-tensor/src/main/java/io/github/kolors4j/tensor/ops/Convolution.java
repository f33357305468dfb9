package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;

/** Convolutions of channels-last feature maps, PyTorch's {@code Conv2d}. */
public final class Convolution {
  private Convolution() {}

  /**
   * How a convolution moves over its input.
   *
   * @param stride pixels from one output to the next, in both directions; at least 1
   * @param padding zeros around the input, on every side; at least 0
   */
  public record Geometry(int stride, int padding) {}

  /**
   * A convolution.
   *
   * @param x {@code [n, h, w, cIn]}
   * @param weight {@code [cOut, cIn, kh, kw]}
   * @param bias {@code [cOut]}, or null for none
   * @param geometry stride and padding
   * @return {@code [n, hOut, wOut, cOut]}, {@code hOut = (h + 2·padding − kh) / stride + 1}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor conv2d(Tensor x, Weight weight, Weight bias, Geometry geometry) {
    return conv2d(x, weight, bias, geometry, null);
  }

  /**
   * A convolution whose result is added to a residual.
   *
   * @param x {@code [n, h, w, cIn]}
   * @param weight {@code [cOut, cIn, kh, kw]}
   * @param bias {@code [cOut]}, or null for none
   * @param geometry stride and padding
   * @param residual {@code [n, hOut, wOut, cOut]}, or {@code [n, cOut]} to be added at every pixel,
   *     or null for none
   * @return {@code [n, hOut, wOut, cOut]}, a new tensor
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor conv2d(
      Tensor x, Weight weight, Weight bias, Geometry geometry, Tensor residual) {
    int n = x.dim(0);
    int h = x.dim(1);
    int w = x.dim(2);
    int cIn = x.dim(3);
    int cOut = weight.shape().dim(0);
    int kh = weight.shape().dim(2);
    int kw = weight.shape().dim(3);
    int hOut = (h + 2 * geometry.padding() - kh) / geometry.stride() + 1;
    int wOut = (w + 2 * geometry.padding() - kw) / geometry.stride() + 1;
    Tensor y = x.workspace().tensor(n, hOut, wOut, cOut);
    float[] k = weight.toFloats();
    float[] b = bias == null ? new float[cOut] : bias.toFloats();
    for (int i = 0; i < n; i++) {
      for (int oy = 0; oy < hOut; oy++) {
        for (int ox = 0; ox < wOut; ox++) {
          for (int o = 0; o < cOut; o++) {
            float sum = 0;
            for (int ky = 0; ky < kh; ky++) {
              int iy = oy * geometry.stride() - geometry.padding() + ky;
              for (int kx = 0; kx < kw; kx++) {
                int ix = ox * geometry.stride() - geometry.padding() + kx;
                if (iy < 0 || iy >= h || ix < 0 || ix >= w) {
                  continue;
                }
                for (int c = 0; c < cIn; c++) {
                  sum =
                      Math.fma(
                          x.data()[((i * h + iy) * w + ix) * cIn + c],
                          k[((o * cIn + c) * kh + ky) * kw + kx],
                          sum);
                }
              }
            }
            int at = ((i * hOut + oy) * wOut + ox) * cOut + o;
            float r =
                residual == null
                    ? 0
                    : residual.shape().rank() == 2
                        ? residual.data()[i * cOut + o]
                        : residual.data()[at];
            y.data()[at] = sum + b[o] + r;
          }
        }
      }
    }
    return y;
  }
}
