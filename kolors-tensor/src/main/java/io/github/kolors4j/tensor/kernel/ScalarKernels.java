package io.github.kolors4j.tensor.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The kernels without the Vector API, and the definition of what the vector ones compute. */
public final class ScalarKernels implements Kernels {
  static final ValueLayout.OfShort F16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * G of Winograd's weight transform, for the points 0, 1, −1, 2, −2 and ∞: the powers of a point
   * and what they are all multiplied by in the end.
   */
  static final float[][] WINOGRAD_WEIGHT = {
    {1, 0, 0, 1 / 4f},
    {1, 1, 1, -1 / 6f},
    {1, -1, 1, -1 / 6f},
    {1, 2, 4, 1 / 24f},
    {1, -2, 4, 1 / 24f},
    {0, 0, 1, 1}
  };

  /** What each byte stands for as a float. */
  private static final float[] FLOAT8 = new float[256];

  static {
    for (int bits = 0; bits < FLOAT8.length; bits++) {
      int exponent = (bits >> 3) & 15;
      int fraction = bits & 7;
      float magnitude =
          exponent == 0
              ? Math.scalb((float) fraction, -6 - 3)
              : Math.scalb(8f + fraction, exponent - 7 - 3);
      float value = (bits & 0x7f) == 0x7f ? Float.NaN : magnitude;
      FLOAT8[bits] = bits < 0x80 ? value : -value;
    }
  }

  private final MicroKernel microKernel = new ScalarTile4x4();

  @Override
  public String description() {
    return "scalar";
  }

  @Override
  public MicroKernel microKernel() {
    return microKernel;
  }

  @Override
  public void transpose(float[] x, int xo, int ldx, int rows, int kc, float[] y, int yo, int ldy) {
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < kc; k++) {
        y[yo + k * ldy + i] = x[xo + i * ldx + k];
      }
    }
  }

  @Override
  public void addRows(
      float[] factors, int fo, int count, float[] rows, int ro, int ld, float[] y, int yo, int n) {
    for (int j = 0; j < n; j++) {
      float sum = y[yo + j];
      for (int k = 0; k < count; k++) {
        sum = Math.fma(factors[fo + k], rows[ro + k * ld + j], sum);
      }
      y[yo + j] = sum;
    }
  }

  @Override
  public void add(float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] += x[xo + i];
    }
  }

  @Override
  public void multiply(float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] *= x[xo + i];
    }
  }

  @Override
  public void scale(float factor, float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = x[xo + i] * factor;
    }
  }

  @Override
  public void scaleBytes(float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = x.get(JAVA_BYTE, xo + i) * factor;
    }
  }

  @Override
  public void scaleGroups(
      MemorySegment factors, long fo, int groups, MemorySegment x, long xo, float[] y, int yo) {
    for (int g = 0; g < groups; g++) {
      float factor = Float.float16ToFloat(factors.get(F16, fo + 2L * g));
      scaleBytes(factor, x, xo + (long) g * GROUP, y, yo + g * GROUP, GROUP);
    }
  }

  @Override
  public void scaleBytesToF16(float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = toF16(x.get(JAVA_BYTE, xo + i) * factor);
    }
  }

  @Override
  public void scaleNibblesToF16(float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      int two = x.get(JAVA_BYTE, (xo + i) >> 1);
      int value = ((xo + i) & 1) == 0 ? two >> 4 : (two << 28) >> 28;
      y[yo + i] = toF16(value * factor);
    }
  }

  private static float toF16(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }

  @Override
  public void float8(MemorySegment x, long xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = FLOAT8[x.get(JAVA_BYTE, xo + i) & 0xff];
    }
  }

  @Override
  public void silu(float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = ScalarMath.silu(x[xo + i]);
    }
  }

  @Override
  public void gelu(float[] x, int xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = ScalarMath.gelu(x[xo + i]);
    }
  }

  @Override
  public void scaleShift(
      float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = Math.fma(x[xo + i], scale[so + i], shift[ho + i]);
    }
  }

  @Override
  public void scaleShiftSilu(
      float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = ScalarMath.silu(Math.fma(x[xo + i], scale[so + i], shift[ho + i]));
    }
  }

  @Override
  public void columnSums(float[] x, int xo, int ldx, int rows, float[] sums, int so, int n) {
    for (int j = 0; j < n; j++) {
      float sum = 0;
      for (int i = 0, at = xo + j; i < rows; i++, at += ldx) {
        sum += x[at];
      }
      sums[so + j] = sum;
    }
  }

  @Override
  public void columnDeviations(
      float[] x, int xo, int ldx, int rows, float[] mean, int mo, float[] sums, int so, int n) {
    for (int j = 0; j < n; j++) {
      float sum = 0;
      for (int i = 0, at = xo + j; i < rows; i++, at += ldx) {
        float d = x[at] - mean[mo + j];
        sum = Math.fma(d, d, sum);
      }
      sums[so + j] = sum;
    }
  }

  @Override
  public double sum(float[] x, int xo, int n, float[] sums) {
    Arrays.fill(sums, 0, SUM_LANES, 0);
    for (int i = 0; i < n; i++) {
      sums[i % SUM_LANES] += x[xo + i];
    }
    return total(sums);
  }

  @Override
  public double deviation(float[] x, int xo, float mean, int n, float[] sums) {
    Arrays.fill(sums, 0, SUM_LANES, 0);
    for (int i = 0; i < n; i++) {
      float d = x[xo + i] - mean;
      sums[i % SUM_LANES] = Math.fma(d, d, sums[i % SUM_LANES]);
    }
    return total(sums);
  }

  @Override
  public void normalize(
      float[] x,
      int xo,
      float mean,
      float inverse,
      float[] scale,
      float[] shift,
      float[] y,
      int yo,
      int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = Math.fma((x[xo + i] - mean) * inverse, scale[i], shift[i]);
    }
  }

  @Override
  public void rmsNormalize(
      float[] x, int xo, float inverse, float[] scale, float[] y, int yo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = x[xo + i] * inverse * scale[i];
    }
  }

  @Override
  public void softmaxBlock(
      float[] s,
      int keys,
      int n,
      float[] max,
      float[] sum,
      int mo,
      float[] correction,
      MemorySegment p) {
    for (int j = 0; j < n; j++) {
      float m = max[mo + j];
      for (int i = 0; i < keys; i++) {
        m = s[i * n + j] > m ? s[i * n + j] : m;
      }
      float total = 0;
      for (int i = 0; i < keys; i++) {
        float weight = ScalarMath.exp(s[i * n + j] - m);
        p.setAtIndex(JAVA_FLOAT, i * n + j, weight);
        total += weight;
      }
      float c = ScalarMath.exp(max[mo + j] - m);
      correction[j] = c;
      sum[mo + j] = Math.fma(sum[mo + j], c, total);
      max[mo + j] = m;
    }
  }

  @Override
  public void scaleColumns(float[] x, int xo, int rows, int n, float[] factors) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < n; j++) {
        x[xo + i * n + j] *= factors[j];
      }
    }
  }

  @Override
  public void winogradInput(float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n) {
    for (int i = 0; i < n; i++) {
      float x0 = x[xo + i];
      float x1 = x[xo + i + ldx];
      float x2 = x[xo + i + 2 * ldx];
      float x3 = x[xo + i + 3 * ldx];
      float x4 = x[xo + i + 4 * ldx];
      float x5 = x[xo + i + 5 * ldx];
      float p = Math.fma(-4f, x2, x4);
      float q = Math.fma(-4f, x1, x3);
      float r = x4 - x2;
      float t = x3 - x1;
      float u = Math.fma(-5f, x2, x4);
      float v = Math.fma(-5f, x3, x5);
      y[yo + i] = Math.fma(4f, x0, u);
      y[yo + i + ldy] = p + q;
      y[yo + i + 2 * ldy] = p - q;
      y[yo + i + 3 * ldy] = Math.fma(2f, t, r);
      y[yo + i + 4 * ldy] = Math.fma(-2f, t, r);
      y[yo + i + 5 * ldy] = Math.fma(4f, x1, v);
    }
  }

  @Override
  public void winogradOutput(float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n) {
    for (int i = 0; i < n; i++) {
      float x0 = x[xo + i];
      float x1 = x[xo + i + ldx];
      float x2 = x[xo + i + 2 * ldx];
      float x3 = x[xo + i + 3 * ldx];
      float x4 = x[xo + i + 4 * ldx];
      float x5 = x[xo + i + 5 * ldx];
      float p = x1 + x2;
      float q = x1 - x2;
      float r = x3 + x4;
      float t = x3 - x4;
      float u = x0 + p;
      float v = q + x5;
      y[yo + i] = u + r;
      y[yo + i + ldy] = Math.fma(2f, t, q);
      y[yo + i + 2 * ldy] = Math.fma(4f, r, p);
      y[yo + i + 3 * ldy] = Math.fma(8f, t, v);
    }
  }

  @Override
  public void winogradWeightRow(
      int point, float[] g, int go, int channels, int n, float[] y, int yo) {
    float[] powers = WINOGRAD_WEIGHT[point];
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < 3 * n; i++) {
        int at = go + 9 * c * n + i;
        float even = Math.fma(powers[2], g[at + 6 * n], powers[0] * g[at]);
        y[yo + 3 * c * n + i] = Math.fma(powers[1], g[at + 3 * n], even) * powers[3];
      }
    }
  }

  @Override
  public void winogradWeight(
      float[] x, int xo, int channels, int n, MemorySegment u, int uo, int plane) {
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < n; i++) {
        int at = xo + 3 * c * n + i;
        float x0 = x[at];
        float x1 = x[at + n];
        float x2 = x[at + 2 * n];
        float p = x0 + x2;
        float q = Math.fma(4f, x2, x0);
        long to = uo + (long) c * n + i;
        u.setAtIndex(JAVA_FLOAT, to, 0.25f * x0);
        u.setAtIndex(JAVA_FLOAT, to + plane, -1 / 6f * (p + x1));
        u.setAtIndex(JAVA_FLOAT, to + 2L * plane, -1 / 6f * (p - x1));
        u.setAtIndex(JAVA_FLOAT, to + 3L * plane, 1 / 24f * Math.fma(2f, x1, q));
        u.setAtIndex(JAVA_FLOAT, to + 4L * plane, 1 / 24f * Math.fma(-2f, x1, q));
        u.setAtIndex(JAVA_FLOAT, to + 5L * plane, x2);
      }
    }
  }

  /** The sum of the virtual lanes, in order. */
  static double total(float[] sums) {
    double total = 0;
    for (int lane = 0; lane < SUM_LANES; lane++) {
      total += sums[lane];
    }
    return total;
  }
}
