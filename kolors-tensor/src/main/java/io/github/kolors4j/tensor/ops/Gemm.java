package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import io.github.kolors4j.tensor.kernel.MicroKernel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The loops around the micro-kernel: {@code C[m, n] = A[m, k] · B[k, n]}, in BLIS's words.
 *
 * <p>Columns are taken in groups: a thread packs the panels of a group and then takes strips of
 * rows of A, read in place, against all of them; threads that are out of groups help with the
 * strips.
 *
 * <p>Every result is a sum of chains of {@link #KC} fused multiply-adds, in order; how the work is
 * cut into groups, tasks and tiles does not show in it.
 */
final class Gemm implements Groups.Work<MemorySegment> {
  private static final Kernels KERNELS = KernelProvider.kernels();
  private static final MicroKernel MICRO = KERNELS.microKernel();

  /** Length of a chain over k: part of the numbers, so the same on every machine. */
  static final int KC = 256;

  /**
   * The part of k that a strip is taken through before its next panel: a panel of 64 columns has
   * 328 kB of it. Half as much, with strips of twice the rows, ran at 0.64 to 0.74 of the peak
   * where this runs at 0.66 to 0.78, twice as much at 0.62 to 0.78.
   */
  private static final int DEPTH = 5 * KC;

  /**
   * Values of A in a strip, at most, which stay in L2 with the panel that they meet: 491 kB of the
   * 1 MB that CPUs of 32 registers have (a tile of more than 16 vectors), half as much for the 512
   * kB of others.
   */
  private static final int STRIP =
      (MICRO.rows() * MICRO.columns() > 16 * MICRO.lanes() ? 120 : 60) * 1024;

  /** Columns of a group at most: A is read once for each group, from L3 or memory. */
  private static final int MAX_COLUMNS = 640;

  /**
   * Values of B in a group at most, gates included: 2 MB, which stay in a core's share of L3 while
   * A passes by. 1 to 4 MB measured within 3 %, but 4 MB a tenth slower with 512 rows (Zen 5).
   */
  private static final int GROUP = 512 * 1024;

  /** Panels that a group keeps where groups are made smaller so that each thread has one. */
  private static final int MIN_PANELS = 2;

  /** Tasks a thread, where each has enough to do: the last to end is not far behind. */
  private static final int TASKS_PER_THREAD = 4;

  /** Multiply-adds that are worth a task: some 10 µs. */
  private static final int MIN_WORK = 1 << 20;

  // Slots of the scratch buffers.
  private static final int GATES = 0;
  private static final int EDGE = 3;

  /** Slot of the scratch panels. */
  private static final int PANELS = 1;

  /** The first of the slots for the left operand and the packing of the right one. */
  static final int OPERAND = 4;

  /** The left operand. */
  @FunctionalInterface
  interface Rows {
    /**
     * Makes a block of A readable.
     *
     * @param row first row
     * @param rows how many
     * @param k first column
     * @param kc how many columns
     * @param scratch for a copy where A is not in memory as it stands; slot {@link #OPERAND}
     * @param at takes the place of the block
     */
    void locate(int row, int rows, int k, int kc, Scratch scratch, Block at);
  }

  /** Where a block of A stands. */
  static final class Block {
    private float[] data;
    private int offset;
    private int stride;

    /**
     * Sets the place.
     *
     * @param data the array
     * @param offset where the first row begins
     * @param stride from one row to the next
     * @return this
     */
    Block set(float[] data, int offset, int stride) {
      this.data = data;
      this.offset = offset;
      this.stride = stride;
      return this;
    }
  }

  /** The right operand. */
  @FunctionalInterface
  interface Columns {
    /**
     * Packs columns of B: panels of the micro-kernel's width, then panels of one vector, the last
     * filled up with zeros; a panel of column j begins at {@code j·k}, k being the rows of B.
     *
     * @param column first column
     * @param columns how many
     * @param panels where to; {@link #packedColumns} times k values
     * @param po where the first of them goes
     * @param scratch the slots from {@link #OPERAND} on are free
     */
    void pack(int column, int columns, MemorySegment panels, int po, Scratch scratch);
  }

  /** What happens to a tile of C before the first value of k is added and after the last. */
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
     * Applies the gates to rows of C, which are in the cache; the parameters are those of {@link
     * #start}. Not called where there is no gate.
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
   * @param m rows of A and C
   * @param n columns of B and C
   * @param k columns of A, rows of B
   * @param a the left operand
   * @param b the right operand, with n further columns where the product is gated
   * @param c {@code [m, n]}
   * @param gated whether the second n columns of B make a gate for each result
   * @param edges called for each part of C
   */
  record Product(int m, int n, int k, Rows a, Columns b, float[] c, boolean gated, Edges edges) {
    /** How many times n columns B has. */
    private int halves() {
      return gated ? 2 : 1;
    }
  }

  /**
   * Computes a product.
   *
   * @param threads who computes
   * @param product what is computed
   */
  static void multiply(ThreadPool threads, Product product) {
    if (product.m > 0 && product.n > 0) {
      Gemm gemm = new Gemm(threads.threads(), product);
      Groups.run(threads, gemm.groups, gemm.strips, gemm);
    }
  }

  private final Product product;
  private final int panels;
  private final int groups;
  private final int stripRows;
  private final int strips;

  private Gemm(int threads, Product product) {
    this.product = product;
    int m = product.m;
    int k = product.k;
    int halves = product.halves();
    int mr = MICRO.rows();
    int nr = MICRO.columns();
    panels = Math.ceilDiv(product.n, nr);
    int maxPanels = Math.min(MAX_COLUMNS, GROUP / Math.max(k, 1)) / halves / nr;
    int least = Math.ceilDiv(panels, Math.max(maxPanels, 1));
    int even = Math.ceilDiv(least, threads) * threads;
    groups = Math.clamp(panels / MIN_PANELS, least, even);
    long work = (long) m * k * Math.ceilDiv(panels, groups) * nr * halves;
    int wanted = Math.ceilDiv(threads * TASKS_PER_THREAD, groups);
    int tasks = threads == 1 ? 1 : Math.clamp(work / MIN_WORK, 1, wanted);
    int maxRows = Math.min(STRIP / Math.clamp(k, 1, DEPTH), Math.ceilDiv(m, tasks));
    stripRows = Math.ceilDiv(Math.ceilDiv(m, Math.ceilDiv(m, Math.max(maxRows, 1))), mr) * mr;
    strips = Math.ceilDiv(m, stripRows);
  }

  private int firstPanel(int group) {
    return (int) ((long) panels * group / groups);
  }

  /** Packs the panels of a group; the gates' follow the values'. */
  @Override
  public MemorySegment prepare(int group, Scratch scratch) {
    int n = product.n;
    int k = product.k;
    int nr = MICRO.columns();
    int first = firstPanel(group);
    int size = (firstPanel(group + 1) - first) * nr * k;
    int columns = Math.min(n, firstPanel(group + 1) * nr) - first * nr;
    MemorySegment packed = scratch.panels(PANELS, size * product.halves());
    for (int half = 0; half < product.halves(); half++) {
      product.b.pack(half * n + first * nr, columns, packed, half * size, scratch);
    }
    return packed;
  }

  /** A strip of rows against the panels of a group: values, then the gates of the same columns. */
  @Override
  public void run(int group, MemorySegment packed, int strip, Scratch scratch) {
    int n = product.n;
    int k = product.k;
    boolean gated = product.gated;
    Edges edges = product.edges;
    int nr = MICRO.columns();
    int first = firstPanel(group);
    int count = firstPanel(group + 1) - first;
    int left = first * nr;
    int right = Math.min(n, (first + count) * nr);
    int row = strip * stripRows;
    int rows = Math.min(stripRows, product.m - row);
    float[] gates = gated ? scratch.floats(GATES, (right - left) * rows) : null;
    Block at = new Block();
    for (int k0 = 0; k0 == 0 || k0 < k; k0 += DEPTH) {
      int depth = Math.min(DEPTH, k - k0);
      product.a.locate(row, rows, k0, depth, scratch, at);
      for (int column = left, width; column < right; column += width) {
        width = panelWidth(column, right);
        int columns = Math.min(width, right - column);
        int panel = (column - left) * k + k0 * width;
        int gatePanel = panel + count * nr * k;
        int go = (column - left) * rows;
        for (int i = 0; i < rows; i += MICRO.rows()) {
          if (k0 == 0) {
            int height = Math.min(MICRO.rows(), rows - i);
            edges.start(row + i, height, column, columns, gates, go + i * columns);
          }
          int co = (row + i) * n + column;
          tile(rows, i, columns, width, depth, at, packed, panel, product.c, co, n, scratch);
        }
        for (int i = 0; gated && i < rows; i += MICRO.rows()) {
          int gi = go + i * columns;
          tile(rows, i, columns, width, depth, at, packed, gatePanel, gates, gi, columns, scratch);
          if (k0 + depth == k) {
            int height = Math.min(MICRO.rows(), rows - i);
            edges.finish(row + i, height, column, columns, gates, gi);
          }
        }
      }
    }
  }

  /** Rows against all panels of a packed block, {@code C += A · B}. */
  static void block(
      int m,
      int n,
      int k,
      Block a,
      MemorySegment b,
      int bo,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    for (int j = 0, width; j < n; j += width) {
      width = panelWidth(j, n);
      int columns = Math.min(width, n - j);
      for (int i = 0; i < m; i += MICRO.rows()) {
        tile(m, i, columns, width, k, a, b, bo + j * k, c, co + i * ldc + j, ldc, scratch);
      }
    }
  }

  /** One tile through k, chain by chain: from row i of the m that A has. */
  private static void tile(
      int m,
      int i,
      int columns,
      int width,
      int k,
      Block a,
      MemorySegment b,
      int bo,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    boolean whole = columns == width && m - i >= MICRO.rows();
    for (int k0 = 0; k0 < k; k0 += KC) {
      int kc = Math.min(KC, k - k0);
      int ao = a.offset + k0;
      int panel = bo + k0 * width;
      if (whole) {
        tile(width, kc, a.data, ao + i * a.stride, a.stride, b, panel, c, co, ldc);
      } else {
        edge(m, i, columns, width, kc, a.data, ao, a.stride, b, panel, c, co, ldc, scratch);
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
      MemorySegment b,
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
      MemorySegment b,
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
