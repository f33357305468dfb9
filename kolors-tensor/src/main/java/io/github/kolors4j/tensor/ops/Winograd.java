package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import io.github.kolors4j.tensor.kernel.MicroKernel;
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
   * Channels that U is made for at a time where it is made first, in chains of {@link
   * MicroKernel#KC}: 36 panels of 512 × 64 take 4.7 MB. With 128, rows of V are read in pieces and
   * M comes and goes four times as often: 1.5 to 2.0 of the peak at the VAE's shapes on Zen 5,
   * where 512 gives 1.9 to 2.2.
   */
  private static final int DEPTH = 2 * MicroKernel.KC;

  /**
   * Channels that pass through the transforms at a time, a divisor of {@link MicroKernel#KC}: 36 of
   * them take 9 kB.
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

  private static final Slot<float[]> V = Slot.floats("V of a block of tiles");
  private static final Slot<MemorySegment> U = Slot.panels("U of a panel's columns");
  private static final Slot<float[]> M = Slot.floats("M of a block");
  private static final Slot<float[]> ROWS = Slot.floats("kernels as they are stored");
  private static final Slot<float[]> TAPS = Slot.floats("kernels, a vector a tap");
  private static final Slot<float[]> PATCH = Slot.floats("a patch of the input or the output");
  private static final Slot<float[]> HALF = Slot.floats("what one dimension of a transform gives");

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
    tilesDown = tiles(in.dim(1));
    tilesAcross = tiles(in.dim(2));
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

  /** Multiply-adds of a sample for each of its results' channels. */
  static long productsOfSample(Shape x) {
    return (long) POINTS * tiles(x.dim(1)) * tiles(x.dim(2)) * x.dim(3);
  }

  /** Tiles along one side of a map. */
  private static int tiles(int extent) {
    return Math.ceilDiv(extent, OUT);
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

  /**
   * V of some tiles: a packed block of A for each point.
   *
   * @param data {@code [36]} planes
   * @param tiles how many
   * @param plane values from one point's to the next
   */
  private record Inputs(float[] data, int tiles, int plane) {
    /** Where the value of a point, a tile and a channel stands. */
    int at(int point, int tile, int channel) {
      return point * plane + PackedRows.offset(tiles, tile, channel);
    }
  }

  private Inputs inputs(float[] data, int tiles) {
    return new Inputs(data, tiles, inputPlane(tiles));
  }

  private int inputPlane(int tiles) {
    return PackedRows.size(tiles, cIn) + PAD;
  }

  /**
   * The kernels of some columns and channels.
   *
   * @param data {@code [channels, 3, 3, width]} for each panel of columns
   * @param columns how many
   * @param channels how many
   */
  private record Taps(float[] data, int columns, int channels) {}

  /**
   * U of some columns and channels: panels for each of some points.
   *
   * @param data outside of the heap
   * @param offset where the first point's plane begins
   * @param columns how many
   * @param channels how many
   */
  private record Weights(MemorySegment data, int offset, int columns, int channels) {
    /** From one point's plane to the next. */
    int plane() {
      return plane(columns, channels);
    }

    static int plane(int columns, int channels) {
      return Gemm.packedColumns(columns) * channels + PAD;
    }

    /** Where the panel of a point and a column begins. */
    int at(int point, int column) {
      return offset + point * plane() + column * channels;
    }

    PackedColumns point(int point) {
      return new PackedColumns(data, at(point, 0), columns, channels);
    }
  }

  /**
   * M of some tiles and columns: a block of results for each point.
   *
   * @param data {@code [36]} planes
   * @param tiles how many
   * @param columns how many
   */
  private record Products(float[] data, int tiles, int columns) {
    /** From one point's plane to the next. */
    int plane() {
      return plane(tiles, columns);
    }

    static int plane(int tiles, int columns) {
      return tiles * columns + PAD;
    }

    Results point(int point) {
      return new Results(data, point * plane(), columns);
    }
  }

  /** Few tiles: V of all of them first, then each task makes U of its columns, a row at a time. */
  private void inputFirst(Workspace workspace) {
    Inputs v = inputs(workspace.tensor(POINTS * inputPlane(tiles)).data(), tiles);
    int step = Gemm.tileRows();
    workspace
        .threads()
        .run(
            Math.ceilDiv(tiles, step),
            (index, scratch) -> {
              int first = index * step;
              transformInput(first, Math.min(step, tiles - first), v, first, scratch);
            });
    int width = Gemm.tileColumns();
    workspace
        .threads()
        .run(
            Math.ceilDiv(cOut, width),
            (index, scratch) -> {
              int column = index * width;
              int columns = Math.min(width, cOut - column);
              int depth = Math.min(MicroKernel.KC, cIn);
              float[] taps = scratch.get(TAPS, 9 * depth * Gemm.packedColumns(columns));
              MemorySegment us = scratch.get(U, IN * Weights.plane(columns, depth));
              float[] ms = scratch.get(M, POINTS * Products.plane(tiles, columns));
              Products m = new Products(ms, tiles, columns);
              for (int k = 0; k < cIn; k += depth) {
                workspace.threads().checkStopped();
                Taps g = new Taps(taps, columns, Math.min(depth, cIn - k));
                Weights u = new Weights(us, 0, columns, g.channels);
                decode(column, k, g, scratch);
                for (int i = 0; i < IN; i++) {
                  transformWeights(i, g, u, u.at(0, 0), 0, scratch);
                  multiply(i * IN, IN, v, u, k, m, scratch);
                }
              }
              transformOutput(0, m, column, scratch);
            });
  }

  /** Many tiles: U first, then each task takes a block of tiles all the way. */
  private void weightsFirst(Workspace workspace) {
    int width = Gemm.tileColumns();
    int columnBlocks = Math.ceilDiv(cOut, width);
    int channelBlocks = Math.ceilDiv(cIn, DEPTH);
    int block = POINTS * Weights.plane(cOut, Math.min(DEPTH, cIn));
    MemorySegment us = workspace.panels(channelBlocks * block);
    Weights[] u = new Weights[channelBlocks];
    for (int i = 0; i < channelBlocks; i++) {
      u[i] = new Weights(us, i * block, cOut, Math.min(DEPTH, cIn - i * DEPTH));
    }
    workspace
        .threads()
        .run(
            columnBlocks * channelBlocks,
            (index, scratch) -> {
              int column = index / channelBlocks * width;
              int channelBlock = index % channelBlocks;
              int columns = Math.min(width, cOut - column);
              int depth = u[channelBlock].channels;
              float[] taps = scratch.get(TAPS, 9 * KERNEL_CHANNELS * width);
              for (int c = 0; c < depth; c += KERNEL_CHANNELS) {
                workspace.threads().checkStopped();
                Taps g = new Taps(taps, columns, Math.min(KERNEL_CHANNELS, depth - c));
                decode(column, channelBlock * DEPTH + c, g, scratch);
                for (int i = 0; i < IN; i++) {
                  int to = u[channelBlock].at(i * IN, column);
                  transformWeights(i, g, u[channelBlock], to, c, scratch);
                }
              }
            });
    int step = blockOfTiles(workspace.threads().threads());
    workspace
        .threads()
        .run(
            Math.ceilDiv(tiles, step),
            (index, scratch) -> {
              int first = index * step;
              int count = Math.min(step, tiles - first);
              Inputs v = inputs(scratch.get(V, POINTS * inputPlane(count)), count);
              float[] ms = scratch.get(M, POINTS * Products.plane(count, cOut));
              Products m = new Products(ms, count, cOut);
              transformInput(first, count, v, 0, scratch);
              for (int i = 0; i < channelBlocks; i++) {
                multiply(0, POINTS, v, u[i], i * DEPTH, m, scratch);
              }
              transformOutput(first, m, 0, scratch);
            });
  }

  /** Tiles that a task takes all the way: fewer where threads would be left without any. */
  private int blockOfTiles(int threads) {
    return Math.min(ROUNDS * Gemm.tileRows(), PackedRows.wholeTiles(Math.ceilDiv(tiles, threads)));
  }

  /** {@code M += V · U} at some points, over one block of channels from k on. */
  private static void multiply(
      int first, int points, Inputs v, Weights u, int k, Products m, Scratch scratch) {
    if (k == 0) {
      Arrays.fill(m.data, first * m.plane(), (first + points) * m.plane(), 0);
    }
    for (int p = 0; p < points; p++) {
      PackedRows a = new PackedRows(v.data, v.at(first + p, 0, k), v.tiles);
      new MacroKernel(a, u.point(p), m.point(first + p)).run(scratch);
    }
  }

  /** V of some tiles; the first of them is tile {@code row} of the block. */
  private void transformInput(int first, int count, Inputs v, int row, Scratch scratch) {
    int h = in.dim(1);
    int w = in.dim(2);
    float[] patch = scratch.get(PATCH, POINTS * CHANNELS);
    float[] half = scratch.get(HALF, POINTS * CHANNELS);
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
          int to = v.at(i * IN, row + t, c);
          KERNELS.winogradInput(half, i * IN * n, n, v.data, to, v.plane, n);
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

  /** Reads kernels, from a column and a channel on. */
  private void decode(int column, int channel, Taps g, Scratch scratch) {
    for (int j = 0, width; j < g.columns; j += width) {
      width = Gemm.panelWidth(j, g.columns);
      int present = Math.min(width, g.columns - j);
      float[] rows = scratch.get(ROWS, width * KERNEL_CHANNELS * 9);
      for (int c = 0; c < g.channels; c += KERNEL_CHANNELS) {
        int values = Math.min(KERNEL_CHANNELS, g.channels - c) * 9;
        int from = (channel + c) * 9;
        weight.decodeRows(column + j, present, from, values, rows, 0, values, scratch);
        Arrays.fill(rows, present * values, width * values, 0);
        int to = 9 * (j * g.channels + c * width);
        KERNELS.transpose(rows, 0, values, width, values, g.data, to, width);
      }
    }
  }

  /**
   * One row of U's points, of all columns of some kernels, which are the channels from c on of U's.
   *
   * @param row which row, 0 to 5
   * @param g the kernels
   * @param u what they belong to
   * @param uo where the panels of the row's first point and the kernels' columns begin
   * @param c the first channel
   */
  private static void transformWeights(int row, Taps g, Weights u, int uo, int c, Scratch scratch) {
    for (int j = 0, width; j < g.columns; j += width) {
      width = Gemm.panelWidth(j, g.columns);
      float[] half = scratch.get(HALF, 3 * WEIGHT_CHANNELS * width);
      for (int first = 0; first < g.channels; first += WEIGHT_CHANNELS) {
        int count = Math.min(WEIGHT_CHANNELS, g.channels - first);
        int from = 9 * (g.channels * j + first * width);
        int to = uo + j * u.channels + (c + first) * width;
        KERNELS.winogradWeightRow(row, g.data, from, count, width, half, 0);
        KERNELS.winogradWeight(half, 0, count, width, u.data, to, u.plane());
      }
    }
  }

  /** The results of the tiles and columns that M has, from a tile and a column on. */
  private void transformOutput(int first, Products m, int column, Scratch scratch) {
    int h = out.dim(1);
    int w = out.dim(2);
    float[] half = scratch.get(HALF, OUT * IN * CHANNELS);
    float[] results = scratch.get(PATCH, OUT * OUT * CHANNELS);
    int plane = m.plane();
    for (int t = 0; t < m.tiles; t++) {
      int tile = first + t;
      int left = tile % tilesAcross * OUT;
      int top = tile / tilesAcross % tilesDown * OUT;
      int sample = tile / tilesAcross / tilesDown;
      int down = Math.min(OUT, h - top);
      int across = Math.min(OUT, w - left);
      for (int c = 0; c < m.columns; c += CHANNELS) {
        int n = Math.min(CHANNELS, m.columns - c);
        for (int j = 0; j < IN; j++) {
          int from = j * plane + t * m.columns + c;
          KERNELS.winogradOutput(m.data, from, IN * plane, half, j * n, IN * n, n);
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
