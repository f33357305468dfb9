package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Linear layers against their definition in double. */
class MatMulTest {
  private static ThreadPool threads;

  private Workspace workspace;

  @BeforeAll
  static void start() {
    threads = new ThreadPool(2);
  }

  @AfterAll
  static void end() {
    threads.close();
  }

  @BeforeEach
  void open() {
    workspace = new Workspace(threads);
  }

  @AfterEach
  void close() {
    workspace.close();
  }

  /** The definition: values, and the sums of magnitudes that their errors grow with. */
  private static double[][] linear(float[] x, float[] w, float[] bias, int m, int n, int k) {
    double[] y = new double[m * n];
    double[] magnitude = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = bias == null ? 0 : bias[j];
        double total = Math.abs(sum);
        for (int q = 0; q < k; q++) {
          double term = (double) x[i * k + q] * w[j * k + q];
          sum += term;
          total += Math.abs(term);
        }
        y[i * n + j] = sum;
        magnitude[i * n + j] = total;
      }
    }
    return new double[][] {y, magnitude};
  }

  private void check(int m, int n, int k, DType dtype, boolean biased, boolean added) {
    Tensor x = workspace.copyOf(random(1, m * k), m, k);
    Weight w = weight(2, dtype, n, k);
    Weight bias = biased ? weight(3, dtype, n) : null;
    Tensor residual = added ? workspace.copyOf(random(4, m * n), m, n) : null;
    float[] before = x.toArray();
    Tensor y = MatMul.linear(x, w, bias, residual);
    assertEquals(Shape.of(m, n), y.shape());
    assertArrayEquals(before, x.toArray());
    double[][] expected = linear(before, w.toFloats(), biased ? bias.toFloats() : null, m, n, k);
    String where = "%d × %d × %d %s".formatted(m, n, k, dtype);
    for (int i = 0; i < m * n; i++) {
      double more = added ? residual.data()[i] : 0;
      double tolerance = (k + 3) * EPS * (expected[1][i] + Math.abs(more));
      assertClose(expected[0][i] + more, y.data()[i], tolerance, where, i);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 6, 7, 64, 65, 97, 130})
  void everySizeAroundTheTilesIsTheDefinition(int n) {
    for (int m : new int[] {1, 2, 5, 6, 7, 13, 97}) {
      for (int k : new int[] {1, 2, 7, 65}) {
        check(m, n, k, DType.F32, false, false);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {255, 256, 257, 513})
  void longSumsGoInSeveralBlocks(int k) {
    check(7, 65, k, DType.F32, true, true);
    check(1, 130, k, DType.F16, true, false);
  }

  @ParameterizedTest
  @ValueSource(ints = {191, 192, 193, 400})
  void longSumsOfManyRowsGoStripByStrip(int m) {
    check(m, 81, 513, DType.F16, true, true);
    check(m, 66, 257, DType.F32, false, false);
  }

  @Test
  void manyColumnsGoInMoreGroupsThanAreKept() {
    check(13, 2700, 20, DType.F16, true, true);
    gegluIsPutTogetherFromParts(13, 1350, 20, true);
  }

  @Test
  void sumsLongerThanAStripIsDeepContinueWhereTheyWere() {
    check(9, 70, 1290, DType.F16, true, true);
    check(100, 20, 2600, DType.F32, false, true);
    gegluIsPutTogetherFromParts(9, 70, 1290, true);
  }

  @Test
  void whatTheRowsThatFillUpATileHoldGoesNowhere() {
    try (ThreadPool one = new ThreadPool(1);
        Workspace own = new Workspace(one)) {
      float[] nan = new float[12 * 300];
      Arrays.fill(nan, Float.NaN);
      Weight w = weight(2, 70, 300);
      MatMul.linear(own.copyOf(nan, 12, 300), w, null);
      float[] x = random(1, 7 * 300);
      Tensor expected = MatMul.linear(workspace.copyOf(x, 7, 300), w, null);
      Tensor y = MatMul.linear(own.copyOf(x, 7, 300), w, null);
      assertArrayEquals(expected.toArray(), y.toArray());
    }
  }

  @ParameterizedTest
  @EnumSource
  void weightsOfEachTypeAreDecoded(DType dtype) {
    check(13, 97, 65, dtype, true, false);
    check(2, 5, 300, dtype, true, true);
  }

  @Test
  void biasAndResidualAreEachOptional() {
    check(7, 33, 17, DType.F32, false, false);
    check(7, 33, 17, DType.F32, true, false);
    check(7, 33, 17, DType.F32, false, true);
    check(7, 33, 17, DType.F32, true, true);
  }

  @Test
  @Tag("large")
  void manyRowsAndColumnsAreSplitOverTheThreads() {
    check(1700, 130, 33, DType.F16, true, true);
    check(3, 1290, 40, DType.BF16, true, false);
    check(130, 700, 270, DType.F32, false, false);
  }

  @Test
  void theOuterExtentsAreKept() {
    Tensor x = workspace.copyOf(random(1, 2 * 3 * 4 * 5), 2, 3, 4, 5);
    Tensor y = MatMul.linear(x, weight(2, 7, 5), null);
    assertEquals(Shape.of(2, 3, 4, 7), y.shape());
    Tensor rows = MatMul.linear(x.reshape(24, 5), weight(2, 7, 5), null);
    assertArrayEquals(rows.toArray(), y.toArray());
  }

  @Test
  void aOneByOneKernelIsALinearLayer() {
    Tensor x = workspace.copyOf(random(1, 30), 6, 5);
    Weight flat = weight(2, 7, 5);
    Weight kernel = Weight.of("kernel", Shape.of(7, 5, 1, 1), flat.toFloats());
    assertArrayEquals(
        MatMul.linear(x, flat, null).toArray(), MatMul.linear(x, kernel, null).toArray());
  }

  @Test
  void noRowsGiveNoRows() {
    Tensor x = workspace.tensor(0, 5);
    assertEquals(Shape.of(0, 7), MatMul.linear(x, weight(2, 7, 5), weight(3, 7)).shape());
    assertEquals(Shape.of(0, 3), MatMul.linearSwiglu(x, weight(2, 6, 5), null).shape());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 65, 130})
  void gegluGatesTheFirstHalfByGeluOfTheSecond(int n) {
    for (int m : new int[] {1, 7, 100}) {
      for (boolean biased : new boolean[] {true, false}) {
        gegluIsPutTogetherFromParts(m, n, 40, biased);
      }
    }
  }

  /** The gate itself has tests of its own. */
  private void gegluIsPutTogetherFromParts(int m, int n, int k, boolean biased) {
    Tensor x = workspace.copyOf(random(1, m * k), m, k);
    Weight w = weight(2, DType.F16, 2 * n, k);
    Weight bias = biased ? weight(3, 2 * n) : null;
    Tensor y = MatMul.linearGeglu(x, w, bias);
    assertEquals(Shape.of(m, n), y.shape());
    Tensor both = MatMul.linear(x, w, bias);
    Tensor expected =
        Elementwise.multiply(
            Elementwise.slice(both, 0, n), Activation.gelu(Elementwise.slice(both, n, 2 * n)));
    assertArrayEquals(expected.toArray(), y.toArray());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 65, 130})
  void swigluGatesTheSecondHalfBySiluOfTheFirst(int n) {
    for (int m : new int[] {1, 7, 100, 200}) {
      int k = 300;
      Tensor x = workspace.copyOf(random(1, m * k), m, k);
      Weight w = weight(2, DType.BF16, 2 * n, k);
      Tensor y = MatMul.linearSwiglu(x, w, null);
      double[][] both = linear(x.toArray(), w.toFloats(), null, m, 2 * n, k);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          int first = i * 2 * n + j;
          double gate = both[0][first];
          double value = both[0][first + n];
          double tolerance = k * EPS * (both[1][first] * Math.abs(value) * 1.1);
          tolerance += k * EPS * (both[1][first + n] * Math.abs(gate) + Math.abs(gate * value));
          assertClose(
              gate / (1 + Math.exp(-gate)) * value, y.data()[i * n + j], tolerance, "swiglu");
        }
      }
    }
  }

  // Shapes that do not fit

  @Test
  void anInputOfAnotherWidthIsRefused() {
    Tensor x = workspace.tensor(2, 6);
    Refused.with(
        "[matmul] x is [2, 6] and the weight w2 F32 [7, 5]: the innermost extent of x must be the"
            + " weight's second.",
        () -> MatMul.linear(x, weight(2, 7, 5), null));
    Refused.with(
        "[matmul] x is [2, 6] and the weight w2 F32 [8, 5]: the innermost extent of x must be the"
            + " weight's second.",
        () -> MatMul.linearGeglu(x, weight(2, 8, 5), null));
  }

  @Test
  void aWeightThatIsNoMatrixIsRefused() {
    Tensor x = workspace.tensor(2, 6);
    Refused.with(
        "[matmul] x is [2, 6] and the weight w2 F32 [6]: the innermost extent of x must be the"
            + " weight's second.",
        () -> MatMul.linear(x, weight(2, 6), null));
    Refused.with(
        "[matmul] x is [2, 6] and the weight w2 F32 [6, 6, 3, 3]: the innermost extent of x must be"
            + " the weight's second.",
        () -> MatMul.linear(x, weight(2, 6, 6, 3, 3), null));
  }

  @Test
  void aBiasOfAnotherLengthIsRefused() {
    Tensor x = workspace.tensor(2, 5);
    Refused.with(
        "[matmul] w3 F32 [6] must be [7].", () -> MatMul.linear(x, weight(2, 7, 5), weight(3, 6)));
    Refused.with(
        "[matmul] w3 F32 [7, 1] must be [7].",
        () -> MatMul.linear(x, weight(2, 7, 5), weight(3, 7, 1)));
    Refused.with(
        "[matmul] w3 F32 [4] must be [8].",
        () -> MatMul.linearSwiglu(x, weight(2, 8, 5), weight(3, 4)));
  }

  @Test
  void aResidualOfAnotherShapeIsRefused() {
    Tensor x = workspace.tensor(2, 5);
    Tensor residual = workspace.tensor(7, 2);
    Refused.with(
        "[matmul] residual is [7, 2] and must be [2, 7].",
        () -> MatMul.linear(x, weight(2, 7, 5), null, residual));
  }

  @Test
  void aGatedWeightWithAnOddNumberOfRowsIsRefused() {
    Tensor x = workspace.tensor(2, 5);
    Refused.with(
        "[matmul] the weight w2 F32 [7, 5] has an odd number of rows: values and gates take half"
            + " each.",
        () -> MatMul.linearGeglu(x, weight(2, 7, 5), null));
  }
}
