package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import java.util.Arrays;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linear layers whose weights have updates of low rank, which they may leave apart. */
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
  @CsvSource({"1,4", "2,40"})
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

  /** 40 rows of two samples, and 40 outputs of 60 values: 8,000 operations each rank, not 2,400. */
  @Test
  void whereTheSumsAreFewerOperationsTheyAreMadeToTheBit() {
    Weight weight = twice(40, 60, 5);
    assertArrayEquals(run(2, stored(weight), LINEAR, 2, 40, 60), run(2, weight, LINEAR, 2, 40, 60));
  }

  /** Rows of a sample just below and just above what decides. */
  @ParameterizedTest
  @CsvSource({"24", "26"})
  void aSampleHasTheSameBytesWhateverOthersAreBesideItAndForAnyNumberOfThreads(int rows) {
    Weight weight = updated(weight(1, 100, 100), 4, 2);
    float[] alone = run(1, weight, LINEAR, 1, rows, 100);
    for (int samples : new int[] {2, 3, 4}) {
      float[] together = run(samples, weight, LINEAR, samples, rows, 100);
      assertArrayEquals(alone, Arrays.copyOf(together, alone.length));
    }
  }

  @Test
  void anUpdateOfAnotherShapeIsRefused() {
    Weight base = weight(1, 3, 5);
    assertEquals("w1 F32 [3, 5] + rank 2, [3, 5]", updated(base, 2, 1).toString());
    LowRank other = new LowRank(1, new float[4], new float[3]);
    assertThrows(IllegalArgumentException.class, () -> new UpdatedWeight(base, other));
  }
}
