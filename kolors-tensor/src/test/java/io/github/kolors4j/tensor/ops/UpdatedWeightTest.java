package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import java.util.Arrays;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers whose weights have updates of low rank, which they may leave apart. */
class UpdatedWeightTest {
  private static final BiFunction<Tensor, Weight, Tensor> LINEAR =
      (x, weight) -> MatMul.linear(x, weight, null);

  private static Weight updated(Weight base, int rank, long seed) {
    float[] down = random(seed, rank * base.rowLength());
    float[] up = random(seed + 1, base.rows() * rank);
    return new UpdatedWeight(base, new LowRank(rank, down, up).times(0.5f));
  }

  /** An update over another one, of another rank. */
  private static Weight twice(int n, int k, int rank) {
    return updated(updated(weight(1, DType.F16, n, k), rank, 2), 3, 4);
  }

  private static Weight stored(Weight weight) {
    return Weight.of(weight.name(), weight.shape(), weight.toFloats());
  }

  private static float[] run(
      int threads, Weight weight, BiFunction<Tensor, Weight, Tensor> layer, int... dims) {
    try (ThreadPool pool = new ThreadPool(threads);
        Workspace workspace = new Workspace(pool)) {
      int size = Arrays.stream(dims).reduce(1, (a, b) -> a * b);
      return layer.apply(workspace.copyOf(random(9, size), dims), weight).toArray();
    }
  }

  /**
   * Few rows, so that updates stay apart: k below a part of the product and beyond it, with ranks
   * that are taken along with the last part and one that makes a part of its own.
   */
  @ParameterizedTest
  @CsvSource({"70,33,1", "130,640,16", "65,1280,5", "64,1281,128", "20,1280,140"})
  void theResultIsThatOfTheSumsWithinTheRoundingOfF32(int n, int k, int rank) {
    Weight weight = twice(n, k, rank);
    float[] w = weight.toFloats();
    float[] x = random(9, 3 * k);
    float[] actual = run(2, weight, LINEAR, 3, 1, k);
    for (int i = 0; i < 3 * n; i++) {
      double expected = 0;
      double size = 0;
      for (int j = 0; j < k; j++) {
        double product = (double) x[i / n * k + j] * w[i % n * k + j];
        expected += product;
        size += Math.abs(product);
      }
      // what cancels in the sums does not where they are apart: the updates are as large
      assertClose(expected, actual[i], 4 * Math.sqrt(k) * EPS * size, weight, i);
    }
  }

  @ParameterizedTest
  @CsvSource({"1,4", "2,8"})
  void gatesHaveTheUpdateToo(int samples, int rows) {
    Weight weight = twice(160, 1300, 7);
    for (BiFunction<Tensor, Weight, Tensor> layer :
        Arrays.<BiFunction<Tensor, Weight, Tensor>>asList(
            (x, w) -> MatMul.linearGeglu(x, w, null), (x, w) -> MatMul.linearSwiglu(x, w, null))) {
      float[] expected = run(2, stored(weight), layer, samples, rows, 1300);
      float[] actual = run(2, weight, layer, samples, rows, 1300);
      double largest = 0;
      for (float value : expected) {
        largest = Math.max(largest, Math.abs(value));
      }
      for (int i = 0; i < expected.length; i++) {
        assertClose(expected[i], actual[i], 1e-4 * largest, weight, i);
      }
    }
  }

  /** 40 rows of two samples are more than the 40 outputs. */
  @Test
  void whereTheSumsAreFewerOperationsTheyAreMadeToTheBit() {
    Weight weight = twice(40, 60, 5);
    assertArrayEquals(run(2, stored(weight), LINEAR, 2, 40, 60), run(2, weight, LINEAR, 2, 40, 60));
  }

  /** Rows of a sample just below and just above what decides. */
  @ParameterizedTest
  @CsvSource({"3", "4"})
  void aSampleHasTheSameBytesWhateverOthersAreBesideItAndForAnyNumberOfThreads(int rows) {
    Weight weight = updated(weight(1, 100, 100), 4, 2);
    float[] alone = run(1, weight, LINEAR, 1, rows, 100);
    for (int samples : new int[] {2, 3, 4}) {
      float[] together = run(samples, weight, LINEAR, samples, rows, 100);
      assertArrayEquals(alone, Arrays.copyOf(together, alone.length));
    }
  }

  // Convolutions

  private static BiFunction<Tensor, Weight, Tensor> conv(int stride, int padding, int residual) {
    return (x, weight) -> {
      Geometry geometry = new Geometry(stride, padding);
      Weight bias = weight(5, weight.rows());
      if (residual == 0) {
        return Convolution.conv2d(x, weight, bias, geometry);
      }
      Shape y = Convolution.conv2d(x, weight, null, geometry).shape();
      int[] dims = residual == 2 ? new int[] {y.dim(0), y.dim(3)} : y.dims();
      float[] values = random(6, Shape.of(dims).size());
      Tensor added = x.workspace().copyOf(values, dims);
      return Convolution.conv2d(x, weight, bias, geometry, added);
    };
  }

  /**
   * Maps so small that updates stay apart: Winograd's with ranks below a vector too, and others.
   */
  @ParameterizedTest
  @CsvSource({
    "3,1,1, 4,4,120,130, 1, 0",
    "3,1,1, 7,6,160,170, 16, 4",
    "3,1,1, 9,4,66,130, 70, 2",
    "3,2,1, 3,3,33,70, 5, 4",
    "1,1,0, 2,2,70,90, 20, 0",
    "3,1,1, 2,5,60,200, 4, 2"
  })
  void aConvolutionIsThatOfTheSums(
      int size, int stride, int padding, int h, int w, int in, int out, int rank, int residual) {
    Weight base = weight(1, DType.F16, out, in, size, size);
    Weight weight = updated(updated(base, rank, 2), rank + 2, 4);
    BiFunction<Tensor, Weight, Tensor> layer = conv(stride, padding, residual);
    float[] expected = run(2, stored(weight), layer, 2, h, w, in);
    float[] actual = run(2, weight, layer, 2, h, w, in);
    assertEquals(expected.length, actual.length);
    assertNotEquals(Arrays.toString(expected), Arrays.toString(actual), "apart, so other sums");
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) { // Winograd's loss, see ConvolutionTest, twice
      assertClose(expected[i], actual[i], 2e-5 * largest, weight, i);
    }
  }

  /**
   * Just below and just above what decides: of each rank 2 samples of a tile are 10,400 operations
   * apart, of two 20,800, and 90,000 in the kernels.
   */
  @ParameterizedTest
  @CsvSource({"4", "8"})
  void aSampleHasTheSameBytesInAConvolution(int width) {
    Weight base = weight(1, 100, 100, 3, 3);
    Weight weight = updated(base, 4, 2);
    BiFunction<Tensor, Weight, Tensor> layer = conv(1, 1, 0);
    float[] alone = run(1, weight, layer, 1, 4, width, 100);
    for (int samples : new int[] {2, 3, 4}) {
      float[] together = run(samples, weight, layer, samples, 4, width, 100);
      assertArrayEquals(alone, Arrays.copyOf(together, alone.length));
    }
    float[] sums = run(2, stored(weight), layer, 1, 4, width, 100);
    assertEquals(width == 8, Arrays.equals(sums, alone));
  }

  @Test
  void anUpdateOfAnotherShapeIsRefused() {
    Weight base = weight(1, 3, 5);
    assertEquals("w1 F32 [3, 5] + rank 2, [3, 5]", updated(base, 2, 1).toString());
    LowRank other = new LowRank(1, new float[4], new float[3]);
    assertThrows(IllegalArgumentException.class, () -> new UpdatedWeight(base, other));
  }
}
