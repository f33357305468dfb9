package io.github.kolors4j.tensor.kernel;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.assertSameBits;

import io.github.kolors4j.tensor.Values;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kernel of this JVM against its definition in double, and bit for bit against the scalar
 * ones; at lengths around the vector's and at odd offsets.
 */
class KernelsTest {
  private static final Kernels KERNELS = KernelProvider.kernels();
  private static final Kernels SCALAR = new ScalarKernels();
  private static final float GUARD = 12345.678f;

  private static final float[] SPECIAL = {
    0f,
    -0f,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL,
    -Float.MIN_NORMAL,
    1e-30f,
    -1e-30f,
    1e-7f,
    -1e-7f,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    86.5f,
    -86.5f,
    Math.nextUp(86.5f),
    Math.nextDown(86.5f),
    Math.nextUp(-86.5f),
    Math.nextDown(-86.5f),
    88f,
    -88f,
    Math.nextUp(88f),
    Math.nextDown(-88f),
    3.925f,
    -3.925f,
    Math.nextUp(3.925f),
    Math.nextDown(-3.925f),
    5.5508f,
    -5.5508f,
    100f,
    -100f,
    0.34657359f,
    -0.34657359f,
    1f,
    -1f
  };

  static int[] lengths() {
    int lanes = KERNELS.microKernel().lanes() == 1 ? 16 : KERNELS.microKernel().lanes();
    return IntStream.of(
            0, 1, 15, 16, 17, lanes - 1, lanes, lanes + 1, 3 * lanes, 8 * lanes + 2, 1021)
        .sorted()
        .distinct()
        .toArray();
  }

  /** A kernel that changes y by x. */
  private interface Binary {
    void run(Kernels kernels, float[] x, int xo, float[] y, int yo, int n);
  }

  /** What it computes, of x and the y before. */
  private interface Definition {
    double of(double x, double y);
  }

  private static void checkBinary(
      String name, int n, Binary kernel, Definition definition, double relative) {
    Window x = Window.input(1, 3, n);
    Window y = Window.update(2, 1, n);
    if (n > 500) {
      System.arraycopy(SPECIAL, 0, x.array(), x.at() + 100, SPECIAL.length);
    }
    Window before = y.copy();
    Window scalar = y.copy();
    kernel.run(KERNELS, x.array(), x.at(), y.array(), y.at(), n);
    kernel.run(SCALAR, x.array(), x.at(), scalar.array(), scalar.at(), n);
    y.assertGuards(name);
    y.assertSameBits(scalar, name);
    for (int i = 0; i < n; i++) {
      double expected = definition.of(x.get(i), before.get(i));
      if (Math.abs(expected) < Float.MAX_VALUE && Math.abs(x.get(i)) < 80) {
        double tolerance = relative * Math.abs(expected) + Float.MIN_VALUE;
        assertClose(expected, y.get(i), tolerance, name + " at " + i);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void scaleBytesIsAProductOfEachSignedByte(int n) {
    byte[] bytes = new byte[n + 5];
    new Random(n).nextBytes(bytes);
    MemorySegment x = MemorySegment.ofArray(bytes);
    Window y = Window.update(2, 1, n);
    KERNELS.scaleBytes(0.3f, x.asSlice(2, n + 1), 1, y.array(), y.at(), n);
    y.assertGuards("scaleBytes");
    for (int i = 0; i < n; i++) {
      assertSameBits(bytes[3 + i] * 0.3f, y.get(i), "at " + i);
    }
  }

  /** Every factor that F16 has, and every byte: also products between two numbers of F16. */
  @Test
  void scaledBytesAreRoundedAsF16WhateverTheFactor() {
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    MemorySegment x = MemorySegment.ofArray(bytes);
    float[] y = new float[256];
    for (int half = 0; half < 1 << 16; half++) {
      float factor = Float.float16ToFloat((short) half);
      KERNELS.scaleBytesToF16(factor, x, 0, y, 0, 256);
      for (int i = 0; i < 256; i++) {
        float expected = Float.float16ToFloat(Float.floatToFloat16(bytes[i] * factor));
        if (Float.floatToIntBits(expected) != Float.floatToIntBits(y[i])) {
          assertSameBits(expected, y[i], bytes[i] + " times " + factor);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void scaledHalvesOfBytesComeFromTheUpperOneOn(int n) {
    byte[] bytes = new byte[n / 2 + 8];
    new Random(n).nextBytes(bytes);
    MemorySegment x = MemorySegment.ofArray(bytes);
    for (int first : new int[] {2, 3}) {
      for (float factor : new float[] {0.3f, 1e-6f, 1e4f}) {
        Window y = Window.update(2, 1, n);
        KERNELS.scaleNibblesToF16(factor, x, first, y.array(), y.at(), n);
        y.assertGuards("scaleNibblesToF16");
        for (int i = 0; i < n; i++) {
          int two = bytes[(first + i) / 2] & 0xff;
          int half = (first + i) % 2 == 0 ? two / 16 : two % 16;
          float product = (half < 8 ? half : half - 16) * factor;
          float expected = Float.float16ToFloat(Float.floatToFloat16(product));
          assertSameBits(expected, y.get(i), "at " + i + " from " + first);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void floatsOf8BitsAreThoseOfTheScalarKernel(int n) {
    byte[] bytes = new byte[n + 5];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (7 * i);
    }
    MemorySegment x = MemorySegment.ofArray(bytes);
    Window y = Window.update(2, 1, n);
    Window scalar = y.copy();
    KERNELS.float8(x, 3, y.array(), y.at(), n);
    SCALAR.float8(x, 3, scalar.array(), scalar.at(), n);
    y.assertGuards("float8");
    y.assertSameBits(scalar, "float8");
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void addAddsEachValueRoundedOnce(int n) {
    checkBinary("add", n, Kernels::add, Double::sum, EPS);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void multiplyMultipliesEachValueRoundedOnce(int n) {
    checkBinary("multiply", n, Kernels::multiply, (x, y) -> x * y, EPS);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void scaleMultipliesEachValueByTheFactor(int n) {
    checkBinary(
        "scale",
        n,
        (kernels, x, xo, y, yo, count) -> kernels.scale(0.3f, x, xo, y, yo, count),
        (x, _) -> x * 0.3f,
        EPS);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void addRowsAddsACombinationInOrder(int n) {
    for (int count : new int[] {0, 1, 2, 5}) {
      int ld = n + 3;
      Window factors = Window.input(11, 1, count);
      Window rows = Window.input(12, 2, Math.max(1, count * ld));
      Window y = Window.output(3, n);
      Window before = y.copy();
      Window scalar = y.copy();
      addRows(KERNELS, factors, count, rows, ld, y, n);
      addRows(SCALAR, factors, count, rows, ld, scalar, n);
      y.assertGuards("addRows");
      y.assertSameBits(scalar, "addRows");
      for (int j = 0; j < n; j++) {
        double sum = before.get(j);
        double size = Math.abs(sum);
        for (int k = 0; k < count; k++) {
          sum += (double) factors.get(k) * rows.get(k * ld + j);
          size += Math.abs((double) factors.get(k) * rows.get(k * ld + j));
        }
        assertClose(sum, y.get(j), (count + 1) * EPS * size, "addRows at " + j);
      }
    }
  }

  /** Rows around the four that a kernel takes at a time. */
  @ParameterizedTest
  @MethodSource("lengths")
  void addProductHasTheBitsOfItsRows(int length) {
    int n = Math.min(length, Kernels.PANEL);
    for (int rows : new int[] {0, 1, 3, 4, 5, 9}) {
      int depth = 3;
      int ldb = Kernels.PANEL;
      int ldy = n + 5;
      Window a = Window.input(13, 1, Math.max(1, rows * depth));
      Window b = Window.input(14, 2, depth * ldb);
      Window y = Window.update(4, 3, Math.max(1, rows * ldy));
      Window expected = y.copy();
      KERNELS.addProduct(
          a.array(), a.at(), rows, depth, b.array(), b.at(), y.array(), y.at(), ldy, n);
      for (int i = 0; i < rows; i++) {
        SCALAR.addRows(
            a.array(),
            a.at() + i * depth,
            depth,
            b.array(),
            b.at(),
            ldb,
            expected.array(),
            expected.at() + i * ldy,
            n);
      }
      y.assertGuards("addProduct");
      y.assertSameBits(expected, "addProduct of " + rows + " rows");
    }
  }

  private static void addRows(
      Kernels kernels, Window factors, int count, Window rows, int ld, Window y, int n) {
    kernels.addRows(
        factors.array(), factors.at(), count, rows.array(), rows.at(), ld, y.array(), y.at(), n);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void siluIsXTimesSigmoid(int n) {
    checkBinary("silu", n, Kernels::silu, (x, _) -> x / (1 + Math.exp(-x)), 4 * EPS);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void geluIsXTimesTheNormalDistribution(int n) {
    Window x = Window.input(1, 1, n);
    Window y = Window.output(3, n);
    for (int i = 0; i < n; i++) {
      x.set(i, 6 * x.get(i));
    }
    Window scalar = y.copy();
    KERNELS.gelu(x.array(), x.at(), y.array(), y.at(), n);
    SCALAR.gelu(x.array(), x.at(), scalar.array(), scalar.at(), n);
    y.assertGuards("gelu");
    y.assertSameBits(scalar, "gelu");
    for (int i = 0; i < n; i++) {
      double v = x.get(i);
      double expected = v * 0.5 * (1 + Erf.of(v * Math.sqrt(0.5)));
      assertClose(expected, y.get(i), 4 * EPS * Math.abs(v), "gelu of " + v);
    }
  }

  @Test
  void theSpecialValuesOfSiluAndGeluAreTheSameAsTheScalarOnes() {
    int n = SPECIAL.length;
    float[] x = SPECIAL;
    float[] y = new float[n];
    float[] scalar = new float[n];
    KERNELS.silu(x, 0, y, 0, n);
    SCALAR.silu(x, 0, scalar, 0, n);
    for (int i = 0; i < n; i++) {
      assertSameBits(scalar[i], y[i], "silu of " + x[i]);
    }
    KERNELS.gelu(x, 0, y, 0, n);
    SCALAR.gelu(x, 0, scalar, 0, n);
    for (int i = 0; i < n; i++) {
      assertSameBits(scalar[i], y[i], "gelu of " + x[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void aKernelMayWriteOverItsInput(int n) {
    Window apart = Window.output(0, n);
    Window x = Window.input(7, 0, n);
    KERNELS.silu(x.array(), x.at(), apart.array(), apart.at(), n);
    KERNELS.silu(x.array(), x.at(), x.array(), x.at(), n);
    x.assertSameBits(apart, "silu in place");
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void scaleShiftIsAFusedMultiplyAdd(int n) {
    checkScaleShift("scaleShift", n, Kernels::scaleShift, v -> v);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void scaleShiftSiluIsScaleShiftThenSilu(int n) {
    checkScaleShift("scaleShiftSilu", n, Kernels::scaleShiftSilu, v -> v / (1 + Math.exp(-v)));
  }

  /** A kernel of four operands. */
  private interface ScaleShift {
    void run(
        Kernels kernels,
        float[] x,
        int xo,
        float[] scale,
        int so,
        float[] shift,
        int ho,
        float[] y,
        int yo,
        int n);
  }

  private static void checkScaleShift(
      String name, int n, ScaleShift kernel, DoubleUnaryOperator after) {
    Window x = Window.input(1, 1, n);
    Window scale = Window.input(2, 2, n);
    Window shift = Window.input(3, 3, n);
    Window y = Window.output(5, n);
    Window scalar = y.copy();
    kernel.run(
        KERNELS,
        x.array(),
        x.at(),
        scale.array(),
        scale.at(),
        shift.array(),
        shift.at(),
        y.array(),
        y.at(),
        n);
    kernel.run(
        SCALAR,
        x.array(),
        x.at(),
        scale.array(),
        scale.at(),
        shift.array(),
        shift.at(),
        scalar.array(),
        scalar.at(),
        n);
    y.assertGuards(name);
    y.assertSameBits(scalar, name);
    for (int i = 0; i < n; i++) {
      double product = (double) x.get(i) * scale.get(i);
      double expected = after.applyAsDouble(product + shift.get(i));
      double tolerance = 4 * EPS * (Math.abs(product) + Math.abs(shift.get(i)));
      assertClose(expected, y.get(i), tolerance, name + " at " + i);
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void columnSumsAndDeviationsRunDownTheColumns(int n) {
    for (int rows : new int[] {0, 1, 2, 7, 256}) {
      int ld = n + 3;
      Window x = Window.input(rows, 1, Math.max(0, rows * ld - 3));
      Window mean = Window.input(5, 2, n);
      Window sums = Window.output(3, n);
      Window deviations = Window.output(1, n);
      Window scalarSums = sums.copy();
      Window scalarDeviations = deviations.copy();
      columns(KERNELS, x, ld, rows, mean, sums, deviations);
      columns(SCALAR, x, ld, rows, mean, scalarSums, scalarDeviations);
      sums.assertGuards("columnSums");
      deviations.assertGuards("columnDeviations");
      sums.assertSameBits(scalarSums, "columnSums");
      deviations.assertSameBits(scalarDeviations, "columnDeviations");
      for (int j = 0; j < n; j++) {
        double sum = 0;
        double magnitude = 0;
        double squares = 0;
        for (int i = 0; i < rows; i++) {
          double v = x.get(i * ld + j);
          sum += v;
          magnitude += Math.abs(v);
          squares += (v - mean.get(j)) * (v - mean.get(j));
        }
        assertClose(sum, sums.get(j), rows * EPS * magnitude, "columnSums at " + j);
        assertClose(
            squares, deviations.get(j), (rows + 4) * EPS * squares, "columnDeviations at " + j);
      }
    }
  }

  private static void columns(
      Kernels kernels, Window x, int ld, int rows, Window mean, Window sums, Window deviations) {
    kernels.columnSums(x.array(), x.at(), ld, rows, sums.array(), sums.at(), sums.length());
    kernels.columnDeviations(
        x.array(),
        x.at(),
        ld,
        rows,
        mean.array(),
        mean.at(),
        deviations.array(),
        deviations.at(),
        deviations.length());
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void sumAndDeviationOfARowRunInSixteenLanes(int n) {
    Window x = Window.input(1, 3, n);
    float mean = 0.1f;
    float[] lanes = new float[Kernels.SUM_LANES];
    Arrays.fill(lanes, Float.NaN);
    double sum = KERNELS.sum(x.array(), x.at(), n, lanes);
    assertClose(SCALAR.sum(x.array(), x.at(), n, new float[Kernels.SUM_LANES]), sum, 0, "sum");
    Arrays.fill(lanes, Float.NaN);
    double squares = KERNELS.deviation(x.array(), x.at(), mean, n, lanes);
    assertClose(
        SCALAR.deviation(x.array(), x.at(), mean, n, new float[Kernels.SUM_LANES]),
        squares,
        0,
        "deviation");
    double expectedSum = 0;
    double magnitude = 0;
    double expectedSquares = 0;
    for (int i = 0; i < n; i++) {
      double v = x.get(i);
      expectedSum += v;
      magnitude += Math.abs(v);
      expectedSquares += (v - mean) * (v - mean);
    }
    int chain = n / Kernels.SUM_LANES + 2;
    assertClose(expectedSum, sum, chain * EPS * magnitude, "sum");
    assertClose(expectedSquares, squares, (chain + 4) * EPS * expectedSquares, "deviation");
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void normalizeAndRmsNormalizeAreTheirFormulas(int n) {
    Window x = Window.input(1, 3, n);
    float[] scale = Values.random(2, n);
    float[] shift = Values.random(3, n);
    float mean = 0.25f;
    float inverse = 1.7f;
    Window y = Window.output(1, n);
    Window scalar = y.copy();
    KERNELS.normalize(x.array(), x.at(), mean, inverse, scale, shift, y.array(), y.at(), n);
    SCALAR.normalize(
        x.array(), x.at(), mean, inverse, scale, shift, scalar.array(), scalar.at(), n);
    y.assertGuards("normalize");
    y.assertSameBits(scalar, "normalize");
    for (int i = 0; i < n; i++) {
      double product = ((double) x.get(i) - mean) * inverse * scale[i];
      double tolerance = 4 * EPS * (Math.abs(product) + Math.abs(shift[i]));
      assertClose(product + shift[i], y.get(i), tolerance, "normalize at " + i);
    }
    y = Window.output(3, n);
    scalar = y.copy();
    KERNELS.rmsNormalize(x.array(), x.at(), inverse, scale, y.array(), y.at(), n);
    SCALAR.rmsNormalize(x.array(), x.at(), inverse, scale, scalar.array(), scalar.at(), n);
    y.assertGuards("rmsNormalize");
    y.assertSameBits(scalar, "rmsNormalize");
    for (int i = 0; i < n; i++) {
      double expected = (double) x.get(i) * inverse * scale[i];
      assertClose(expected, y.get(i), 3 * EPS * Math.abs(expected), "rmsNormalize at " + i);
    }
  }

  @Test
  void transposeMovesEachValueAndTouchesNoOther() {
    for (int rows : new int[] {0, 1, 7, 8, 9, 16, 17}) {
      for (int kc : new int[] {0, 1, 5, 16, 33}) {
        int ldx = kc + 2;
        int ldy = rows + 3;
        Window x = Window.input(rows, 1, rows * ldx);
        Window y = Window.output(3, kc * ldy);
        KERNELS.transpose(x.array(), x.at(), ldx, rows, kc, y.array(), y.at(), ldy);
        y.assertGuards("transpose");
        for (int k = 0; k < kc; k++) {
          for (int i = 0; i < ldy; i++) {
            if (i < rows) {
              assertSameBits(x.get(i * ldx + k), y.get(k * ldy + i), "transpose");
            } else {
              y.assertUntouched(k * ldy + i, "transpose");
            }
          }
        }
      }
    }
  }

  @Test
  void softmaxBlockMovesTheRunningMaximumAndSumOn() {
    for (int n : new int[] {KERNELS.microKernel().lanes(), KERNELS.microKernel().columns()}) {
      for (int keys : new int[] {1, 2, 7, 120}) {
        checkSoftmax(n, keys, 1);
        checkSoftmax(n, keys, 40);
      }
    }
  }

  private static void checkSoftmax(int n, int keys, float spread) {
    float[] scores = Values.random(1, keys * n);
    for (int i = 0; i < keys * n; i++) {
      scores[i] *= spread;
    }
    float[] weights = new float[keys * n + 9]; // the panel begins at 0; what follows it is guarded
    Arrays.fill(weights, GUARD);
    int mo = 3;
    float[] max = new float[mo + n];
    Arrays.fill(max, mo, mo + n, -Float.MAX_VALUE);
    float[] sum = new float[mo + n];
    for (int j = 1; j < n; j += 2) { // every other column has seen a block before
      max[mo + j] = spread / 2;
      sum[mo + j] = 3;
    }
    float[] correction = new float[n];
    float[] oldMax = max.clone();
    float[] oldSum = sum.clone();
    float[] scalarWeights = weights.clone();
    float[] scalarMax = max.clone();
    float[] scalarSum = sum.clone();
    float[] scalarCorrection = correction.clone();
    MemorySegment panel = MemorySegment.ofArray(weights);
    KERNELS.softmaxBlock(scores, keys, n, max, sum, mo, correction, panel);
    panel = MemorySegment.ofArray(scalarWeights);
    SCALAR.softmaxBlock(scores, keys, n, scalarMax, scalarSum, mo, scalarCorrection, panel);
    for (int i = 0; i < weights.length; i++) {
      assertSameBits(scalarWeights[i], weights[i], "softmaxBlock at " + i);
      if (i >= keys * n) {
        assertSameBits(GUARD, weights[i], "softmaxBlock wrote outside its block");
      }
    }
    for (int j = 0; j < n; j++) {
      assertSameBits(scalarMax[mo + j], max[mo + j], "maximum");
      assertSameBits(scalarSum[mo + j], sum[mo + j], "sum");
      assertSameBits(scalarCorrection[j], correction[j], "correction");
      double m = oldMax[mo + j];
      for (int i = 0; i < keys; i++) {
        m = Math.max(m, scores[i * n + j]);
      }
      assertClose(m, max[mo + j], 0, "maximum");
      double c = Math.exp(oldMax[mo + j] - m);
      assertClose(c, correction[j], 4 * EPS * (1 + spread) * c + 1e-37, "correction");
      double total = oldSum[mo + j] * c;
      for (int i = 0; i < keys; i++) {
        double p = Math.exp(scores[i * n + j] - m);
        // The difference of the scores is rounded, so its error grows with their size.
        assertClose(p, weights[i * n + j], 4 * EPS * (1 + spread) * p + 1e-37, "weight");
        total += p;
      }
      assertClose(total, sum[mo + j], (keys + 4 * (1 + spread)) * EPS * total, "sum");
    }
  }

  @Test
  void scaleColumnsMultipliesEachColumnByItsFactor() {
    for (int n : new int[] {KERNELS.microKernel().lanes(), KERNELS.microKernel().columns()}) {
      for (int rows : new int[] {0, 1, 5}) {
        int xo = 2;
        float[] x = Values.random(1, xo + rows * n + 9);
        float[] before = x.clone();
        float[] factors = Values.random(2, n);
        KERNELS.scaleColumns(x, xo, rows, n, factors);
        for (int i = 0; i < x.length; i++) {
          boolean inside = i >= xo && i < xo + rows * n;
          float expected = inside ? before[i] * factors[(i - xo) % n] : before[i];
          assertSameBits(expected, x[i], "scaleColumns at " + i);
        }
      }
    }
  }

  // Winograd's transforms, F(4×4, 3×3) of points 0, ±1, ±2, ∞ (Lavin and Gray 2016)

  private static final double[][] INPUT = {
    {4, 0, -5, 0, 1, 0},
    {0, -4, -4, 1, 1, 0},
    {0, 4, -4, -1, 1, 0},
    {0, -2, -1, 2, 1, 0},
    {0, 2, -1, -2, 1, 0},
    {0, 4, 0, -5, 0, 1}
  };

  private static final double[][] OUTPUT = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}
  };

  private static final double[][] WEIGHT = {
    {1 / 4., 0, 0},
    {-1 / 6., -1 / 6., -1 / 6.},
    {-1 / 6., 1 / 6., -1 / 6.},
    {1 / 24., 1 / 12., 1 / 6.},
    {1 / 24., -1 / 12., 1 / 6.},
    {0, 0, 1}
  };

  /** A kernel that transforms vectors to vectors. */
  private interface Transform {
    void run(Kernels kernels, float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void winogradsTransformsAreTheirMatrices(int n) {
    checkTransform("winogradInput", n, INPUT, Kernels::winogradInput);
    checkTransform("winogradOutput", n, OUTPUT, Kernels::winogradOutput);
  }

  private static void checkTransform(String name, int n, double[][] matrix, Transform kernel) {
    int from = matrix[0].length;
    int ldx = n + 1;
    int ldy = n + 5;
    Window x = Window.input(1, 1, from * ldx);
    Window y = Window.output(3, matrix.length * ldy);
    Window scalar = y.copy();
    kernel.run(KERNELS, x.array(), x.at(), ldx, y.array(), y.at(), ldy, n);
    kernel.run(SCALAR, x.array(), x.at(), ldx, scalar.array(), scalar.at(), ldy, n);
    y.assertGuards(name);
    y.assertSameBits(scalar, name);
    for (int r = 0; r < matrix.length; r++) {
      for (int i = 0; i < ldy; i++) {
        if (i >= n) {
          y.assertUntouched(r * ldy + i, name);
          continue;
        }
        double expected = 0;
        double magnitude = 0;
        for (int q = 0; q < from; q++) {
          expected += matrix[r][q] * x.get(q * ldx + i);
          magnitude += Math.abs(matrix[r][q] * x.get(q * ldx + i));
        }
        assertClose(expected, y.get(r * ldy + i), 6 * EPS * magnitude, name + " row " + r);
      }
    }
  }

  @Test
  void winogradsWeightsAreTransformedDownAndAcross() {
    for (int n : new int[] {KERNELS.microKernel().lanes(), KERNELS.microKernel().columns()}) {
      for (int channels : new int[] {1, 3, 4}) {
        int row = channels * n;
        int plane = row + 7;
        Window u = Window.output(3, 36 * plane);
        Window scalar = u.copy();
        int go = 5;
        float[] g = Values.random(1, go + 9 * row);
        for (int r = 0; r < 6; r++) {
          Window half = Window.output(0, 3 * row);
          float[] scalarHalf = new float[3 * row];
          KERNELS.winogradWeightRow(r, g, go, channels, n, half.array(), half.at());
          SCALAR.winogradWeightRow(r, g, go, channels, n, scalarHalf, 0);
          half.assertGuards("winogradWeightRow");
          half.assertSameBits(new Window(scalarHalf, 0, 3 * row), "winogradWeightRow");
          int at = 6 * r * plane;
          KERNELS.winogradWeight(
              half.array(), half.at(), channels, n, u.panel(), u.at() + at, plane);
          SCALAR.winogradWeight(
              scalarHalf, 0, channels, n, scalar.panel(), scalar.at() + at, plane);
        }
        u.assertGuards("winogradWeight");
        u.assertSameBits(scalar, "winogradWeight");
        for (int p = 0; p < 36; p++) {
          for (int i = 0; i < plane; i++) {
            if (i >= row) {
              u.assertUntouched(p * plane + i, "winogradWeight");
              continue;
            }
            double expected = 0;
            double magnitude = 0;
            for (int tap = 0; tap < 9; tap++) {
              double factor = WEIGHT[p / 6][tap / 3] * WEIGHT[p % 6][tap % 3];
              double term = factor * g[go + (i / n * 9 + tap) * n + i % n];
              expected += term;
              magnitude += Math.abs(term);
            }
            String where = "winogradWeight, point %d at %d".formatted(p, i);
            assertClose(expected, u.get(p * plane + i), 12 * EPS * magnitude, where);
          }
        }
      }
    }
  }

  @Test
  void aMillionRandomBitPatternsGiveTheScalarBits() {
    int n = KERNELS.microKernel().lanes() == 16 ? 1 << 14 : 1 << 20; // 512 bits may be emulated
    Random random = new Random(99);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = Float.intBitsToFloat(random.nextInt());
    }
    float[] y = new float[n];
    float[] scalar = new float[n];
    KERNELS.silu(x, 0, y, 0, n);
    SCALAR.silu(x, 0, scalar, 0, n);
    for (int i = 0; i < n; i++) {
      assertSameBits(scalar[i], y[i], "silu of " + x[i]);
    }
    KERNELS.gelu(x, 0, y, 0, n);
    SCALAR.gelu(x, 0, scalar, 0, n);
    for (int i = 0; i < n; i++) {
      assertSameBits(scalar[i], y[i], "gelu of " + x[i]);
    }
  }
}
