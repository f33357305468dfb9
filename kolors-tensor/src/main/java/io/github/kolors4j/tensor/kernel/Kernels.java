package io.github.kolors4j.tensor.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The inner loops. All work on ranges of {@code float[]}, or of panels outside of the heap ({@link
 * MicroKernel}); either is followed by the index of its first value. Every implementation gives the
 * same bits: each value is computed by the same sequence of IEEE operations, and sums over a row
 * run in {@link #SUM_LANES} virtual lanes.
 */
public interface Kernels {
  /** Partial sums that a reduction over a row keeps, whatever the width of the machine. */
  int SUM_LANES = 16;

  /** Values of a group of {@link #scaleGroups}: whole vectors of every width. */
  int GROUP = 32;

  /** Columns of a panel of {@link #addProduct}: whole tiles of every width. */
  int PANEL = 64;

  /**
   * What runs, for the log.
   *
   * @return as {@code vector 256-bit}
   */
  String description();

  /**
   * The register tile.
   *
   * @return the micro-kernel of the matrix product
   */
  MicroKernel microKernel();

  /**
   * Transposes rows: {@code y[k·ldy + i] = x[i·ldx + k]}.
   *
   * @param rows how many rows of x
   * @param kc how many values of each
   */
  void transpose(float[] x, int xo, int ldx, int rows, int kc, float[] y, int yo, int ldy);

  /**
   * Adds a combination of rows, as a row of a product {@code B · A}: {@code y[j] += Σₖ factors[k] ·
   * rows[k·ld + j]}, each a chain of fused multiply-adds over k in order.
   *
   * @param factors one a row
   * @param fo where they begin
   * @param count how many rows
   * @param rows the rows
   * @param ro where the first value of the first row stands
   * @param ld from one row to the next
   * @param y what is added to
   * @param yo where it begins
   * @param n values of a row
   */
  void addRows(
      float[] factors, int fo, int count, float[] rows, int ro, int ld, float[] y, int yo, int n);

  /**
   * Adds a product of matrices: {@code y[i·ldy + j] += Σₖ a[i·depth + k] · b[k·PANEL + j]}, each a
   * chain as in {@link #addRows}. The distance of b's rows is a constant, so that C2 checks no
   * index in the loop over k: 203 GFLOP/s instead of 171 at a depth of 128, 154 to 171 instead of
   * 136 to 142 at 16 (one thread, Zen 5).
   *
   * @param a {@code [rows, depth]}
   * @param rows of a and y
   * @param depth columns of a, and rows of b
   * @param b a panel, {@code [depth, PANEL]}, from a column of it on
   * @param ldy from one row of y to the next
   * @param n columns of y, at most as many as b has from there on
   */
  default void addProduct(
      float[] a,
      int ao,
      int rows,
      int depth,
      float[] b,
      int bo,
      float[] y,
      int yo,
      int ldy,
      int n) {
    for (int i = 0; i < rows; i++) {
      addRows(a, ao + i * depth, depth, b, bo, PANEL, y, yo + i * ldy, n);
    }
  }

  /** {@code y += x}. */
  void add(float[] x, int xo, float[] y, int yo, int n);

  /** {@code y *= x}. */
  void multiply(float[] x, int xo, float[] y, int yo, int n);

  /** {@code y = factor · x}. */
  void scale(float factor, float[] x, int xo, float[] y, int yo, int n);

  /**
   * {@code y = factor · x} of signed bytes.
   *
   * @param x bytes, of a file as a rule
   * @param xo index of the first
   */
  void scaleBytes(float factor, MemorySegment x, long xo, float[] y, int yo, int n);

  /**
   * {@code y = factor · x} of groups of {@link #GROUP} signed bytes, each with a factor of its own.
   *
   * @param factors F16, little-endian
   * @param fo byte where the first factor stands
   * @param groups how many
   */
  void scaleGroups(
      MemorySegment factors, long fo, int groups, MemorySegment x, long xo, float[] y, int yo);

  /**
   * {@code y = factor · x} of signed bytes, rounded to F16.
   *
   * @param x bytes, of a file as a rule
   * @param xo index of the first
   */
  void scaleBytesToF16(float factor, MemorySegment x, long xo, float[] y, int yo, int n);

  /**
   * {@code y = factor · x} of signed halves of bytes, the upper one first, rounded to F16.
   *
   * @param x bytes, of a file as a rule
   * @param xo index of the first half
   */
  void scaleNibblesToF16(float factor, MemorySegment x, long xo, float[] y, int yo, int n);

  /**
   * Floats of 8 bits: sign, four bits of exponent with a bias of 7, three of fraction. All but the
   * sign set is NaN.
   *
   * @param x bytes, of a file as a rule
   * @param xo index of the first
   */
  void float8(MemorySegment x, long xo, float[] y, int yo, int n);

  /** {@code y = x · sigmoid(x)}. */
  void silu(float[] x, int xo, float[] y, int yo, int n);

  /** {@code y = x · Φ(x)}. */
  void gelu(float[] x, int xo, float[] y, int yo, int n);

  /** {@code y = scale · x + shift}, each with a factor and a summand of its own. */
  void scaleShift(
      float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n);

  /** {@link #scaleShift}, then {@link #silu}. */
  void scaleShiftSilu(
      float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n);

  /** Column sums of a block: {@code sums[j] = Σᵢ x[i·ldx + j]}, over i in order. */
  void columnSums(float[] x, int xo, int ldx, int rows, float[] sums, int so, int n);

  /** {@code sums[j] = Σᵢ (x[i·ldx + j] − mean[j])²}, over i in order. */
  void columnDeviations(
      float[] x, int xo, int ldx, int rows, float[] mean, int mo, float[] sums, int so, int n);

  /** The sum of a row of at most 1,024 values; {@code sums} is room for the virtual lanes. */
  double sum(float[] x, int xo, int n, float[] sums);

  /** {@code Σ (x − mean)²} of a row of at most 1,024 values; {@code sums} as in {@link #sum}. */
  double deviation(float[] x, int xo, float mean, int n, float[] sums);

  /** {@code y = (x − mean) · inverse · scale + shift}. */
  void normalize(
      float[] x,
      int xo,
      float mean,
      float inverse,
      float[] scale,
      float[] shift,
      float[] y,
      int yo,
      int n);

  /** {@code y = x · inverse · scale}. */
  void rmsNormalize(float[] x, int xo, float inverse, float[] scale, float[] y, int yo, int n);

  /**
   * One block of keys of a running softmax, a column a query. Makes {@code exp(s − max)} of each
   * score, moves the running maximum and sum on, and leaves in {@code correction} what earlier
   * results must be multiplied by.
   *
   * @param s {@code [keys, n]} scores
   * @param keys how many rows
   * @param n how many columns, a multiple of the panel's lanes
   * @param max {@code [n]} running maximum
   * @param sum {@code [n]} running sum
   * @param mo where both begin
   * @param correction {@code [n]}, written
   * @param p {@code [keys, n]}, written: a panel
   */
  void softmaxBlock(
      float[] s,
      int keys,
      int n,
      float[] max,
      float[] sum,
      int mo,
      float[] correction,
      MemorySegment p);

  /** {@code x[i, j] *= factors[j]} for a block of {@code rows × n} that begins at {@code xo}. */
  void scaleColumns(float[] x, int xo, int rows, int n, float[] factors);

  /**
   * One dimension of Winograd's input transform, F(4,3): six vectors to six.
   *
   * @param ldx from one input vector to the next
   * @param ldy from one output vector to the next
   */
  void winogradInput(float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n);

  /** One dimension of Winograd's output transform: six vectors to four. */
  void winogradOutput(float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n);

  /**
   * One dimension of Winograd's weight transform, F(4,3), one of its six points: a row of {@code G
   * · g} for each channel.
   *
   * @param point which one, 0 to 5
   * @param g {@code [channels, 3, 3·n]} kernels
   * @param n width of a panel: the micro-kernel's columns, or its lanes
   * @param y {@code [channels, 3·n]}, written
   */
  void winogradWeightRow(int point, float[] g, int go, int channels, int n, float[] y, int yo);

  /**
   * The other dimension, all six points.
   *
   * @param x {@code [channels, 3, n]} as {@link #winogradWeightRow} gives them
   * @param n width of a panel: the micro-kernel's columns, or its lanes
   * @param u where to: {@code [channels, n]}, rows of a panel
   * @param plane from one of the six points in u to the next
   */
  void winogradWeight(float[] x, int xo, int channels, int n, MemorySegment u, int uo, int plane);
}
