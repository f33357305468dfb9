package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions, direct and Winograd's, against their definition in double. */
class ConvolutionTest {
  /**
   * What Winograd's transforms may lose, against the likely error of the plain sum of as many terms
   * of at most 1: their weights reach 5 · 5 and 8 · 8. Measured up to 150.
   */
  private static final double WINOGRAD_LOSS = 300;

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

  /** An output of the definition: its value, and the sum of its terms' magnitudes. */
  private record Exact(double value, double magnitude) {}

  private static Exact at(float[] x, Shape in, float[] w, Shape kernel, Geometry g, int[] at) {
    double value = 0;
    double magnitude = 0;
    for (int ky = 0; ky < kernel.dim(2); ky++) {
      for (int kx = 0; kx < kernel.dim(3); kx++) {
        int iy = at[1] * g.stride() - g.padding() + ky;
        int ix = at[2] * g.stride() - g.padding() + kx;
        if (iy < 0 || iy >= in.dim(1) || ix < 0 || ix >= in.dim(2)) {
          continue;
        }
        for (int c = 0; c < in.dim(3); c++) {
          double term =
              (double) x[((at[0] * in.dim(1) + iy) * in.dim(2) + ix) * in.dim(3) + c]
                  * w[((at[3] * in.dim(3) + c) * kernel.dim(2) + ky) * kernel.dim(3) + kx];
          value += term;
          magnitude += Math.abs(term);
        }
      }
    }
    return new Exact(value, magnitude);
  }

  private void check(Shape in, int cOut, int size, Geometry geometry, DType dtype, int residual) {
    Tensor x = workspace.copyOf(random(1, in.size()), in.dims());
    Weight w = weight(2, dtype, cOut, in.dim(3), size, size);
    Weight bias = residual == 1 ? null : weight(3, dtype, cOut);
    int h =
        (in.dim(1) + geometry.padding() + geometry.paddingAfter() - size) / geometry.stride() + 1;
    int width =
        (in.dim(2) + geometry.padding() + geometry.paddingAfter() - size) / geometry.stride() + 1;
    Shape out = Shape.of(in.dim(0), h, width, cOut);
    Tensor added =
        switch (residual) {
          case 4 -> workspace.copyOf(random(4, out.size()), out.dims());
          case 2 -> workspace.copyOf(random(4, out.dim(0) * cOut), out.dim(0), cOut);
          default -> null;
        };
    Tensor y = Convolution.conv2d(x, w, bias, geometry, added);
    assertEquals(out, y.shape());
    boolean winograd = Winograd.suits(in, w.shape(), geometry);
    double terms = size * size * in.dim(3) + 4;
    float[] shift = bias == null ? new float[cOut] : bias.toFloats();
    float[] weights = w.toFloats();
    String where = "%s to %d, %d×%d, %s".formatted(in, cOut, size, size, geometry);
    for (int i = 0; i < out.size(); i++) {
      int pixel = i / cOut;
      int c = i % cOut;
      int[] at = {pixel / width / h, pixel / width % h, pixel % width, c};
      Exact exact = at(x.data(), in, weights, w.shape(), geometry, at);
      double more = shift[c];
      if (added != null) {
        more += added.data()[residual == 2 ? at[0] * cOut + c : i];
      }
      // Every error of a Winograd tile reaches all of its results, also those next to the edge.
      double magnitude =
          winograd ? WINOGRAD_LOSS * Math.sqrt(terms) : terms * exact.magnitude() + 4;
      assertClose(exact.value() + more, y.data()[i], EPS * magnitude, where, i);
    }
  }

  @ParameterizedTest
  @CsvSource({"2,2", "2,7", "3,4", "9,7", "6,13"})
  void paddingMayDifferBeforeAndAfter(int h, int w) {
    for (int stride = 1; stride <= 2; stride++) {
      check(Shape.of(2, h, w, 5), 7, 3, new Geometry(stride, 0, 1), DType.F32, 0);
      check(Shape.of(1, h, w, 17), 18, 3, new Geometry(stride, 1, 0), DType.F32, 0);
      check(Shape.of(1, h, w, 17), 18, 3, new Geometry(stride, 1, 2), DType.F32, 0);
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,2", "2,1", "3,3", "4,4", "5,8", "9,7", "6,13"})
  void everyStrideAndPaddingOfSmallMapsIsTheDefinition(int h, int w) {
    for (int stride = 1; stride <= 2; stride++) {
      for (int padding = 0; padding <= 1; padding++) {
        Geometry geometry = new Geometry(stride, padding);
        check(Shape.of(2, h, w, 5), 7, 1, geometry, DType.F32, 0);
        if (Math.min(h, w) + 2 * padding >= 3) {
          check(Shape.of(2, h, w, 5), 7, 3, geometry, DType.F32, 0);
          check(Shape.of(1, h, w, 17), 18, 3, geometry, DType.F32, 0);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 15, 16, 17, 36, 60, 130})
  void everyNumberOfChannelsIsTheDefinition(int channels) {
    Geometry same = new Geometry(1, 1);
    check(Shape.of(1, 5, 6, channels), 17, 3, same, DType.F32, 0);
    check(Shape.of(1, 5, 6, 16), channels, 3, same, DType.F32, 0);
    check(Shape.of(1, 5, 6, channels), channels, 3, new Geometry(2, 1), DType.F32, 0);
    check(Shape.of(1, 5, 6, channels), channels, 1, new Geometry(1, 0), DType.F32, 0);
  }

  @ParameterizedTest
  @EnumSource
  void weightsOfEachTypeAreDecoded(DType dtype) {
    check(Shape.of(1, 6, 5, 20), 21, 3, new Geometry(1, 1), dtype, 0);
    check(Shape.of(1, 6, 5, 20), 21, 3, new Geometry(2, 1), dtype, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void aResidualIsAddedAtItsPixelOrAtEveryOneOfItsSample(int residual) {
    check(Shape.of(3, 6, 5, 20), 21, 3, new Geometry(1, 1), DType.F32, residual);
    check(Shape.of(3, 6, 5, 20), 21, 3, new Geometry(2, 1), DType.F32, residual);
    check(Shape.of(3, 6, 5, 20), 21, 1, new Geometry(1, 0), DType.F32, residual);
  }

  @Test
  void otherKernelSizesWorkToo() {
    check(Shape.of(1, 7, 6, 4), 5, 5, new Geometry(1, 2), DType.F32, 0);
    check(Shape.of(1, 7, 6, 4), 5, 2, new Geometry(2, 0), DType.F32, 0);
    check(Shape.of(1, 7, 6, 4), 5, 4, new Geometry(3, 1), DType.F32, 0);
  }

  @Test
  void manyTilesTakeTheOtherOrderOfWinograd() {
    check(Shape.of(1, 21, 22, 16), 17, 3, new Geometry(1, 1), DType.F32, 4); // 36 tiles, 17 columns
    check(Shape.of(2, 9, 31, 130), 33, 3, new Geometry(1, 1), DType.F16, 2); // two blocks of k
  }

  @Test
  @Tag("large")
  void largerMapsAreSplitOverTheThreads() {
    check(Shape.of(1, 70, 41, 40), 36, 3, new Geometry(1, 1), DType.F32, 4);
    check(Shape.of(1, 12, 12, 260), 290, 3, new Geometry(1, 1), DType.F32, 0);
    check(Shape.of(2, 40, 41, 36), 40, 3, new Geometry(2, 1), DType.F32, 0);
  }

  /** The measure of the loss; on this data 5e-6 of the largest result, and 2.4e-6 in the mean. */
  @ParameterizedTest
  @CsvSource({"64, 17", "320, 8"})
  @Tag("large")
  void winogradEqualsTheDirectConvolutionWithinAFewMillionths(int channels, int extent) {
    Shape in = Shape.of(1, extent, extent, channels);
    Weight w = weight(2, 32, channels, 3, 3);
    Tensor x = workspace.copyOf(random(1, in.size()), in.dims());
    assertTrue(Winograd.suits(in, w.shape(), new Geometry(1, 1)));
    Tensor fast = Convolution.conv2d(x, w, null, new Geometry(1, 1));
    // With its border written out, the same convolution has no padding, and goes the direct way.
    Tensor bordered = workspace.tensor(1, extent + 2, extent + 2, channels);
    java.util.Arrays.fill(bordered.data(), 0, bordered.shape().size(), 0);
    for (int row = 0; row < extent; row++) {
      int line = extent * channels;
      int to = ((row + 1) * (extent + 2) + 1) * channels;
      System.arraycopy(x.data(), row * line, bordered.data(), to, line);
    }
    assertTrue(!Winograd.suits(bordered.shape(), w.shape(), new Geometry(1, 0)));
    Tensor direct = Convolution.conv2d(bordered, w, null, new Geometry(1, 0));
    double largest = 0;
    double error = 0;
    double squares = 0;
    double errors = 0;
    for (int i = 0; i < direct.shape().size(); i++) {
      double difference = fast.data()[i] - direct.data()[i];
      largest = Math.max(largest, Math.abs(direct.data()[i]));
      error = Math.max(error, Math.abs(difference));
      squares += direct.data()[i] * direct.data()[i];
      errors += difference * difference;
    }
    assertClose(0, error / largest, 1e-5, "largest error of Winograd");
    assertClose(0, Math.sqrt(errors / squares), 4e-6, "relative RMS of Winograd");
  }

  @Test
  void aOneByOneConvolutionIsALinearLayer() {
    Tensor x = workspace.copyOf(random(1, 2 * 5 * 6 * 36), 2, 5, 6, 36);
    Weight w = weight(2, 17, 36, 1, 1);
    Weight bias = weight(3, 17);
    assertArrayEquals(
        MatMul.linear(x, w, bias).toArray(),
        Convolution.conv2d(x, w, bias, new Geometry(1, 0)).toArray());
  }

  // Shapes that do not fit

  @Test
  void anInputOfOtherChannelsOrRankIsRefused() {
    Geometry same = new Geometry(1, 1);
    Tensor x = workspace.tensor(1, 5, 5, 4);
    Refused.with(
        "[conv2d] x is [1, 5, 5, 4] and the weight w2 F32 [7, 3, 3, 3]: the second extent of the"
            + " weight must be the channels of x [n, h, w, c].",
        () -> Convolution.conv2d(x, weight(2, 7, 3, 3, 3), null, same));
    Refused.with(
        "[conv2d] x is [25, 4] and the weight w2 F32 [7, 4, 3, 3]: the second extent of the weight"
            + " must be the channels of x [n, h, w, c].",
        () -> Convolution.conv2d(x.reshape(25, 4), weight(2, 7, 4, 3, 3), null, same));
    Refused.with(
        "[conv2d] x is [1, 5, 5, 4] and the weight w2 F32 [7, 4]: the second extent of the weight"
            + " must be the channels of x [n, h, w, c].",
        () -> Convolution.conv2d(x, weight(2, 7, 4), null, same));
  }

  @Test
  void aStrideBelowOneAndANegativePaddingAreRefused() {
    Refused.with("[conv2d] stride 0, padding 1: at least 1 and 0.", () -> new Geometry(0, 1));
    Refused.with("[conv2d] stride 1, padding -1: at least 1 and 0.", () -> new Geometry(1, -1));
    Refused.with("[conv2d] stride 1, padding -2: at least 1 and 0.", () -> new Geometry(1, 0, -2));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void anInputSmallerThanTheKernelIsRefusedAtEveryStride(int stride) {
    Tensor x = workspace.tensor(1, 2, 5, 4);
    Refused.with(
        "[conv2d] x is [1, 2, 5, 4], smaller than the kernel of w2 F32 [7, 4, 3, 3].",
        () -> Convolution.conv2d(x, weight(2, 7, 4, 3, 3), null, new Geometry(stride, 0)));
  }

  @Test
  void aBiasOrResidualOfAnotherShapeIsRefused() {
    Geometry same = new Geometry(1, 1);
    Tensor x = workspace.tensor(2, 5, 5, 4);
    Weight w = weight(2, 7, 4, 3, 3);
    Refused.with(
        "[conv2d] w3 F32 [6] must be [7].", () -> Convolution.conv2d(x, w, weight(3, 6), same));
    Refused.with(
        "[conv2d] residual is [2, 5, 4, 7] and must be [2, 5, 5, 7].",
        () -> Convolution.conv2d(x, w, null, same, workspace.tensor(2, 5, 4, 7)));
    Refused.with(
        "[conv2d] residual is [1, 7] and must be [2, 7].",
        () -> Convolution.conv2d(x, w, null, same, workspace.tensor(1, 7)));
  }
}
