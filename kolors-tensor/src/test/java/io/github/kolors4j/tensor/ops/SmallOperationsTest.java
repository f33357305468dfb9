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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Element-wise operations, activations, embeddings, resampling and rotary positions. */
class SmallOperationsTest {
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

  private Tensor values(long seed, int... dims) {
    return workspace.copyOf(random(seed, Shape.of(dims).size()), dims);
  }

  // Elementwise and Activation; 65,536 values are a task

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 17, 65_535, 65_537, 140_000})
  void sumsProductsAndActivationsGoValueByValue(int n) {
    Tensor a = values(1, n);
    Tensor b = values(2, n);
    float[] sum = Elementwise.add(a, b).toArray();
    float[] product = Elementwise.multiply(a, b).toArray();
    float[] scaled = Elementwise.scale(a, 0.13025f).toArray();
    float[] silu = Activation.silu(a).toArray();
    float[] gelu = Activation.gelu(a).toArray();
    assertArrayEquals(random(1, n), a.toArray());
    for (int i = 0; i < n; i++) {
      float x = a.data()[i];
      assertEquals(x + b.data()[i], sum[i]);
      assertEquals(x * b.data()[i], product[i]);
      assertEquals(x * 0.13025f, scaled[i]);
      assertClose(x / (1 + Math.exp(-x)), silu[i], 4 * EPS * Math.abs(x), "silu");
      // Φ by its symmetry: gelu(x) − gelu(−x) = x
      assertClose(x >= 0 ? 0.5 * x : 0, gelu[i], 0.5 * Math.abs(x), "gelu");
    }
    float[] mirrored = Activation.gelu(Elementwise.scale(a, -1)).toArray();
    for (int i = 0; i < n; i++) {
      assertClose(a.data()[i], gelu[i] - mirrored[i], 6 * EPS, "gelu's symmetry");
    }
  }

  @Test
  void geluHasItsKnownValues() {
    // 0.5 · (1 + erf(1/√2)) = 0.841344746…
    float[] y = Activation.gelu(workspace.copyOf(new float[] {0, 1, -1, 20, -20}, 5)).toArray();
    assertEquals(0, y[0]);
    assertClose(0.8413447460685429, y[1], 4 * EPS, "gelu(1)");
    assertClose(-0.15865525393145707, y[2], 4 * EPS, "gelu(-1)");
    assertClose(20, y[3], 40 * EPS, "gelu(20)");
    assertClose(0, y[4], 40 * EPS, "gelu(-20)");
  }

  @Test
  void concatPutsTheInnermostAxesSideBySide() {
    for (int[] widths : new int[][] {{1, 1}, {3, 5}, {64, 36}, {0, 4}, {4, 0}}) {
      Tensor a = values(1, 2, 700, widths[0]);
      Tensor b = values(2, 2, 700, widths[1]);
      Tensor y = Elementwise.concat(a, b);
      int width = widths[0] + widths[1];
      assertEquals(Shape.of(2, 700, width), y.shape());
      for (int i = 0; i < 1400; i++) {
        for (int j = 0; j < width; j++) {
          float expected =
              j < widths[0] ? a.data()[i * widths[0] + j] : b.data()[i * widths[1] + j - widths[0]];
          assertEquals(expected, y.data()[i * width + j]);
        }
      }
      assertArrayEquals(a.toArray(), Elementwise.slice(y, 0, widths[0]).toArray());
      assertArrayEquals(b.toArray(), Elementwise.slice(y, widths[0], width).toArray());
    }
  }

  @Test
  void anEmptySliceHasNoValues() {
    assertEquals(Shape.of(3, 0), Elementwise.slice(values(1, 3, 5), 5, 5).shape());
  }

  @Test
  void operandsOfDifferentShapesAreRefused() {
    Tensor a = workspace.tensor(2, 6);
    Tensor b = workspace.tensor(3, 4);
    Refused.with("[add] b is [3, 4] and must be [2, 6].", () -> Elementwise.add(a, b));
    Refused.with("[multiply] b is [3, 4] and must be [2, 6].", () -> Elementwise.multiply(a, b));
    Refused.with("[concat] b is [3, 4] and must be [2, 4].", () -> Elementwise.concat(a, b));
    Refused.with("[slice] 2 to 7 is not inside 0 to 6.", () -> Elementwise.slice(a, 2, 7));
    Refused.with("[slice] -1 to 2 is not inside 0 to 6.", () -> Elementwise.slice(a, -1, 2));
    Refused.with("[slice] 3 to 2 is not inside 0 to 6.", () -> Elementwise.slice(a, 3, 2));
  }

  // Embedding

  @ParameterizedTest
  @EnumSource
  void anEmbeddingIsTheRowsOfItsTable(DType dtype) {
    Weight table = weight(1, dtype, 11, 7);
    float[] rows = table.toFloats();
    int[][] ids = {{0, 10, 3}, {3, 3, 5}};
    Tensor y = Embedding.lookup(workspace, table, ids);
    assertEquals(Shape.of(2, 3, 7), y.shape());
    for (int i = 0; i < 6; i++) {
      int id = ids[i / 3][i % 3];
      assertArrayEquals(
          Arrays.copyOfRange(rows, id * 7, id * 7 + 7),
          Arrays.copyOfRange(y.data(), i * 7, i * 7 + 7));
    }
  }

  @Test
  void anIdOutsideTheTableIsRefused() {
    Weight table = weight(1, 11, 7);
    Refused.with(
        "[embedding] id 11 is not a row of w1 F32 [11, 7]: 0 to 10.",
        () -> Embedding.lookup(workspace, table, new int[][] {{0, 11}}));
    Refused.with(
        "[embedding] id -1 is not a row of w1 F32 [11, 7]: 0 to 10.",
        () -> Embedding.lookup(workspace, table, new int[][] {{-1}}));
  }

  @Test
  void idsThatAreNoRectangleAreRefused() {
    Weight table = weight(1, 11, 7);
    Refused.with(
        "[embedding] row 1 has 1 ids and row 0 has 2: all must have as many.",
        () -> Embedding.lookup(workspace, table, new int[][] {{0, 1}, {2}}));
    Refused.with(
        "[embedding] row 1 has 3 ids and row 0 has 2: all must have as many.",
        () -> Embedding.lookup(workspace, table, new int[][] {{0, 1}, {2, 3, 4}}));
    Refused.with(
        "[embedding] there are no ids.", () -> Embedding.lookup(workspace, table, new int[][] {}));
    Refused.with(
        "[embedding] the table w1 F32 [77] must be [vocabulary, d].",
        () -> Embedding.lookup(workspace, weight(1, 77), new int[][] {{0}}));
  }

  // Resampling

  @ParameterizedTest
  @CsvSource({
    "1,1,2,2",
    "3,5,6,10",
    "3,5,7,9",
    "7,9,3,5",
    "5,7,5,7",
    "4,4,9,13",
    "13,9,4,4",
    "1,6,5,1"
  })
  void nearestTakesPyTorchsPixels(int h, int w, int hOut, int wOut) {
    Tensor x = values(1, 2, h, w, 3);
    Tensor y = Resampling.nearest(x, hOut, wOut);
    assertEquals(Shape.of(2, hOut, wOut, 3), y.shape());
    for (int i = 0; i < 2 * hOut * wOut; i++) {
      int sample = i / wOut / hOut;
      int iy = (int) Math.min(Math.floor(i / wOut % hOut * (h / (float) hOut)), h - 1);
      int ix = (int) Math.min(Math.floor(i % wOut * (w / (float) wOut)), w - 1);
      for (int c = 0; c < 3; c++) {
        assertEquals(x.data()[((sample * h + iy) * w + ix) * 3 + c], y.data()[i * 3 + c]);
      }
    }
  }

  /** What torch.nn.functional.interpolate(mode="nearest") takes of the numbers 0, 1, 2 …. */
  @Test
  void nearestTakesTheIndicesThatPyTorchWasSeenToTake() {
    assertIndices(5, new int[] {0, 0, 1, 2, 2, 3, 4}); // 5 to 7
    assertIndices(7, new int[] {0, 1, 2, 4, 5}); // 7 to 5
    assertIndices(3, new int[] {0, 0, 0, 1, 1, 1, 2, 2}); // 3 to 8
  }

  private void assertIndices(int in, int[] expected) {
    float[] numbers = new float[in];
    for (int i = 0; i < in; i++) {
      numbers[i] = i;
    }
    Tensor y = Resampling.nearest(workspace.copyOf(numbers, 1, 1, in, 1), 1, expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], y.data()[i], in + " to " + expected.length + " at " + i);
    }
  }

  @Test
  void resamplingOfAnythingButFeatureMapsIsRefused() {
    Refused.with(
        "[nearest] x is [2, 6] and must be [n, h, w, c].",
        () -> Resampling.nearest(workspace.tensor(2, 6), 4, 4));
    Refused.with(
        "[shape] [1, -4, 4, 3] has a negative extent: extents are 0 or more.",
        () -> Resampling.nearest(workspace.tensor(1, 2, 2, 3), -4, 4));
  }

  // Rotary

  @Test
  void rotaryTurnsThePairsOfEachHeadByTheirAngles() {
    int heads = 3;
    int dHead = 10;
    int rotated = 6;
    int[][] positions = {{0, 1, 2, 255}, {7, 7, 0, 32_768}};
    Tensor x = values(1, 2, 4, heads * dHead);
    float[] before = x.toArray();
    Rotary.rotateInPlace(x, dHead, rotated, positions);
    for (int i = 0; i < before.length; i += 2) {
      int row = i / (heads * dHead);
      int channel = i % dHead;
      int position = positions[row / 4][row % 4];
      double angle = channel < rotated ? position / Math.pow(10_000, channel / 6.0) : 0;
      double even = before[i] * Math.cos(angle) - before[i + 1] * Math.sin(angle);
      double odd = before[i + 1] * Math.cos(angle) + before[i] * Math.sin(angle);
      // The frequency and the angle are F32 values, as PyTorch has them.
      double tolerance = EPS * (4 + 2 * angle);
      assertClose(even, x.data()[i], tolerance, "at " + i);
      assertClose(odd, x.data()[i + 1], tolerance, "at " + (i + 1));
      if (channel >= rotated || position == 0) {
        assertEquals(before[i], x.data()[i]);
        assertEquals(before[i + 1], x.data()[i + 1]);
      }
    }
  }

  @Test
  void rotaryKeepsProductsOfEqualDistances() {
    float[] q = random(1, 8);
    float[] k = random(2, 8);
    double first = rotatedProduct(q, k, 3, 1);
    assertClose(first, rotatedProduct(q, k, 103, 101), 200 * EPS, "product");
  }

  private double rotatedProduct(float[] q, float[] k, int at, int from) {
    Tensor x = workspace.copyOf(q.clone(), 1, 1, 8);
    Tensor y = workspace.copyOf(k.clone(), 1, 1, 8);
    Rotary.rotateInPlace(x, 8, 8, new int[][] {{at}});
    Rotary.rotateInPlace(y, 8, 8, new int[][] {{from}});
    double product = 0;
    for (int i = 0; i < 8; i++) {
      product += (double) x.data()[i] * y.data()[i];
    }
    return product;
  }

  @Test
  void headsAndPositionsThatDoNotFitAreRefused() {
    Tensor x = workspace.tensor(1, 2, 12);
    int[][] positions = {{0, 1}};
    Refused.with(
        "[rotary] x is [1, 2, 12], heads of 5 with 4 rotated: x must be [n, s, heads·dHead], and an"
            + " even number of a head's channels rotated.",
        () -> Rotary.rotateInPlace(x, 5, 4, positions));
    Refused.with(
        "[rotary] x is [1, 2, 12], heads of 6 with 3 rotated: x must be [n, s, heads·dHead], and an"
            + " even number of a head's channels rotated.",
        () -> Rotary.rotateInPlace(x, 6, 3, positions));
    Refused.with(
        "[rotary] x is [1, 2, 12], heads of 6 with 8 rotated: x must be [n, s, heads·dHead], and an"
            + " even number of a head's channels rotated.",
        () -> Rotary.rotateInPlace(x, 6, 8, positions));
    Refused.with(
        "[rotary] x is [24], heads of 6 with 4 rotated: x must be [n, s, heads·dHead], and an"
            + " even number of a head's channels rotated.",
        () -> Rotary.rotateInPlace(x.reshape(24), 6, 4, positions));
    Refused.with(
        "[rotary] x is [1, 2, 12]: it takes a position for each of its 1 × 2 rows.",
        () -> Rotary.rotateInPlace(x, 6, 4, new int[][] {{0, 1, 2}}));
    Refused.with(
        "[rotary] x is [1, 2, 12]: it takes a position for each of its 1 × 2 rows.",
        () -> Rotary.rotateInPlace(x, 6, 4, new int[][] {{0, 1}, {0, 1}}));
  }
}
