package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.Cpu;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.MicroKernel;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
final class Gemm implements Groups.Work<Gemm.Columns> {
  private static final MicroKernel MICRO = KernelProvider.kernels().microKernel();

  /** Length of a chain over k. */
  private static final int KC = MicroKernel.KC;

  /**
   * The part of k that all of A and B is taken through before the next: a panel of 64 columns has
   * 328 kB of it. Half as much, with strips of twice the rows, ran at 0.64 to 0.74 of the peak
   * where this runs at 0.66 to 0.78, twice as much at 0.62 to 0.78.
   */
  private static final int DEPTH = 5 * KC;

  /** So much more is taken at once where nothing would be left: what updates of low rank append. */
  private static final int MORE_DEPTH = KC / 2;

  /**
   * Values of A in a strip where L2 has 1 MB: 491 kB, so that it stays there with the panel that it
   * meets. As much of a smaller one, down to half; more were no faster where L2 has 2 MB (240 and
   * 330 thousand values: −4 to +12 %, Emerald Rapids).
   */
  private static final int STRIP_OF_1_MB = 120 * 1024;

  private static final int STRIP =
      Math.clamp((STRIP_OF_1_MB * (long) Cpu.l2Bytes()) >> 20, STRIP_OF_1_MB / 2, STRIP_OF_1_MB);

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

  private static final Slot<float[]> ROWS = Slot.floats("a strip of A");
  private static final Slot<MemorySegment> PANELS = Slot.panels("a group of B");
  private static final Slot<float[]> GATES = Slot.floats("gates of a strip and a group");

  /**
   * The columns of a panel in the rows of a strip: a part of C.
   *
   * @param row first row
   * @param rows how many
   * @param column first column
   * @param columns how many
   */
  record Part(int row, int rows, int column, int columns) {}

  /** What happens to a part of C before the first value of k is added and after the last. */
  interface Edges {
    /** Gives a part of C its first values. */
    void start(Part part);

    /**
     * Gives the gates of a part their first values. Not called without gate.
     *
     * @param part which one
     * @param gates the other half of a gated product, from the part's first row and column on
     */
    default void startGates(Part part, Results gates) {}

    /** Applies the gates to a part of C, which is in the cache. Not called without gate. */
    default void finish(Part part, Results gates) {}
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
   * Computes a product, in the precision of the workspace.
   *
   * @param workspace whose threads compute
   * @param product what is computed
   */
  static void multiply(Workspace workspace, Product product) {
    if (product.m == 0 || product.n == 0) {
      return;
    }
    Optional<Bf16Kernel> kernel = workspace.products().kernel();
    if (kernel.isPresent()) {
      Bf16Gemm.multiply(workspace, product, kernel.get());
      return;
    }
    try (Workspace.Scope _ = workspace.scope()) {
      boolean parted = depth(product.k) < product.k;
      float @Nullable [] gates =
          product.gated && parted ? workspace.tensor(product.m, product.n).data() : null;
      for (int k = 0; k == 0 || k < product.k; k += depth(product.k - k)) {
        Gemm part = new Gemm(workspace.threads(), product, gates, k);
        Groups.run(workspace.threads(), part.groups, part.strips, part);
      }
    }
  }

  private final ThreadPool pool;
  private final Product product;

  /** All gates, {@code [m, n]}; null where one part of k makes them, a strip's at a time. */
  private final float @Nullable [] allGates;

  private final int firstK;
  private final int depth;
  private final int panels;
  private final int groups;
  private final int stripRows;
  private final int strips;

  private Gemm(ThreadPool pool, Product product, float @Nullable [] allGates, int firstK) {
    this.pool = pool;
    this.product = product;
    this.allGates = allGates;
    this.firstK = firstK;
    depth = depth(product.k - firstK);
    int threads = pool.threads();
    int m = product.m;
    int halves = product.halves();
    int nr = MICRO.columns();
    panels = Math.ceilDiv(product.n, nr);
    int maxPanels = Math.min(MAX_COLUMNS, GROUP / Math.clamp(depth, 1, DEPTH)) / halves / nr;
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

  /** How much of what is left of k is taken next. */
  private static int depth(int rest) {
    return rest <= DEPTH + MORE_DEPTH ? rest : DEPTH;
  }

  private int firstPanel(int group) {
    return (int) ((long) panels * group / groups);
  }

  /**
   * The packed columns of a group.
   *
   * @param values those of the results
   * @param gates those of their gates; null without gate
   */
  record Columns(PackedColumns values, @Nullable PackedColumns gates) {}

  /** Packs the panels of a group; the gates' follow the values'. */
  @Override
  public Columns prepare(int group, Scratch scratch) {
    int nr = MICRO.columns();
    int first = firstPanel(group) * nr;
    int size = firstPanel(group + 1) * nr - first;
    int columns = Math.min(size, product.n - first);
    MemorySegment panels = scratch.get(PANELS, size * depth * product.halves());
    PackedColumns values = new PackedColumns(panels, 0, columns, depth);
    values.pack(product.b, first, columns, firstK, pool, scratch);
    if (!product.gated) {
      return new Columns(values, null);
    }
    PackedColumns gates = new PackedColumns(panels, size * depth, columns, depth);
    gates.pack(product.b, product.n + first, columns, firstK, pool, scratch);
    return new Columns(values, gates);
  }

  /** A strip of rows against the panels of a group: values, then the gates of the same columns. */
  @Override
  public void run(int group, Columns packed, int strip, Scratch scratch) {
    int left = firstPanel(group) * MICRO.columns();
    int columns = packed.values.columns();
    int row = strip * stripRows;
    int rows = Math.min(stripRows, product.m - row);
    PackedRows a = new PackedRows(scratch.get(ROWS, PackedRows.size(rows, depth)), 0, rows);
    a.pack(product.a, row, firstK, depth, scratch);
    Results c = new Results(product.c, row * product.n + left, product.n);
    MacroKernel values = new MacroKernel(a, packed.values, c);
    MacroKernel gates =
        packed.gates == null
            ? null
            : new MacroKernel(a, packed.gates, gates(row, rows, left, columns, scratch));
    for (int j = 0, width; j < columns; j += width) {
      width = panelWidth(j, columns);
      Part part = new Part(row, rows, left + j, Math.min(width, columns - j));
      if (firstK == 0) {
        product.edges.start(part);
      }
      values.run(j, scratch);
      if (gates != null) {
        Results here = gates.c().from(j);
        if (firstK == 0) {
          product.edges.startGates(part, here);
        }
        gates.run(j, scratch);
        if (firstK + depth == product.k) {
          product.edges.finish(part, here);
        }
      }
    }
  }

  /** Where the gates of a strip stand. */
  private Results gates(int row, int rows, int left, int columns, Scratch scratch) {
    return allGates != null
        ? new Results(allGates, row * product.n + left, product.n)
        : new Results(scratch.get(GATES, rows * columns), 0, columns);
  }
}
