package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * 3×3 convolutions of stride 1 and padding 1 by Winograd's F(4×4, 3×3) (Lavin and Gray 2016): a
 * tile of 4×4 results takes 36 multiplications a channel instead of 144. With the transforms {@code
 * Bᵀ, G, Aᵀ} of points 0, ±1, ±2, ∞:
 *
 * <pre>
 *   V = Bᵀ · d · B      of each 6×6 patch d of the input,      [36] packed [tiles, cIn]
 *   U = G · g · Gᵀ      of each 3×3 kernel g,                  [36][cIn][cOut]
 *   M = V · U           36 products over the input's channels, [36][tiles][cOut]
 *   y = Aᵀ · M · A      of each tile                           [tiles][4×4][cOut]
 * </pre>
 *
 * <p>Where a map has many tiles, U is made first and the tasks own tiles; where it has few, V is
 * made first and the tasks own columns, whose U they make row by row of its 6×6 points: a row of
 * 256 channels and 64 columns takes 0.4 MB, and so does not leave the core's L2 on its way to the
 * products. Both sum the same chains.
 */
final class Winograd {
  /** System property: {@code false} computes every convolution directly. */
  private static final String PROPERTY = "kolors4j.winograd";

  private static final boolean ENABLED =
      !"false".equalsIgnoreCase(System.getProperty(PROPERTY, "true"));

  private static final int OUT = 4;
  private static final int IN = 6;
  private static final int POINTS = IN * IN;

  /**
   * Channels that U is made for at a time where it is made first, in chains of {@link Gemm#KC}: 36
   * panels of 512 × 64 take 4.7 MB. With 128, rows of V are read in pieces and M comes and goes
   * four times as often: 1.5 to 2.0 of the peak at the VAE's shapes on Zen 5, where 512 gives 1.9
   * to 2.2.
   */
  private static final int DEPTH = 2 * Gemm.KC;

  /**
   * Channels that pass through the transforms at a time, a divisor of {@link Gemm#KC}: 36 of them
   * take 9 kB.
   */
  private static final int CHANNELS = 64;

  /**
   * Channels of a panel's kernels that are decoded and transposed at a time, enough for the vector
   * loop that decodes a run of nine times as many values: 4 to 6 % faster at 8 × 8 and 16 × 16 ×
   * 1,280 than 16 (Emerald Rapids).
   */
  private static final int KERNEL_CHANNELS = 64;

  /** Channels that pass through both dimensions of the weights' transform at a time: 12 kB. */
  private static final int WEIGHT_CHANNELS = 16;

  /** Tiles a block, in rounds of the micro-kernel: 36 to 96 tiles measured within 5 %. */
  private static final int ROUNDS = 8;

  /** Fewer channels leave the vectors of the transforms half empty. */
  private static final int MIN_CHANNELS = 16;

  private static final int MIN_EXTENT = 3;

  /**
   * Values between the planes of V, of U and of M, whole cache lines: without them the 36 values of
   * a tile and a channel stand a multiple of 4 kB apart and share one set of the caches. 1.70 to
   * 1.91 of the peak at 64 × 64 × 320 on Zen 5.
   */
  private static final int PAD = 80;

  // Slots of the scratch buffers; 3 to 5 are Gemm's.
  private static final int V = 0;
  private static final int M = 1;
  private static final int TAPS = 2;
  private static final int PATCH = 6;
  private static final int HALF = 7;

  /** Slot of the scratch panels. */
  private static final int U = 2;

  private static final Kernels KERNELS = KernelProvider.kernels();

  private final Shape in;
  private final Shape out;
  private final float[] x;
  private final float[] y;
  private final Weight weight;
  private final Convolution.Finish finish;
  private final int tilesDown;
  private final int tilesAcross;
  private final int tiles;
  private final int cIn;
  private final int cOut;

  private Winograd(Tensor x, Weight weight, Tensor y, Convolution.Finish finish) {
    this.in = x.shape();
    this.out = y.shape();
    this.x = x.data();
    this.y = y.data();
    this.weight = weight;
    this.finish = finish;
    tilesDown = (in.dim(1) + OUT - 1) / OUT;
    tilesAcross = (in.dim(2) + OUT - 1) / OUT;
    tiles = in.dim(0) * tilesDown * tilesAcross;
    cIn = in.dim(3);
    cOut = out.dim(3);
  }

  /** Whether a convolution goes this way: a function of its shape alone. */
  static boolean suits(Shape x, Shape kernel, Convolution.Geometry geometry) {
    return ENABLED
        && kernel.dim(2) == 3
        && kernel.dim(3) == 3
        && geometry.stride() == 1
        && geometry.padding() == 1
        && geometry.paddingAfter() == 1
        && kernel.dim(0) >= MIN_CHANNELS
        && kernel.dim(1) >= MIN_CHANNELS
        && x.dim(1) >= MIN_EXTENT
        && x.dim(2) >= MIN_EXTENT;
  }

  static void convolve(Tensor x, Weight weight, Tensor y, Convolution.Finish finish) {
    Winograd winograd = new Winograd(x, weight, y, finish);
    if (winograd.tiles < winograd.cOut) {
      winograd.inputFirst(x.workspace());
    } else {
      winograd.weightsFirst(x.workspace());
    }
  }

  /** Values of a thread's buffers for a block of tiles: V of one channel count and M of another. */
  static long bufferValues(int cIn, int cOut) {
    return (long) POINTS * ROUNDS * Gemm.tileRows() * (cIn + cOut);
  }

  /** Values from one point's plane of U or M to the next. */
  private static int plane(int tiles, int channels) {
    return tiles * channels + PAD;
  }

  /** Values from one point's plane of V to the next. */
  private int inputPlane(int tiles) {
    return PackedRows.size(tiles, cIn) + PAD;
  }

  /** Few tiles: V of all of them first, then each task makes U of its columns, a row at a time. */
  private void inputFirst(Workspace workspace) {
    int step = Gemm.tileRows();
    int blocks = (tiles + step - 1) / step;
    float[] v = workspace.tensor(POINTS * inputPlane(tiles)).data();
    workspace
        .threads()
        .run(
            blocks,
            (index, scratch) -> {
              int first = index * step;
              transformInput(first, Math.min(step, tiles - first), v, first, tiles, scratch);
            });
    int width = Gemm.tileColumns();
    workspace
        .threads()
        .run(
            (cOut + width - 1) / width,
            (index, scratch) -> {
              int column = index * width;
              int columns = Math.min(width, cOut - column);
              int packed = Gemm.packedColumns(columns);
              int depth = Math.min(Gemm.KC, cIn);
              float[] kernels = scratch.floats(TAPS, 9 * depth * packed);
              MemorySegment u = scratch.panels(U, IN * plane(packed, depth));
              float[] m = scratch.floats(M, POINTS * plane(tiles, columns));
              for (int k = 0; k < cIn; k += depth) {
                int kc = Math.min(depth, cIn - k);
                kernels(column, columns, k, kc, kernels, scratch);
                for (int i = 0; i < IN; i++) {
                  transformWeights(
                      i, columns, 0, kc, kernels, u, 0, kc, plane(packed, kc), scratch);
                  products(i * IN, IN, tiles, v, tiles, columns, u, 0, packed, k, kc, m, scratch);
                }
              }
              transformOutput(0, tiles, m, column, columns, scratch);
            });
  }

  /** Many tiles: U first, then each task takes a block of tiles all the way. */
  private void weightsFirst(Workspace workspace) {
    int packed = Gemm.packedColumns(cOut);
    int width = Gemm.tileColumns();
    int columnBlocks = (cOut + width - 1) / width;
    int channelBlocks = (cIn + DEPTH - 1) / DEPTH;
    int block = POINTS * plane(packed, Math.min(DEPTH, cIn));
    MemorySegment u = workspace.panels(channelBlocks * block);
    workspace
        .threads()
        .run(
            columnBlocks * channelBlocks,
            (index, scratch) -> {
              int column = index / channelBlocks * width;
              int k = index % channelBlocks * DEPTH;
              int kc = Math.min(DEPTH, cIn - k);
              int uo = index % channelBlocks * block + column * kc;
              int columns = Math.min(width, cOut - column);
              int plane = plane(packed, kc);
              float[] kernels = scratch.floats(TAPS, 9 * KERNEL_CHANNELS * width);
              for (int c = 0; c < kc; c += KERNEL_CHANNELS) {
                int channels = Math.min(KERNEL_CHANNELS, kc - c);
                kernels(column, columns, k + c, channels, kernels, scratch);
                for (int i = 0; i < IN; i++) {
                  int to = uo + i * IN * plane;
                  transformWeights(i, columns, c, channels, kernels, u, to, kc, plane, scratch);
                }
              }
            });
    int step = ROUNDS * Gemm.tileRows();
    workspace
        .threads()
        .run(
            (tiles + step - 1) / step,
            (index, scratch) -> {
              int first = index * step;
              int count = Math.min(step, tiles - first);
              float[] v = scratch.floats(V, POINTS * inputPlane(count));
              float[] m = scratch.floats(M, POINTS * plane(count, cOut));
              transformInput(first, count, v, 0, count, scratch);
              for (int k = 0; k < cIn; k += DEPTH) {
                int kc = Math.min(DEPTH, cIn - k);
                int uo = k / DEPTH * block;
                products(0, POINTS, count, v, count, cOut, u, uo, packed, k, kc, m, scratch);
              }
              transformOutput(first, count, m, 0, cOut, scratch);
            });
  }

  /** {@code M += V · U} at some points, over one block of channels. */
  private void products(
      int first,
      int points,
      int count,
      float[] v,
      int ldv,
      int columns,
      MemorySegment u,
      int uo,
      int packed,
      int k,
      int kc,
      float[] m,
      Scratch scratch) {
    if (k == 0) {
      int plane = plane(count, columns);
      Arrays.fill(m, first * plane, (first + points) * plane, 0);
    }
    PackedRows at = new PackedRows();
    for (int p = first; p < first + points; p++) {
      Gemm.block(
          count,
          columns,
          kc,
          at.set(v, p * inputPlane(ldv) + PackedRows.offset(ldv, 0, k), ldv),
          u,
          uo + (p - first) * plane(packed, kc),
          m,
          p * plane(count, columns),
          columns,
          scratch);
    }
  }

  /** V of some tiles, from row {@code row} of the {@code ldv} that a plane has. */
  private void transformInput(int first, int count, float[] v, int row, int ldv, Scratch scratch) {
    int h = in.dim(1);
    int w = in.dim(2);
    float[] patch = scratch.floats(PATCH, POINTS * CHANNELS);
    float[] half = scratch.floats(HALF, POINTS * CHANNELS);
    for (int t = 0; t < count; t++) {
      int tile = first + t;
      int left = tile % tilesAcross * OUT - 1;
      int top = tile / tilesAcross % tilesDown * OUT - 1;
      int sample = tile / tilesAcross / tilesDown;
      boolean inside = left >= 0 && top >= 0 && left + IN <= w && top + IN <= h;
      for (int c = 0; c < cIn; c += CHANNELS) {
        int n = Math.min(CHANNELS, cIn - c);
        float[] from = x;
        int at = ((sample * h + top) * w + left) * cIn + c;
        int pixel = cIn;
        int line = w * cIn;
        if (!inside) {
          copyPatch(sample, top, left, c, n, patch);
          from = patch;
          at = 0;
          pixel = n;
          line = IN * n;
        }
        for (int j = 0; j < IN; j++) {
          KERNELS.winogradInput(from, at + j * pixel, line, half, j * n, IN * n, n);
        }
        for (int i = 0; i < IN; i++) {
          int to = i * IN * inputPlane(ldv) + PackedRows.offset(ldv, row + t, c);
          KERNELS.winogradInput(half, i * IN * n, n, v, to, inputPlane(ldv), n);
        }
      }
    }
  }

  /** A patch that reaches over the edge, with zeros there. */
  private void copyPatch(int sample, int top, int left, int c, int n, float[] patch) {
    int h = in.dim(1);
    int w = in.dim(2);
    for (int i = 0; i < IN; i++) {
      for (int j = 0; j < IN; j++) {
        int at = (i * IN + j) * n;
        int iy = top + i;
        int ix = left + j;
        if (iy < 0 || iy >= h || ix < 0 || ix >= w) {
          Arrays.fill(patch, at, at + n, 0);
        } else {
          System.arraycopy(x, ((sample * h + iy) * w + ix) * cIn + c, patch, at, n);
        }
      }
    }
  }

  /** The kernels of some columns and channels, {@code [kc, 3, 3, width]} for each panel. */
  private void kernels(int column, int columns, int k, int kc, float[] kernels, Scratch scratch) {
    for (int j = 0, width; j < columns; j += width) {
      width = Gemm.panelWidth(j, columns);
      int present = Math.min(width, columns - j);
      float[] rows = scratch.floats(Gemm.OPERAND, width * KERNEL_CHANNELS * 9);
      for (int c = 0; c < kc; c += KERNEL_CHANNELS) {
        int values = Math.min(KERNEL_CHANNELS, kc - c) * 9;
        for (int r = 0; r < present; r++) {
          weight.decode(((column + j + r) * cIn + k + c) * 9, values, rows, r * values);
        }
        Arrays.fill(rows, present * values, width * values, 0);
        int to = 9 * (j * kc + c * width);
        KERNELS.transpose(rows, 0, values, width, values, kernels, to, width);
      }
    }
  }

  /**
   * One row of U's points, from kernels as {@link #kernels} gives them: channels from c on of
   * panels that have kc.
   */
  private static void transformWeights(
      int row,
      int columns,
      int c,
      int channels,
      float[] kernels,
      MemorySegment u,
      int uo,
      int kc,
      int plane,
      Scratch scratch) {
    for (int j = 0, width; j < columns; j += width) {
      width = Gemm.panelWidth(j, columns);
      float[] half = scratch.floats(HALF, 3 * WEIGHT_CHANNELS * width);
      for (int first = 0; first < channels; first += WEIGHT_CHANNELS) {
        int count = Math.min(WEIGHT_CHANNELS, channels - first);
        int from = 9 * (channels * j + first * width);
        int to = uo + j * kc + (c + first) * width;
        KERNELS.winogradWeightRow(row, kernels, from, count, width, half, 0);
        KERNELS.winogradWeight(half, 0, count, width, u, to, plane);
      }
    }
  }

  /** The results of some tiles and columns, from M {@code [36][count][columns]}. */
  private void transformOutput(
      int first, int count, float[] m, int column, int columns, Scratch scratch) {
    int h = out.dim(1);
    int w = out.dim(2);
    float[] half = scratch.floats(HALF, OUT * IN * CHANNELS);
    float[] results = scratch.floats(PATCH, OUT * OUT * CHANNELS);
    for (int t = 0; t < count; t++) {
      int tile = first + t;
      int left = tile % tilesAcross * OUT;
      int top = tile / tilesAcross % tilesDown * OUT;
      int sample = tile / tilesAcross / tilesDown;
      int down = Math.min(OUT, h - top);
      int across = Math.min(OUT, w - left);
      for (int c = 0; c < columns; c += CHANNELS) {
        int n = Math.min(CHANNELS, columns - c);
        for (int j = 0; j < IN; j++) {
          int from = j * plane(count, columns) + t * columns + c;
          KERNELS.winogradOutput(m, from, IN * plane(count, columns), half, j * n, IN * n, n);
        }
        for (int i = 0; i < down; i++) {
          int pixel = (sample * h + top + i) * w + left;
          int to = pixel * cOut + column + c;
          if (across == OUT) {
            KERNELS.winogradOutput(half, i * IN * n, n, y, to, cOut, n);
          } else {
            KERNELS.winogradOutput(half, i * IN * n, n, results, 0, n, n);
            for (int j = 0; j < across; j++) {
              System.arraycopy(results, j * n, y, to + j * cOut, n);
            }
          }
          for (int j = 0; j < across; j++) {
            finish.apply(pixel + j, column + c, n);
          }
        }
      }
    }
  }
}
