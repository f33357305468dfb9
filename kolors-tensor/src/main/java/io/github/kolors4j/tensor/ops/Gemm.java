package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import io.github.kolors4j.tensor.kernel.MicroKernel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The loops around the micro-kernel: {@code C[m, n] = A[m, k] · B[k, n]}, in BLIS's words.
 *
 * <p>k is taken in parts of {@link #DEPTH}. Of a part, columns are taken in groups: a thread packs
 * the panels of a group and then takes strips of rows of A, which it packs too, against all of
 * them; threads that are out of groups help with the strips.
 *
 * <p>Every result is a sum of chains of {@link #KC} fused multiply-adds, in order; how the work is
 * cut into groups, tasks and tiles does not show in it.
 */
final class Gemm implements Groups.Work<MemorySegment> {
  private static final Kernels KERNELS = KernelProvider.kernels();
  private static final MicroKernel MICRO = KERNELS.microKernel();

  /** Length of a chain over k. */
  static final int KC = MicroKernel.KC;

  /**
   * The part of k that all of A and B is taken through before the next: a panel of 64 columns has
   * 328 kB of it. Half as much, with strips of twice the rows, ran at 0.64 to 0.74 of the peak
   * where this runs at 0.66 to 0.78, twice as much at 0.62 to 0.78.
   */
  private static final int DEPTH = 5 * KC;

  /**
   * The part of k that a tile goes through before the next one: a chain where a panel of that
   * length stays in L1 (16 columns: 16 kB), which is 2 to 3 % faster there, and else all, so that
   * results come and go once (2 to 6 % at 64 columns; Emerald Rapids).
   */
  private static final int RUN = KC * MICRO.columns() > 4096 ? DEPTH : KC;

  /**
   * Values of A in a strip, at most, which stay in L2 with the panel that they meet: 491 kB of the
   * 1 MB that CPUs of 32 registers have (a tile of more than 16 vectors), half as much for the 512
   * kB of others.
   */
  private static final int STRIP =
      (MICRO.rows() * MICRO.columns() > 16 * MICRO.lanes() ? 120 : 60) * 1024;

  /** Columns of a group at most: A is packed once for each group, from L3 or memory. */
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
  private static final int ROWS = 2;
  private static final int EDGE = 3;

  /** Slot of the scratch panels. */
  private static final int PANELS = 1;

  /** The first of the slots for the packing of the right operand. */
  static final int OPERAND = 4;

  /**
   * What happens to a part of C, the columns of a panel in the rows of a strip, before the first
   * value of k is added and after the last.
   */
  interface Edges {
    /**
     * Gives rows of C, and of the gates, their first values.
     *
     * @param row first row
     * @param rows how many
     * @param column first column
     * @param columns how many
     * @param gates the other half of a gated product; null without gate
     * @param go where the gates of these rows and columns begin
     * @param ldg from one row of gates to the next
     */
    void start(int row, int rows, int column, int columns, float[] gates, int go, int ldg);

    /**
     * Applies the gates to rows of C, which are in the cache; the parameters are those of {@link
     * #start}. Not called where there is no gate.
     */
    default void finish(
        int row, int rows, int column, int columns, float[] gates, int go, int ldg) {}
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
   * @param a the left operand, a row at a time
   * @param b the right operand, a column at a time, with n further columns where the product is
   *     gated
   * @param c {@code [m, n]}
   * @param gated whether the second n columns of B make a gate for each result
   * @param edges called for each part of C
   */
  record Product(int m, int n, int k, Rows a, Rows b, float[] c, boolean gated, Edges edges) {
    /** How many times n columns B has. */
    private int halves() {
      return gated ? 2 : 1;
    }
  }

  /**
   * Computes a product.
   *
   * @param workspace whose threads compute
   * @param product what is computed
   */
  static void multiply(Workspace workspace, Product product) {
    if (product.m == 0 || product.n == 0) {
      return;
    }
    try (Workspace.Scope _ = workspace.scope()) {
      boolean parted = product.k > DEPTH;
      float[] gates =
          product.gated && parted ? workspace.tensor(product.m, product.n).data() : null;
      for (int k = 0; k == 0 || k < product.k; k += DEPTH) {
        Gemm part = new Gemm(workspace.threads().threads(), product, gates, k);
        Groups.run(workspace.threads(), part.groups, part.strips, part);
      }
    }
  }

  private final Product product;

  /** All gates, {@code [m, n]}; null where one part of k makes them, a strip's at a time. */
  private final float[] allGates;

  private final int firstK;
  private final int depth;
  private final int panels;
  private final int groups;
  private final int stripRows;
  private final int strips;

  private Gemm(int threads, Product product, float[] allGates, int firstK) {
    this.product = product;
    this.allGates = allGates;
    this.firstK = firstK;
    depth = Math.min(DEPTH, product.k - firstK);
    int m = product.m;
    int halves = product.halves();
    int mr = MICRO.rows();
    int nr = MICRO.columns();
    panels = Math.ceilDiv(product.n, nr);
    int maxPanels = Math.min(MAX_COLUMNS, GROUP / Math.max(depth, 1)) / halves / nr;
    int least = Math.ceilDiv(panels, Math.max(maxPanels, 1));
    int even = Math.ceilDiv(least, threads) * threads;
    groups = Math.clamp(panels / MIN_PANELS, least, even);
    long work = (long) m * depth * Math.ceilDiv(panels, groups) * nr * halves;
    int wanted = Math.ceilDiv(threads * TASKS_PER_THREAD, groups);
    int tasks = threads == 1 ? 1 : Math.clamp(work / MIN_WORK, 1, wanted);
    int maxRows = Math.min(STRIP / Math.max(depth, 1), Math.ceilDiv(m, tasks));
    stripRows = PackedRows.wholeTiles(Math.ceilDiv(m, Math.ceilDiv(m, Math.max(maxRows, 1))));
    strips = Math.ceilDiv(m, stripRows);
  }

  private int firstPanel(int group) {
    return (int) ((long) panels * group / groups);
  }

  /** Packs the panels of a group; the gates' follow the values'. */
  @Override
  public MemorySegment prepare(int group, Scratch scratch) {
    int n = product.n;
    int nr = MICRO.columns();
    int first = firstPanel(group);
    int size = (firstPanel(group + 1) - first) * nr * depth;
    int columns = Math.min(n, firstPanel(group + 1) * nr) - first * nr;
    MemorySegment packed = scratch.panels(PANELS, size * product.halves());
    for (int half = 0; half < product.halves(); half++) {
      int column = half * n + first * nr;
      Panels.pack(product.b, column, columns, firstK, depth, packed, half * size, scratch);
    }
    return packed;
  }

  /** A strip of rows against the panels of a group: values, then the gates of the same columns. */
  @Override
  public void run(int group, MemorySegment packed, int strip, Scratch scratch) {
    int n = product.n;
    boolean gated = product.gated;
    Edges edges = product.edges;
    int nr = MICRO.columns();
    int first = firstPanel(group);
    int count = firstPanel(group + 1) - first;
    int left = first * nr;
    int right = Math.min(n, (first + count) * nr);
    int row = strip * stripRows;
    int rows = Math.min(stripRows, product.m - row);
    PackedRows a =
        new PackedRows().set(scratch.floats(ROWS, PackedRows.size(rows, depth)), 0, rows);
    a.pack(product.a, row, firstK, depth);
    boolean own = gated && allGates == null;
    int ldg = own ? right - left : n;
    float[] gates = own ? scratch.floats(GATES, rows * ldg) : allGates;
    int gates0 = own ? 0 : row * n + left;
    for (int column = left, width; column < right; column += width) {
      width = panelWidth(column, right);
      int columns = Math.min(width, right - column);
      int panel = (column - left) * depth;
      int gatePanel = panel + count * nr * depth;
      int co = row * n + column;
      int go = gates0 + column - left;
      if (firstK == 0) {
        edges.start(row, rows, column, columns, gates, go, ldg);
      }
      panel(rows, columns, width, depth, a, packed, panel, product.c, co, n, scratch);
      if (gated) {
        panel(rows, columns, width, depth, a, packed, gatePanel, gates, go, ldg, scratch);
        if (firstK + depth == product.k) {
          edges.finish(row, rows, column, columns, gates, go, ldg);
        }
      }
    }
  }

  /** Rows against all panels of a packed block, {@code C += A · B}. */
  static void block(
      int m,
      int n,
      int k,
      PackedRows a,
      MemorySegment b,
      int bo,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    for (int j = 0, width; j < n; j += width) {
      width = panelWidth(j, n);
      int columns = Math.min(width, n - j);
      panel(m, columns, width, k, a, b, bo + j * k, c, co + j, ldc, scratch);
    }
  }

  /** Rows against a panel, chain by chain. */
  private static void panel(
      int m,
      int columns,
      int width,
      int k,
      PackedRows a,
      MemorySegment b,
      int bo,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    for (int first = 0; first < k; first += RUN) {
      int last = Math.min(k, first + RUN);
      for (int i = 0; i < m; i += MICRO.rows()) {
        int rows = Math.min(MICRO.rows(), m - i);
        int to = co + i * ldc;
        for (int k0 = first; k0 < last; k0 += KC) {
          int kc = Math.min(KC, last - k0);
          int ao = a.at(i, k0);
          int from = bo + k0 * width;
          if (columns == width && rows == MICRO.rows()) {
            tile(width, kc, a.data(), ao, b, from, c, to, ldc);
          } else {
            edge(rows, columns, width, kc, a.data(), ao, b, from, c, to, ldc, scratch);
          }
        }
      }
    }
  }

  /** A tile that C has not all rows or columns of: computed aside, then its part is added. */
  private static void edge(
      int rows,
      int columns,
      int width,
      int kc,
      float[] a,
      int ao,
      MemorySegment b,
      int panel,
      float[] c,
      int co,
      int ldc,
      Scratch scratch) {
    int size = MICRO.rows() * width;
    float[] aside = scratch.floats(EDGE, MICRO.rows() * MICRO.columns());
    Arrays.fill(aside, 0, size, 0);
    tile(width, kc, a, ao, b, panel, aside, 0, width);
    for (int r = 0; r < rows; r++) {
      KERNELS.add(aside, r * width, c, co + r * ldc, columns);
    }
  }

  private static void tile(
      int width, int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc) {
    if (width == MICRO.columns()) {
      MICRO.tile(kc, a, ao, b, bo, c, co, ldc);
    } else {
      MICRO.narrowTile(kc, a, ao, b, bo, c, co, ldc);
    }
  }
}
