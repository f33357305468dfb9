package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions of channels-last feature maps, PyTorch's {@code Conv2d}. A 3×3 convolution of stride
 * 1 goes by {@link Winograd} where it has channels enough, one of 1×1 is a {@link MatMul}, and the
 * rest are products with the neighbourhoods laid out as rows, a block at a time.
 */
public final class Convolution {
  /**
   * How many times as fast as direct products Winograd is, in F32 and at the model's shapes: 1.7 to
   * 2.9 (one thread of Zen 5).
   */
  private static final double WINOGRAD_GAIN = 2.3;

  /** Values of a row that are decoded at a time, at least, and rows. */
  private static final int TAP_VALUES = 576;

  private static final int TAP_ROWS = 32;

  private static final Slot<float[]> STORED = Slot.floats("rows of the weight as they are stored");

  private static final Kernels KERNELS = KernelProvider.kernels();

  private Convolution() {}

  /**
   * How a convolution moves over its input.
   *
   * @param stride pixels from one output to the next, in both directions; at least 1
   * @param padding zeros above and to the left of the input; at least 0
   * @param paddingAfter zeros below and to the right of the input; at least 0
   */
  public record Geometry(int stride, int padding, int paddingAfter) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if the stride is below 1 or a padding negative
     */
    public Geometry {
      Checks.that(
          stride >= 1 && padding >= 0 && paddingAfter >= 0,
          "[conv2d] stride %d, padding %d: at least 1 and 0.",
          stride,
          Math.min(padding, paddingAfter));
    }

    /**
     * The same padding on every side.
     *
     * @param stride pixels from one output to the next, in both directions; at least 1
     * @param padding zeros around the input; at least 0
     * @throws IllegalArgumentException if the stride is below 1 or the padding negative
     */
    public Geometry(int stride, int padding) {
      this(stride, padding, padding);
    }

    private int around() {
      return padding + paddingAfter;
    }
  }

  /**
   * A convolution.
   *
   * @param x {@code [n, h, w, cIn]}
   * @param weight {@code [cOut, cIn, kh, kw]}
   * @param bias {@code [cOut]}, or null for none
   * @param geometry stride and padding
   * @return {@code [n, hOut, wOut, cOut]}, {@code hOut = (h + padding + paddingAfter − kh) / stride
   *     + 1}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor conv2d(Tensor x, Weight weight, @Nullable Weight bias, Geometry geometry) {
    return conv2d(x, weight, bias, geometry, null);
  }

  /**
   * A convolution whose result is added to a residual.
   *
   * @param x {@code [n, h, w, cIn]}
   * @param weight {@code [cOut, cIn, kh, kw]}
   * @param bias {@code [cOut]}, or null for none
   * @param geometry stride and padding
   * @param residual {@code [n, hOut, wOut, cOut]}, or {@code [n, cOut]} to be added at every pixel,
   *     or null for none
   * @return {@code [n, hOut, wOut, cOut]}, a new tensor
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor conv2d(
      Tensor x,
      Weight weight,
      @Nullable Weight bias,
      Geometry geometry,
      @Nullable Tensor residual) {
    Shape kernel = weight.shape();
    Checks.that(
        x.shape().rank() == 4 && kernel.rank() == 4 && kernel.dim(1) == x.dim(3),
        "[conv2d] x is %s and the weight %s: the second extent of the weight must be the channels of"
            + " x [n, h, w, c].",
        x.shape(),
        weight);
    int n = x.dim(0);
    int cOut = kernel.dim(0);
    int down = x.dim(1) + geometry.around() - kernel.dim(2);
    int across = x.dim(2) + geometry.around() - kernel.dim(3);
    Checks.that(
        down >= 0 && across >= 0,
        "[conv2d] x is %s, smaller than the kernel of %s.",
        x.shape(),
        weight);
    int hOut = down / geometry.stride() + 1;
    int wOut = across / geometry.stride() + 1;
    Checks.vector("conv2d", bias, cOut);
    Shape shape = Shape.of(n, hOut, wOut, cOut);
    boolean perSample = residual != null && residual.shape().rank() == 2;
    Checks.same("conv2d", "residual", residual, perSample ? Shape.of(n, cOut) : shape);
    if (weight instanceof UpdatedWeight sum && isFasterApart(x, sum, geometry, shape)) {
      Tensor y = conv2d(x, sum.base(), bias, geometry, residual);
      addUpdate(x, sum, geometry, y);
      return y;
    }
    Tensor y = x.workspace().tensor(shape);
    try (Workspace.Scope _ = x.workspace().scope()) {
      Finish finish =
          new Finish(
              bias == null ? null : MatMul.vector(x.workspace(), bias),
              residual == null ? null : residual.data(),
              perSample ? hOut * wOut : 0,
              cOut,
              y.data());
      if (isByWinograd(x, weight, geometry)) {
        Winograd.convolve(x, weight, y, finish);
      } else {
        direct(x, weight, geometry, y, finish);
      }
    }
    return y;
  }

  /**
   * Whether a convolution goes by Winograd, whose products are F32's in every precision.
   *
   * @param x {@code [n, h, w, cIn]}
   * @param weight {@code [cOut, cIn, kh, kw]}
   * @param geometry how it moves
   * @return a function of the shapes, the weight's type and the workspace's products
   */
  public static boolean isByWinograd(Tensor x, Weight weight, Geometry geometry) {
    return Winograd.suits(x.shape(), weight.shape(), geometry)
        && !isFasterDirectly(x.workspace(), weight);
  }

  /** Whether an update of low rank is faster beside the convolution than in its kernels. */
  private static boolean isFasterApart(
      Tensor x, UpdatedWeight sum, Geometry geometry, Shape result) {
    long pixels = (long) result.dim(1) * result.dim(2);
    long down =
        Winograd.suits(x.shape(), sum.shape(), geometry)
            ? Winograd.productsOfSample(x.shape())
            : pixels * sum.rowLength();
    return LinearOperands.isFasterApart(x.workspace(), sum, down, pixels);
  }

  /**
   * {@code y += (x ∗ A) · Bᵀ}: A is a convolution like the weight's own, to as many channels as the
   * rank, and B one of 1×1.
   */
  private static void addUpdate(Tensor x, UpdatedWeight sum, Geometry geometry, Tensor y) {
    LowRank update = sum.update();
    int rank = update.rank();
    Weight down = DownWeight.ofConvolution(sum);
    try (Workspace.Scope _ = x.workspace().scope()) {
      Tensor narrow = x.workspace().tensor(y.shape().withLast(rank)); // [n, hOut, wOut, rank]
      Finish finish = new Finish(null, null, 0, rank, narrow.data());
      if (Winograd.suits(x.shape(), sum.shape(), geometry)) { // even where the rank is below that
        Winograd.convolve(x, down, narrow, finish);
      } else {
        direct(x, down, geometry, narrow, finish);
      }
      Rows up = (row, from, count, to, at, _) -> update.readUp(row, from, count, to, at);
      Gemm.multiply(
          x.workspace(),
          new Gemm.Product(
              y.shape().rows(),
              y.dim(3),
              rank,
              new DenseRows(narrow.data(), rank),
              up,
              y.data(),
              false,
              _ -> {})); // y has its first values
    }
  }

  /**
   * Whether products of neighbourhoods are faster in the workspace's precision than Winograd's in
   * F32: a function of the kernel and the weight's type, never of the machine's load.
   */
  private static boolean isFasterDirectly(Workspace workspace, Weight weight) {
    Products products = workspace.products();
    return products
        .kernel()
        .map(
            kernel -> {
              int pieces = new WeightRows(weight).pieces();
              int pairs = PairsOfPieces.of(products, Bf16Kernel.PIECES, pieces).count();
              return kernel.speedup() / pairs > WINOGRAD_GAIN;
            })
        .orElse(false);
  }

  /**
   * What is added to a result: the bias, and a residual, for each pixel or one for all of a sample.
   *
   * @param bias {@code [cOut]} or null
   * @param residual {@code [pixels, cOut]} or {@code [n, cOut]} or null
   * @param samplePixels pixels that share a row of the residual; 0 where each has its own
   */
  record Finish(
      float @Nullable [] bias, float @Nullable [] residual, int samplePixels, int cOut, float[] y) {
    void apply(int pixel, int column, int columns) {
      int at = pixel * cOut + column;
      if (bias != null) {
        KERNELS.add(bias, column, y, at, columns);
      }
      if (residual != null) {
        int row = samplePixels == 0 ? pixel : pixel / samplePixels;
        KERNELS.add(residual, row * cOut + column, y, at, columns);
      }
    }
  }

  /**
   * What a thread keeps for the convolutions of a model beside its feature maps, for forecasts of
   * memory.
   *
   * @param channels of the widest layer, in and out
   * @return F32 values of each thread
   */
  public static long bufferValues(int channels) {
    return Winograd.bufferValues(channels, channels);
  }

  private static void direct(Tensor x, Weight weight, Geometry geometry, Tensor y, Finish finish) {
    int cOut = y.dim(3);
    int k = weight.rowLength();
    Neighbourhoods rows = new Neighbourhoods(x, weight.shape(), geometry, y.shape());
    float[] columns = tapByTap(x.workspace(), weight);
    Gemm.multiply(
        x.workspace(),
        new Gemm.Product(
            y.shape().rows(),
            cOut,
            k,
            rows,
            new DenseRows(columns, k, new WeightRows(weight).pieces()),
            y.data(),
            false,
            part -> {
              for (int i = part.row(); i < part.row() + part.rows(); i++) {
                int at = i * cOut + part.column();
                Arrays.fill(y.data(), at, at + part.columns(), 0);
                finish.apply(i, part.column(), part.columns());
              }
            }));
  }

  /**
   * Weights {@code [cOut, taps, cIn]}, in the order of the neighbourhoods' rows. Some rows and
   * channels at a time: a kind that is computed may read what rows share once for all of them.
   */
  private static float[] tapByTap(Workspace workspace, Weight weight) {
    int cIn = weight.shape().dim(1);
    int taps = weight.shape().dim(2) * weight.shape().dim(3);
    int length = weight.rowLength();
    int cOut = weight.rows();
    int channels = Math.ceilDiv(TAP_VALUES, taps);
    float[] rows = workspace.tensor(weight.shape()).data();
    workspace
        .threads()
        .run(
            Math.ceilDiv(cOut, TAP_ROWS),
            (index, scratch) -> {
              int first = index * TAP_ROWS;
              int count = Math.min(TAP_ROWS, cOut - first);
              float[] stored = scratch.get(STORED, TAP_ROWS * channels * taps);
              for (int c = 0; c < cIn; c += channels) {
                int here = Math.min(channels, cIn - c);
                int values = here * taps;
                weight.decodeRows(first, count, c * taps, values, stored, 0, values, scratch);
                for (int i = 0; i < count; i++) {
                  int to = (first + i) * length + c;
                  KERNELS.transpose(stored, i * values, taps, here, taps, rows, to, cIn);
                }
              }
            });
    return rows;
  }

  /** The left operand: a row is the neighbourhood of an output pixel, tap by tap. */
  private record Neighbourhoods(Tensor x, Shape kernel, Geometry geometry, Shape y)
      implements Rows {
    @Override
    public void read(int pixel, int k, int kc, float[] to, int at, Scratch scratch) {
      int h = x.dim(1);
      int w = x.dim(2);
      int c = x.dim(3);
      int left = pixel % y.dim(2) * geometry.stride() - geometry.padding();
      int top = pixel / y.dim(2) % y.dim(1) * geometry.stride() - geometry.padding();
      int sample = pixel / y.dim(2) / y.dim(1);
      for (int q = k; q < k + kc; ) {
        int tap = q / c;
        int channel = q % c;
        int count = Math.min(c - channel, k + kc - q);
        int iy = top + tap / kernel.dim(3);
        int ix = left + tap % kernel.dim(3);
        if (iy < 0 || iy >= h || ix < 0 || ix >= w) {
          Arrays.fill(to, at, at + count, 0);
        } else {
          System.arraycopy(x.data(), ((sample * h + iy) * w + ix) * c + channel, to, at, count);
        }
        at += count;
        q += count;
      }
    }
  }
}
