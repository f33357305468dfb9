package io.github.kolors4j.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Attention;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import io.github.kolors4j.tensor.ops.Convolution;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import io.github.kolors4j.tensor.ops.MatMul;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

/** Operations in each precision against their definitions in double, on CPUs that have BF16. */
@ParameterizedClass(allowZeroInvocations = true)
@MethodSource("io.github.kolors4j.x86.TestedKernels#onThisCpu")
class PrecisionTest {
  /** Largest relative error of rounding to BF16, which has eight bits. */
  private static final double BF16 = 0x1p-9;

  /** Largest relative error of rounding to F32. */
  private static final double F32 = 0x1p-24;

  private static Bf16Kernel kernel;
  private static ThreadPool threads;

  @BeforeAll
  static void start() {
    threads = new ThreadPool(2);
  }

  @Parameter Bf16Kernel given;

  @BeforeEach
  void use() {
    kernel = given;
  }

  @AfterAll
  static void end() {
    if (threads != null) {
      threads.close();
    }
  }

  private static Workspace workspace(Precision precision) {
    return new Workspace(threads, Products.of(precision, kernel));
  }

  private static float[] random(long seed, int n) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return values;
  }

  private static Weight weight(long seed, DType dtype, int... dims) {
    Shape shape = Shape.of(dims);
    float[] values = random(seed, shape.size());
    if (dtype == DType.F32) {
      return Weight.of("w", shape, values);
    }
    short[] stored = new short[values.length];
    for (int i = 0; i < stored.length; i++) {
      stored[i] =
          dtype == DType.F16 ? Float.floatToFloat16(values[i]) : Bf16.bits(Bf16.round(values[i]));
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[2 * stored.length]);
    MemorySegment.copy(stored, 0, bytes, ValueLayout.JAVA_SHORT_UNALIGNED, 0, stored.length);
    return new StoredWeight("w", shape, dtype, bytes);
  }

  /**
   * What a term of magnitude 1 may be off by: both operands rounded to BF16; or, of pieces, the
   * products that are left out, each below 2⁻²⁴, and as many roundings of sums as there are terms.
   */
  private static double unit(Precision precision, int terms) {
    return (precision == Precision.BF16 ? 2.01 * BF16 : 8 * F32) + 6 * terms * F32;
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void aLinearLayerIsItsDefinition(Precision precision) {
    for (DType dtype : DType.values()) {
      for (int[] extents :
          new int[][] {{1, 1, 1}, {7, 65, 33}, {13, 130, 700}, {200, 33, 64}, {5, 3, 2600}}) {
        checkLinear(precision, dtype, extents[0], extents[1], extents[2]);
      }
    }
  }

  private static void checkLinear(Precision precision, DType dtype, int m, int n, int k) {
    try (Workspace workspace = workspace(precision)) {
      float[] x = random(1, m * k);
      Weight w = weight(2, dtype, n, k);
      Weight bias = weight(3, DType.F32, n);
      float[] added = random(4, m * n);
      Tensor y = MatMul.linear(workspace.copyOf(x, m, k), w, bias, workspace.copyOf(added, m, n));
      float[] weights = w.toFloats();
      float[] shift = bias.toFloats();
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double sum = shift[j] + (double) added[i * n + j];
          double magnitude = Math.abs(sum);
          for (int q = 0; q < k; q++) {
            double term = (double) x[i * k + q] * weights[j * k + q];
            sum += term;
            magnitude += Math.abs(term);
          }
          double error = Math.abs(sum - y.data()[i * n + j]);
          double bound = unit(precision, k) * magnitude;
          assertTrue(
              error <= bound,
              () -> "%s %s %d×%d×%d: %g".formatted(precision, dtype, m, n, k, error / bound));
        }
      }
    }
  }

  /** GEGLU in F32 of what the linear layer gives: no product of its own is in the gate. */
  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void gatesAreAppliedInF32ToTheProducts(Precision precision) {
    int m = 70;
    int n = 100;
    int k = 96;
    try (Workspace workspace = workspace(precision)) {
      Tensor x = workspace.copyOf(random(1, m * k), m, k);
      for (int i = 0; i < m * k; i++) {
        x.data()[i] /= 4; // small enough for the series
      }
      Weight w = weight(2, DType.F16, 2 * n, k);
      Weight bias = weight(3, DType.F16, 2 * n);
      float[] both = MatMul.linear(x, w, bias).toArray();
      float[] y = MatMul.linearGeglu(x, w, bias).toArray();
      float[] swiglu = MatMul.linearSwiglu(x, w, bias).toArray();
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double first = both[i * 2 * n + j];
          double second = both[i * 2 * n + n + j];
          double gelu = first * second * 0.5 * (1 + erf(second / Math.sqrt(2)));
          double silu = second * first / (1 + Math.exp(-first));
          assertEquals(gelu, y[i * n + j], 1e-5 * (1 + Math.abs(gelu)));
          assertEquals(silu, swiglu[i * n + j], 1e-5 * (1 + Math.abs(silu)));
        }
      }
    }
  }

  /** By its series, which is exact enough for |x| below 5. */
  private static double erf(double x) {
    double sum = 0;
    double term = x;
    for (int i = 0; Math.abs(term) > 1e-17 * Math.abs(x) || i < 2 * x * x; i++) {
      sum += term / (2 * i + 1);
      term *= -x * x / (i + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  /** Of stride 2, and beside AMX of stride 1 too, where it is a product and not Winograd's. */
  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void aConvolutionIsItsDefinition(Precision precision) {
    checkConvolution(precision, 2);
    if (kernel.speedup() == AmxKernel.SPEEDUP) {
      checkConvolution(precision, 1);
    }
  }

  private static void checkConvolution(Precision precision, int stride) {
    int size = 9;
    int in = 20;
    int out = 18;
    try (Workspace workspace = workspace(precision)) {
      float[] x = random(1, 2 * size * size * in);
      Weight w = weight(2, DType.F16, out, in, 3, 3);
      float[] weights = w.toFloats();
      Tensor y =
          Convolution.conv2d(
              workspace.copyOf(x, 2, size, size, in), w, null, new Geometry(stride, 1));
      int across = (size - 1) / stride + 1;
      for (int at = 0; at < 2 * across * across * out; at++) {
        int o = at % out;
        int left = at / out % across * stride - 1;
        int top = at / out / across % across * stride - 1;
        int sample = at / out / across / across;
        double sum = 0;
        double magnitude = 0;
        for (int tap = 0; tap < 9; tap++) {
          int iy = top + tap / 3;
          int ix = left + tap % 3;
          for (int c = 0; c < in && iy >= 0 && iy < size && ix >= 0 && ix < size; c++) {
            double term =
                (double) x[((sample * size + iy) * size + ix) * in + c]
                    * weights[(o * in + c) * 9 + tap];
            sum += term;
            magnitude += Math.abs(term);
          }
        }
        assertEquals(sum, y.data()[at], unit(precision, 9 * in) * magnitude);
      }
    }
  }

  /**
   * Scores are off by at most {@code e = unit · Σ|q·k| / √d}, so weights by a factor of {@code
   * exp(±2e)}; weights and values are rounded once more.
   */
  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void attentionIsItsDefinition(Precision precision) {
    checkAttention(precision, 1, 1, Heads.of(1, 8), false);
    checkAttention(precision, 70, 33, Heads.of(2, 40), false);
    checkAttention(precision, 65, 129, new Heads(4, 2, 64), true);
    checkAttention(precision, 130, 300, Heads.of(1, 20), true);
  }

  private static void checkAttention(
      Precision precision, int sq, int sk, Heads heads, boolean masked) {
    int n = 2;
    int d = heads.dHead();
    int qWidth = heads.heads() * d;
    int kWidth = heads.kvHeads() * d;
    float[] q = random(1, n * sq * qWidth);
    float[] k = random(2, n * sk * kWidth);
    float[] v = random(3, n * sk * kWidth);
    float[] mask = new float[n * sq * sk];
    Random random = new Random(4);
    for (int i = 0; masked && i < mask.length; i++) {
      mask[i] = i % sk != 0 && random.nextBoolean() ? Float.NEGATIVE_INFINITY : 0;
    }
    try (Workspace workspace = workspace(precision)) {
      Tensor y =
          Attention.scaledDotProduct(
              workspace.copyOf(q, n, sq, qWidth),
              workspace.copyOf(k, n, sk, kWidth),
              workspace.copyOf(v, n, sk, kWidth),
              heads,
              masked ? workspace.copyOf(mask, n, sq, sk) : null);
      double largestError = unit(precision, d) * d / Math.sqrt(d);
      double bound = Math.expm1(2 * largestError) + unit(precision, sk) + 40 * F32;
      for (int row = 0; row < n * sq; row++) {
        for (int head = 0; head < heads.heads(); head++) {
          int kvHead = head / (heads.heads() / heads.kvHeads());
          double[] weights = new double[sk];
          double sum = 0;
          for (int j = 0; j < sk; j++) {
            double score = 0;
            for (int c = 0; c < d; c++) {
              score +=
                  (double) q[row * qWidth + head * d + c]
                      * k[(row / sq * sk + j) * kWidth + kvHead * d + c];
            }
            weights[j] = Math.exp(score / Math.sqrt(d) + mask[row * sk + j]);
            sum += weights[j];
          }
          for (int c = 0; c < d; c++) {
            double expected = 0;
            for (int j = 0; j < sk; j++) {
              expected += weights[j] / sum * v[(row / sq * sk + j) * kWidth + kvHead * d + c];
            }
            assertEquals(expected, y.data()[row * qWidth + head * d + c], bound);
          }
        }
      }
    }
  }

  /** Strips, groups and tasks follow the number of threads; results do not. */
  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void anyNumberOfThreadsGivesTheSameBytes(Precision precision) {
    Weight w = weight(2, DType.F16, 700, 2700);
    Weight kernels = weight(2, DType.F16, 70, 40, 3, 3);
    float[] x = random(1, 230 * 2700);
    Function<Workspace, Tensor> linear =
        workspace -> MatMul.linear(workspace.copyOf(x, 230, 2700), w, null);
    Function<Workspace, Tensor> gated =
        workspace -> MatMul.linearGeglu(workspace.copyOf(x, 230, 2700), w, null);
    Function<Workspace, Tensor> attention =
        workspace -> {
          Tensor q = workspace.copyOf(random(3, 300 * 128), 1, 300, 128);
          return Attention.scaledDotProduct(q, q, q, Heads.of(2, 64), null);
        };
    Function<Workspace, Tensor> convolution =
        workspace ->
            Convolution.conv2d(
                workspace.copyOf(random(5, 31 * 33 * 40), 1, 31, 33, 40),
                kernels,
                null,
                new Geometry(2, 1));
    assertSameBytes(precision, linear);
    assertSameBytes(precision, gated);
    assertSameBytes(precision, attention);
    assertSameBytes(precision, convolution);
  }

  private static void assertSameBytes(Precision precision, Function<Workspace, Tensor> operation) {
    float[] first = null;
    for (int count : new int[] {1, 2, 3, 7}) {
      try (ThreadPool pool = new ThreadPool(count);
          Workspace workspace = new Workspace(pool, Products.of(precision, kernel))) {
        float[] result = operation.apply(workspace).toArray();
        first = first == null ? result : first;
        assertArrayEquals(first, result, count + " threads");
      }
    }
  }

  @Test
  void theProviderIsFoundAsAService() {
    assertSame(Precision.BF16, Products.of(Precision.BF16).precision());
    assertSame(Products.F32, Products.of(Precision.F32));
  }
}
