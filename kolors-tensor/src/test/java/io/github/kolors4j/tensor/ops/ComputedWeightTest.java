package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.LowRankWeight;
import io.github.kolors4j.tensor.ScaledInt8Weight;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Weights that are computed when they are read, of kinds that the library does not know: every
 * operation gives the bits that the same values give as stored F32.
 */
class ComputedWeightTest {
  private static final int RANK = 3;

  private static ThreadPool threads;

  @BeforeAll
  static void start() {
    threads = new ThreadPool(2);
  }

  @AfterAll
  static void end() {
    threads.close();
  }

  private static ScaledInt8Weight int8(long seed, int... dims) {
    Shape shape = Shape.of(dims);
    byte[] values = new byte[shape.size()];
    new Random(seed).nextBytes(values);
    return new ScaledInt8Weight("q" + seed, shape, values, random(seed, Math.max(1, dims[0])));
  }

  private static LowRankWeight lowRank(Weight base, long seed, DType dtype) {
    return new LowRankWeight(
        base,
        weight(seed, dtype, RANK, base.rowLength()),
        weight(seed + 1, dtype, base.rows(), RANK),
        0.3f);
  }

  /** An adapter over an adapter over integers; what the second adds is itself such a weight. */
  private static LowRankWeight computed(long seed, int... dims) {
    LowRankWeight first = lowRank(int8(seed, dims), seed + 10, DType.F16);
    Weight down = lowRank(int8(seed + 20, RANK, first.rowLength()), seed + 30, DType.F32);
    Weight up = lowRank(weight(seed + 40, first.rows(), RANK), seed + 50, DType.BF16);
    return new LowRankWeight(first, down, up, -0.7f);
  }

  /** The values of such a weight by its definition, one after the other. */
  private static float[] values(Weight weight) {
    if (!(weight instanceof LowRankWeight sum)) {
      return weight.toFloats();
    }
    float[] values = values(sum.base());
    float[] down = values(sum.down());
    float[] up = values(sum.up());
    int length = sum.rowLength();
    for (int i = 0; i < values.length; i++) {
      for (int r = 0; r < RANK; r++) {
        float factor = sum.scale() * up[i / length * RANK + r];
        values[i] = Math.fma(factor, down[r * length + i % length], values[i]);
      }
    }
    return values;
  }

  private static Weight stored(Weight weight) {
    return Weight.of(weight.name(), weight.shape(), values(weight));
  }

  /** Runs an operation with a weight as it is, and with its values stored as F32. */
  private static void check(Weight weight, Function<Weight, Function<Workspace, Tensor>> run) {
    try (Workspace workspace = new Workspace(threads)) {
      assertArrayEquals(
          run.apply(stored(weight)).apply(workspace).toArray(),
          run.apply(weight).apply(workspace).toArray(),
          weight.toString());
    }
  }

  private static Tensor x(Workspace workspace, int... dims) {
    return workspace.copyOf(random(9, Shape.of(dims).size()), dims);
  }

  @Test
  void itsValuesAreItsDefinition() {
    for (Weight weight :
        new Weight[] {computed(1, 7, 1300), computed(1, 40), int8(1, 5, 4, 3, 3)}) {
      assertArrayEquals(values(weight), weight.toFloats(), weight.toString());
    }
    assertEquals(
        -128 * 0.5f,
        new ScaledInt8Weight("q", Shape.of(1), new byte[] {-128}, new float[] {0.5f})
            .toFloats()[0]);
  }

  /** Columns of one panel and of several, k of one run, of several and of more than one part. */
  @ParameterizedTest
  @CsvSource({"5,7,3", "70,130,641", "33,65,1300", "200,70,256"})
  void linearLayersTakeIt(int m, int n, int k) {
    Weight bias = computed(5, n);
    Weight wide = computed(6, 2 * n);
    check(computed(1, n, k), w -> space -> MatMul.linear(x(space, m, k), w, bias));
    check(bias, b -> space -> MatMul.linear(x(space, m, k), weight(1, n, k), b, x(space, m, n)));
    check(computed(1, 2 * n, k), w -> space -> MatMul.linearGeglu(x(space, m, k), w, wide));
    check(computed(1, 2 * n, k), w -> space -> MatMul.linearSwiglu(x(space, m, k), w, null));
    check(wide, b -> space -> MatMul.linearSwiglu(x(space, m, k), weight(1, 2 * n, k), b));
  }

  /**
   * Directly: 1×1, 3×3 with a stride, 5×5. By Winograd: many columns and few tiles, the reverse.
   */
  @ParameterizedTest
  @CsvSource({
    "6,5,20,21,1,1,0",
    "6,5,20,21,3,2,1",
    "7,6,4,5,5,1,2",
    "6,5,300,70,3,1,1",
    "21,22,16,17,3,1,1",
    "21,40,530,18,3,1,1"
  })
  void convolutionsTakeIt(int h, int w, int in, int out, int k, int stride, int padding) {
    Geometry geometry = new Geometry(stride, padding);
    Weight bias = computed(5, out);
    check(
        computed(1, out, in, k, k),
        kernel -> space -> Convolution.conv2d(x(space, 1, h, w, in), kernel, bias, geometry));
    check(
        bias,
        b ->
            space ->
                Convolution.conv2d(x(space, 1, h, w, in), weight(1, out, in, k, k), b, geometry));
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 40})
  void normsTakeIt(int c) {
    Weight other = weight(2, c);
    check(computed(1, c), w -> space -> Normalization.layerNorm(x(space, 3, c), 1e-5f, w, other));
    check(computed(1, c), w -> space -> Normalization.layerNorm(x(space, 3, c), 1e-5f, other, w));
    check(computed(1, c), w -> space -> Normalization.rmsNorm(x(space, 3, c), 1e-5f, w));
    check(
        computed(1, c),
        w -> space -> Normalization.groupNorm(x(space, 2, 3, 3, c), 4, 1e-5f, w, other));
    check(
        computed(1, c),
        w -> space -> Normalization.groupNormSilu(x(space, 2, 3, 3, c), 4, 1e-5f, other, w));
  }

  @Test
  void embeddingsTakeIt() {
    int[][] ids = {{0, 10, 3}, {3, 3, 5}};
    check(computed(1, 11, 40), table -> space -> Embedding.lookup(space, table, ids));
  }
}
