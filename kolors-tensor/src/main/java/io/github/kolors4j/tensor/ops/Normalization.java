package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;

/**
 * Group, layer and RMS normalization. The epsilon is always the caller's. Sums run in F32 over
 * fixed blocks and are folded in double in the blocks' order, so that they neither lose digits over
 * millions of values nor depend on the machine.
 */
public final class Normalization {
  /** Values of a row that are summed in F32. */
  private static final int BLOCK = 1024;

  /** Pixels over which a channel is summed in F32. */
  private static final int PIXELS = 256;

  /** Rows a task. */
  private static final int ROWS = 32;

  private static final Slot<float[]> MEAN = Slot.floats("means of a block's channels");
  private static final Slot<float[]> SUMS = Slot.floats("virtual lanes of a sum");

  private static final Kernels KERNELS = KernelProvider.kernels();

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
    return groupNorm(x, groups, eps, weight, bias, KERNELS::scaleShift);
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
    return groupNorm(x, groups, eps, weight, bias, KERNELS::scaleShiftSilu);
  }

  /** The kernel that takes a pixel through its channels' scales and shifts. */
  @FunctionalInterface
  private interface Apply {
    void run(
        float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n);
  }

  private static Tensor groupNorm(
      Tensor x, int groups, float eps, Weight weight, Weight bias, Apply apply) {
    int n = x.dim(0);
    int c = x.dim(-1);
    Checks.that(
        groups >= 1 && c % groups == 0,
        "[group_norm] x is %s, whose channels do not split into %d groups.",
        x.shape(),
        groups);
    Checks.vector("group_norm", weight, c);
    Checks.vector("group_norm", bias, c);
    int pixels = x.shape().rows() / n;
    int blocks = (pixels + PIXELS - 1) / PIXELS;
    Tensor y = x.workspace().tensor(x.shape());
    try (Workspace.Scope _ = x.workspace().scope()) {
      float[] from = x.data();
      float[] to = y.data();
      float[] sums = x.workspace().tensor(n, blocks, c).data();
      float[] deviations = x.workspace().tensor(n, blocks, c).data();
      ThreadPool threads = x.workspace().threads();
      threads.run(
          n * blocks,
          (index, scratch) -> {
            int count = Math.min(PIXELS, pixels - index % blocks * PIXELS);
            int at = (index / blocks * pixels + index % blocks * PIXELS) * c;
            KERNELS.columnSums(from, at, c, count, sums, index * c, c);
            float[] mean = scratch.get(MEAN, c);
            KERNELS.scale(1f / count, sums, index * c, mean, 0, c);
            KERNELS.columnDeviations(from, at, c, count, mean, 0, deviations, index * c, c);
          });
      Statistics statistics = new Statistics(pixels, c, sums, deviations);
      Affine learned =
          new Affine(MatMul.vector(x.workspace(), weight), MatMul.vector(x.workspace(), bias));
      float[] scale = x.workspace().tensor(n, c).data();
      float[] shift = x.workspace().tensor(n, c).data();
      for (int i = 0; i < n; i++) {
        statistics.fold(i, groups, eps, learned, new Affine(scale, shift));
      }
      threads.run(
          n * blocks,
          (index, _) -> {
            int first = index / blocks * pixels + index % blocks * PIXELS;
            int count = Math.min(PIXELS, pixels - index % blocks * PIXELS);
            int parameters = index / blocks * c;
            for (int p = first; p < first + count; p++) {
              apply.run(from, p * c, scale, parameters, shift, parameters, to, p * c, c);
            }
          });
    }
    return y;
  }

  /**
   * What normalized values are multiplied by, and what is added then.
   *
   * @param scale a factor a channel
   * @param shift a summand a channel
   */
  private record Affine(float[] scale, float[] shift) {}

  /**
   * The blocks' sums of each channel, and the deviations from the blocks' own means; folded in
   * double in the blocks' order (Chan et al. 1979).
   *
   * @param pixels of a sample
   * @param c channels
   * @param sums {@code [n, blocks, c]}
   * @param deviations {@code [n, blocks, c]}
   */
  private record Statistics(int pixels, int c, float[] sums, float[] deviations) {
    int blocks() {
      return (pixels + PIXELS - 1) / PIXELS;
    }

    /** The factors and summands of a sample's channels, put into those of all, {@code [n, c]}. */
    void fold(int sample, int groups, float eps, Affine learned, Affine folded) {
      int width = c / groups;
      for (int first = 0; first < c; first += width) {
        int last = first + width;
        double mean = mean(sample, first, last);
        double inverse = 1 / Math.sqrt(variance(sample, first, last, mean) + eps);
        for (int j = first; j < last; j++) {
          float gamma = learned.scale[j];
          folded.scale[sample * c + j] = (float) (inverse * gamma);
          folded.shift[sample * c + j] = (float) (learned.shift[j] - mean * inverse * gamma);
        }
      }
    }

    private double mean(int sample, int first, int last) {
      double total = 0;
      for (int b = 0; b < blocks(); b++) {
        int at = (sample * blocks() + b) * c;
        for (int j = first; j < last; j++) {
          total += sums[at + j];
        }
      }
      return total / ((double) pixels * (last - first));
    }

    private double variance(int sample, int first, int last, double mean) {
      double squares = 0;
      for (int b = 0; b < blocks(); b++) {
        int count = Math.min(PIXELS, pixels - b * PIXELS);
        int at = (sample * blocks() + b) * c;
        for (int j = first; j < last; j++) {
          double off = sums[at + j] * (1f / count) - mean;
          squares += deviations[at + j] + count * off * off;
        }
      }
      return squares / ((double) pixels * (last - first));
    }
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
    Checks.vector("layer_norm", weight, d);
    Checks.vector("layer_norm", bias, d);
    Tensor y = x.workspace().tensor(x.shape());
    try (Workspace.Scope _ = x.workspace().scope()) {
      float[] scale = MatMul.vector(x.workspace(), weight);
      float[] shift = MatMul.vector(x.workspace(), bias);
      float[] from = x.data();
      float[] to = y.data();
      rows(
          x,
          (row, sums) -> {
            int at = row * d;
            double total = 0;
            for (int j = 0; j < d; j += BLOCK) {
              total += KERNELS.sum(from, at + j, Math.min(BLOCK, d - j), sums);
            }
            float mean = (float) (total / d);
            double squares = 0;
            for (int j = 0; j < d; j += BLOCK) {
              squares += KERNELS.deviation(from, at + j, mean, Math.min(BLOCK, d - j), sums);
            }
            float inverse = (float) (1 / Math.sqrt(squares / d + eps));
            KERNELS.normalize(from, at, mean, inverse, scale, shift, to, at, d);
          });
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
    Checks.vector("rms_norm", weight, d);
    Tensor y = x.workspace().tensor(x.shape());
    try (Workspace.Scope _ = x.workspace().scope()) {
      float[] scale = MatMul.vector(x.workspace(), weight);
      float[] from = x.data();
      float[] to = y.data();
      rows(
          x,
          (row, sums) -> {
            int at = row * d;
            double squares = 0;
            for (int j = 0; j < d; j += BLOCK) {
              squares += KERNELS.deviation(from, at + j, 0, Math.min(BLOCK, d - j), sums);
            }
            float inverse = (float) (1 / Math.sqrt(squares / d + eps));
            KERNELS.rmsNormalize(from, at, inverse, scale, to, at, d);
          });
    }
    return y;
  }

  /** Work on one row, with room for the virtual lanes of a sum. */
  @FunctionalInterface
  private interface Row {
    void normalize(int row, float[] sums);
  }

  private static void rows(Tensor x, Row body) {
    int rows = x.shape().rows();
    x.workspace()
        .threads()
        .run(
            (rows + ROWS - 1) / ROWS,
            (index, scratch) -> {
              float[] sums = scratch.get(SUMS, Kernels.SUM_LANES);
              for (int row = index * ROWS; row < Math.min(rows, (index + 1) * ROWS); row++) {
                body.normalize(row, sums);
              }
            });
  }
}
