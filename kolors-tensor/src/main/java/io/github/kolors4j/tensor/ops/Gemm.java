package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import io.github.kolors4j.tensor.kernel.MicroKernel;
import java.util.Arrays;

/**
 * The loops around the micro-kernel: {@code C[m, n] = A[m, k] · B[k, n]}, in BLIS's words. A task
 * owns a range of columns and of rows; it packs its own panels of B, a block of k at a time, and
 * reads A in place.
 *
 * <p>Every result is a sum of chains of {@link #KC} fused multiply-adds, in order; how the work is
 * cut into tasks, panels and tiles does not show in it.
 */
final class Gemm {
  /**
   * Length of a chain over k: part of the numbers, so the same on every machine. A panel of 256 ×
   * 64 values takes 64 kB, so that four panels and the rows that they meet stay in an L2 of 512 kB.
   */
  static final int KC = 256;

  /** Rows of A that meet all panels of a task before the next ones do: 96 kB with KC. */
  private static final int MC = 96;

  /**
   * Rows that a task takes through all of k before it goes on to the next: their part of C, 295 kB
   * at 384 columns, stays in L2, where it would come from memory and go back for each block of k.
   * The price is that packed panels stream once a strip. On Zen 5 (1 MB of L2), 2 threads, 8,192 ×
   * 640 by 640 without packing: 271 GFLOP/s for one strip of all rows, 274 for 768, 286 for 384 and
   * 304 for 192.
   */
  private static final int STRIP = 192;

  /**
   * Columns a task owns at most, both halves of a gated product together: their panels take 384 kB.
   * The more columns, the less often A comes from L3: on Zen 4 (1 MB of L2), one thread, 2,048 ×
   * 1,280 by 64, 128, 256 and 512 columns ran at 0.65, 0.70, 0.82 and 0.87 of the peak.
   */
  private static final int MAX_COLUMNS = 384;

  /**
   * Tasks a thread where the product is large enough, so that the last one to end is not far
   * behind.
   */
  private static final int TASKS_PER_THREAD = 4;

  /** Rows that a task has at least: below that, packing B again for each range of rows shows. */
  private static final int MIN_ROWS = 768;

  // Slots of the scratch buffers.
  private static final int PANELS = 0;
  private static final int GATE_PANELS = 1;
  private static final int GATES = 2;
  private static final int EDGE = 3;

  /** For the left operand and the packing of the right one. */
  static final int OPERAND = 4;

  private static final Kernels KERNELS = KernelProvider.kernels();
  private static final MicroKernel MICRO = KERNELS.microKernel();

  private Gemm() {}

  /** The left operand. */
  @FunctionalInterface
  interface Rows {
    /**
     * Makes a block of A readable.
     *
     * @param row first row
     * @param rows how many, at most {@link #MC}
     * @param k first column
     * @param kc how many columns
     * @param scratch for a copy where A is not in memory as it stands; slot {@link #OPERAND}
     * @param at takes the place of the block
     */
    void locate(int row, int rows, int k, int kc, Scratch scratch, Block at);
  }

  /** Where a block of A stands. */
  static final class Block {
    float[] data;
    int offset;
    int stride;
  }

  /** The right operand. */
  @FunctionalInterface
  interface Columns {
    /**
     * Packs a block of B: panels of the micro-kernel's width, then panels of one vector, the last
     * filled up with zeros; column j of the block begins at {@code j·kc}.
     *
     * @param column first column
     * @param columns how many
     * @param k first row
     * @param kc how many rows
     * @param panels where to; {@link #packedColumns} times kc values
     * @param po where the first of them goes
     * @param scratch slot {@link #OPERAND} is free
     */
    void pack(int column, int columns, int k, int kc, float[] panels, int po, Scratch scratch);
  }

  /** What happens to a part of C before the first block of k is added and after the last. */
  interface Edges {
    /**
     * Gives rows of C, and of the gates, their first values.
     *
     * @param row first row
     * @param rows how many
     * @param column first column
     * @param columns how many
     * @param gates the other half of a gated product, {@code rows × columns}; null without gate
     * @param go where the gates of these rows begin
     */
    void start(int row, int rows, int column, int columns, float[] gates, int go);

    /**
     * Finishes rows of C while they are in the cache; the parameters are those of {@link #start}.
     */
    default void finish(int row, int rows, int column, int columns, float[] gates, int go) {}
  }

  /** Rows of the register tile. */
  static int tileRows() {
    return MICRO.rows();
  }

  /** Columns of the register tile, the width of a full panel. */
  static int tileColumns() {
    return MICRO.columns();
  }

  /**
   * How a product is cut into tasks: columns in whole panels, evenly, so that each thread gets as
   * many as the others; rows only where that makes too few tasks.
   */
  private record Grid(int columnTasks, int rowTasks, int panels, int m) {
    static Grid of(int threads, int m, int n, boolean gated) {
      int nr = MICRO.columns();
      int panels = (n + nr - 1) / nr;
      int maxPanels = Math.max(1, MAX_COLUMNS / (gated ? 2 : 1) / nr);
      int tasks = Math.max((panels + maxPanels - 1) / maxPanels, threads == 1 ? 1 : 2 * threads);
      tasks = Math.min(panels, (tasks + threads - 1) / threads * threads);
      int wanted = threads == 1 ? 1 : threads * TASKS_PER_THREAD;
      return new Grid(tasks, Math.clamp(m / MIN_ROWS, 1, (wanted + tasks - 1) / tasks), panels, m);
    }

    int firstColumn(int task) {
      return (int) ((long) panels * task / columnTasks) * MICRO.columns();
    }

    /** In whole tiles, but for the last. */
    int firstRow(int task) {
      int tiles = (m + MICRO.rows() - 1) / MICRO.rows();
      return Math.min(m, (int) ((long) tiles * task / rowTasks) * MICRO.rows());
    }
  }

  /** Columns that a block takes when packed: the last panel is filled up to a whole vector. */
  static int packedColumns(int columns) {
    int lanes = MICRO.lanes();
    return (columns + lanes - 1) / lanes * lanes;
  }

  /** Width of the panel that begins at a column. */
  static int panelWidth(int column, int columns) {
    return columns - column >= MICRO.columns() ? MICRO.columns() : MICRO.lanes();
  }

  /**
   * A whole product.
   *
   * @param threads who computes it
   * @param m rows of A and C
   * @param n columns of B and C
   * @param k columns of A, rows of B
   * @param a the left operand
   * @param b the right operand, with n further columns where the product is gated
   * @param c {@code [m, n]}
   * @param gated whether the second n columns of B make a gate for each result
   * @param edges called for each part of C
   */
  static void multiply(
      ThreadPool threads,
      int m,
      int n,
      int k,
      Rows a,
      Columns b,
      float[] c,
      boolean gated,
      Edges edges) {
    if (m == 0 || n == 0) {
      return;
    }
    Grid grid = Grid.of(threads.threads(), m, n, gated);
    int mc = MC / MICRO.rows() * MICRO.rows();
    threads.run(
        grid.columnTasks * grid.rowTasks,
        (index, scratch) -> {
          int column = grid.firstColumn(index / grid.rowTasks);
          int columns = Math.min(grid.firstColumn(index / grid.rowTasks + 1), n) - column;
          int row = grid.firstRow(index % grid.rowTasks);
          int rows = grid.firstRow(index % grid.rowTasks + 1) - row;
          int packed = packedColumns(columns);
          int strip = STRIP / MICRO.rows() * MICRO.rows();
          int kept = rows > strip ? k : Math.min(KC, k); // of each column, once it is packed
          float[] values = scratch.floats(PANELS, packed * kept);
          float[] gateValues = gated ? scratch.floats(GATE_PANELS, packed * kept) : null;
          float[] gates = gated ? scratch.floats(GATES, strip * columns) : null;
          Block at = new Block();
          for (int top = row; top < row + rows; top += strip) {
            int bottom = Math.min(top + strip, row + rows);
            for (int k0 = 0; k0 == 0 || k0 < k; k0 += KC) {
              int kc = Math.min(KC, k - k0);
              int panel = kept == k ? packed * k0 : 0;
              if (top == row) {
                b.pack(column, columns, k0, kc, values, panel, scratch);
                if (gated) {
                  b.pack(n + column, columns, k0, kc, gateValues, panel, scratch);
                }
              }
              for (int i = top; i < bottom; i += mc) {
                int im = Math.min(mc, bottom - i);
                int go = (i - top) * columns;
                if (k0 == 0) {
                  edges.start(i, im, column, columns, gates, go);
                }
                a.locate(i, im, k0, kc, scratch, at);
                block(im, columns, kc, at, values, panel, c, i * n + column, n, scratch);
                if (gated) {
                  block(im, columns, kc, at, gateValues, panel, gates, go, columns, scratch);
                }
                if (k0 + kc == k) {
                  edges.finish(i, im, column, columns, gates, go);
                }
              }
            }
          }
        });
  }

  /** One block of rows against all panels of a packed block. */
  static void block(
      int m,
      int n,
      int kc,
      Block a,
      float[] b,
      int bo,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    block(m, n, kc, a.data, a.offset, a.stride, b, bo, c, co, ldc, scratch);
  }

  /** One block of rows against all panels of a packed block. */
  static void block(
      int m,
      int n,
      int kc,
      float[] a,
      int ao,
      int lda,
      float[] b,
      int bo,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    int mr = MICRO.rows();
    for (int j = 0, width; j < n; j += width) {
      width = panelWidth(j, n);
      int panel = bo + j * kc;
      for (int i = 0; i < m; i += mr) {
        int rows = Math.min(mr, m - i);
        int at = co + i * ldc + j;
        if (n - j >= width && rows == mr) {
          tile(width, kc, a, ao + i * lda, lda, b, panel, c, at, ldc);
        } else {
          edge(m, i, Math.min(width, n - j), width, kc, a, ao, lda, b, panel, c, at, ldc, scratch);
        }
      }
    }
  }

  /**
   * A tile that C has not all rows or columns of: computed aside, then its part is added. Where
   * rows are missing, the tile moves up so that it reads rows that exist.
   */
  private static void edge(
      int m,
      int i,
      int columns,
      int width,
      int kc,
      float[] a,
      int ao,
      int lda,
      float[] b,
      int panel,
      float[] c,
      int at,
      int ldc,
      Scratch scratch) {
    int mr = MICRO.rows();
    int rows = Math.min(mr, m - i);
    float[] aside = scratch.floats(EDGE, mr * MICRO.columns());
    Arrays.fill(aside, 0, mr * width, 0);
    int skipped = 0;
    if (m >= mr && rows > 1) {
      skipped = mr - rows;
      tile(width, kc, a, ao + (i - skipped) * lda, lda, b, panel, aside, 0, width);
    } else {
      for (int r = 0; r < rows; r++) {
        int from = ao + (i + r) * lda;
        if (width == MICRO.columns()) {
          MICRO.row(kc, a, from, b, panel, aside, r * width);
        } else {
          MICRO.narrowRow(kc, a, from, b, panel, aside, r * width);
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      int from = (r + skipped) * width;
      KERNELS.add(aside, from, c, at + r * ldc, columns);
    }
  }

  private static void tile(
      int width,
      int kc,
      float[] a,
      int ao,
      int lda,
      float[] b,
      int bo,
      float[] c,
      int co,
      int ldc) {
    if (width == MICRO.columns()) {
      MICRO.tile(kc, a, ao, lda, b, bo, c, co, ldc);
    } else {
      MICRO.narrowTile(kc, a, ao, lda, b, bo, c, co, ldc);
    }
  }
}
