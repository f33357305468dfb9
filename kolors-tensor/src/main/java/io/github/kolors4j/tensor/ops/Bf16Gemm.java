package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Kernel.Block;
import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import io.github.kolors4j.tensor.Bf16Kernel.Values;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.Cpu;
import io.github.kolors4j.tensor.ops.Gemm.Part;
import io.github.kolors4j.tensor.ops.Gemm.Product;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The loops around a {@link Bf16Kernel}. Where {@link Gemm} packs rows of A for each group of
 * columns, here they are packed once: as BF16 they take half the memory, and a pass over F32 rows
 * would cost a fast kernel more than it costs a slow one.
 *
 * <p>A group's columns are packed with all of k. A strip of rows goes through k in parts of {@link
 * #DEPTH}, and with each part against all panels of the group, so that its results stay in L2.
 *
 * <p>Every result is a sum of the products of each part and of each pair of pieces, in one order;
 * how the work is cut into groups and strips does not show in it.
 */
final class Bf16Gemm implements Groups.Work<Bf16Gemm.Columns> {
  private static final int NR = Bf16Kernel.PANEL;

  /** The part of k that a tile goes through at once: a panel has 328 kB of it. */
  private static final int DEPTH = 2560;

  /** Bytes of packed rows, at most, before all columns pass by: so much more memory is needed. */
  private static final int ROWS_BYTES = 32 << 20;

  /** Bytes of a strip's part of k, which stay in L2 with the panel that they meet. */
  private static final int STRIP_BYTES = Math.clamp(Cpu.l2Bytes() / 2, 240 * 1024, 480 * 1024);

  /** Columns of a group at most. */
  private static final int MAX_COLUMNS = 640;

  /** Bytes of a group at most: a core's share of L3. */
  private static final int GROUP_BYTES = 4 << 20;

  private static final int MIN_PANELS = 2;
  private static final int TASKS_PER_THREAD = 4;

  /** Multiply-adds that are worth a task. */
  private static final int MIN_WORK = 1 << 22;

  /** Rows of A that a task packs. */
  private static final int PACKED_ROWS = 32;

  /** Values of a column that are decoded at a time, where the kernel cannot read them. */
  private static final int RUN = 640;

  private static final Slot<MemorySegment> PANELS = Slot.panels("a group of B in BF16");
  private static final Slot<float[]> GATES = Slot.floats("gates of a strip and a group");
  private static final Slot<float[]> ROW = Slot.floats("a row of A");
  private static final Slot<MemorySegment> STORED = Slot.panels("columns of B as they are stored");
  private static final Slot<float[]> COLUMNS = Slot.floats("columns of B as rows");

  /**
   * The packed columns of a group.
   *
   * @param values those of the results
   * @param gates those of their gates; null without gate
   */
  record Columns(Panels values, @Nullable Panels gates) {}

  private final ThreadPool pool;
  private final Product product;
  private final Bf16Kernel kernel;
  private final PairsOfPieces pairs;

  /** Of A and B when packed: k up to a whole number of steps. */
  private final int depth;

  /** The rows that are packed, of all rows of A. */
  private final int firstRow;

  private final int rows;
  private final BlockRows a;
  private final int panels;
  private final int groups;
  private final int stripRows;
  private final int strips;

  /** Columns of B in panels, a piece after the other. */
  private record Panels(
      Bf16Kernel kernel, MemorySegment data, long offset, int columns, int depth) {
    /** Bytes that the panels of one piece take. */
    static long bytes(Bf16Kernel kernel, int columns, int depth) {
      return (long) wholeColumns(kernel, columns) * depth * Bf16Kernel.BYTES;
    }

    private static int wholeColumns(Bf16Kernel kernel, int columns) {
      return Math.ceilDiv(columns, kernel.columns()) * kernel.columns();
    }

    /** A panel from a value of k on. */
    Matrix panel(int piece, int column, int k) {
      int width = Math.min(NR, wholeColumns(kernel, columns - column));
      long at =
          offset
              + piece * bytes(kernel, columns, depth)
              + ((long) column * depth + (long) k * width) * Bf16Kernel.BYTES;
      return new Matrix(data, at, 2L * width * Bf16Kernel.BYTES);
    }
  }

  /** Rows of A, a piece after the other; an odd number of cache lines from one to the next. */
  private record BlockRows(MemorySegment data, int rows, long stride) {
    static long stride(int depth) {
      return (depth / Bf16Kernel.STEP | 1L) * Bf16Kernel.STEP * Bf16Kernel.BYTES;
    }

    /** Rows from a value of k on. */
    Matrix matrix(int piece, int row, int k) {
      return new Matrix(
          data, ((long) piece * rows + row) * stride + (long) k * Bf16Kernel.BYTES, stride);
    }
  }

  /**
   * Computes a product.
   *
   * @param workspace whose threads compute
   * @param product what is computed; neither side of it is empty
   * @param kernel what multiplies
   */
  static void multiply(Workspace workspace, Product product, Bf16Kernel kernel) {
    int depth = Math.ceilDiv(product.k(), Bf16Kernel.STEP) * Bf16Kernel.STEP;
    PairsOfPieces pairs =
        PairsOfPieces.of(workspace.products(), product.a().pieces(), product.b().pieces());
    long bytes = BlockRows.stride(depth) * pairs.ofA();
    int most = (int) Math.max(ROWS_BYTES / bytes / kernel.rows(), 1) * kernel.rows();
    for (int row = 0; row < product.m(); row += most) {
      int rows = Math.min(most, product.m() - row);
      int whole = Math.ceilDiv(rows, kernel.rows()) * kernel.rows();
      MemorySegment packed = workspace.panels(Math.toIntExact(whole * bytes / Float.BYTES));
      BlockRows a = new BlockRows(packed, whole, BlockRows.stride(depth));
      Bf16Gemm part = new Bf16Gemm(workspace, product, kernel, pairs, a, row, rows, depth);
      workspace.threads().run(Math.ceilDiv(rows, PACKED_ROWS), part::packRows);
      Groups.run(workspace.threads(), part.groups, part.strips, part);
    }
  }

  private Bf16Gemm(
      Workspace workspace,
      Product product,
      Bf16Kernel kernel,
      PairsOfPieces pairs,
      BlockRows a,
      int firstRow,
      int rows,
      int depth) {
    this.pool = workspace.threads();
    this.product = product;
    this.kernel = kernel;
    this.pairs = pairs;
    this.a = a;
    this.firstRow = firstRow;
    this.rows = rows;
    this.depth = depth;
    int threads = workspace.threads().threads();
    int halves = product.gated() ? 2 : 1;
    panels = Math.ceilDiv(product.n(), NR);
    int columnBytes = Math.max(depth, 1) * Bf16Kernel.BYTES * pairs.ofB() * halves;
    int maxPanels = Math.min(MAX_COLUMNS / halves, GROUP_BYTES / columnBytes) / NR;
    int least = Math.ceilDiv(panels, Math.max(maxPanels, 1));
    int even = Math.ceilDiv(least, threads) * threads;
    groups = Math.clamp(panels / MIN_PANELS, least, even);
    long work = (long) rows * depth * Math.ceilDiv(panels, groups) * NR * halves * pairs.count();
    int wanted = Math.ceilDiv(threads * TASKS_PER_THREAD, groups);
    int tasks = threads == 1 ? 1 : Math.clamp(work / MIN_WORK, 1, wanted);
    int rowBytes = Math.clamp(depth, 1, DEPTH) * Bf16Kernel.BYTES * pairs.ofA();
    int maxRows = Math.max(Math.min(STRIP_BYTES / rowBytes, Math.ceilDiv(rows, tasks)), 1);
    int evenRows = Math.ceilDiv(rows, Math.ceilDiv(rows, maxRows));
    stripRows = Math.ceilDiv(evenRows, kernel.rows()) * kernel.rows();
    strips = Math.ceilDiv(rows, stripRows);
  }

  /** Packs some rows of A, all pieces of them. */
  private void packRows(int task, Scratch scratch) {
    int first = task * PACKED_ROWS;
    int count = Math.min(PACKED_ROWS, rows - first);
    if (product.a() instanceof DenseRows dense) {
      packRows(dense.values(firstRow + first, count), first);
      return;
    }
    float[] row = scratch.get(ROW, product.k());
    for (int i = first; i < first + count; i++) {
      product.a().read(firstRow + i, 0, product.k(), row, 0, scratch);
      packRows(new DenseRows(row, product.k()).values(0, 1), i);
    }
  }

  private void packRows(Values values, int row) {
    for (int piece = 0; piece < pairs.ofA(); piece++) {
      kernel.packRows(values, piece, a.matrix(piece, row, 0));
    }
  }

  private int firstPanel(int group) {
    return (int) ((long) panels * group / groups);
  }

  /** Packs the panels of a group; the gates' follow the values'. */
  @Override
  public Columns prepare(int group, Scratch scratch) {
    int first = firstPanel(group) * NR;
    int columns = Math.min(firstPanel(group + 1) * NR, product.n()) - first;
    long bytes = Panels.bytes(kernel, columns, depth) * pairs.ofB();
    int halves = product.gated() ? 2 : 1;
    MemorySegment data = scratch.get(PANELS, Math.toIntExact(bytes * halves / Float.BYTES));
    Panels values = new Panels(kernel, data, 0, columns, depth);
    pack(values, first, scratch);
    if (!product.gated()) {
      return new Columns(values, null);
    }
    Panels gates = new Panels(kernel, data, bytes, columns, depth);
    pack(gates, product.n() + first, scratch);
    return new Columns(values, gates);
  }

  private void pack(Panels to, int first, Scratch scratch) {
    for (int j = 0; j < to.columns; j += NR) {
      pool.checkStopped();
      int columns = Math.min(NR, to.columns - j);
      Values stored =
          product.b() instanceof WeightRows weight
              ? weight.stored(first + j, columns).orElse(null)
              : null;
      if (stored != null) {
        pack(copied(stored, scratch), to, j, 0);
      } else {
        packDecoded(to, first, j, columns, scratch);
      }
    }
  }

  /**
   * The same values out of the file: where a mapped file was cut short, Java's copy throws, and
   * machine code would end the process.
   */
  private static Values copied(Values stored, Scratch scratch) {
    Matrix from = stored.matrix();
    long bytes = stored.rows() * from.stride();
    MemorySegment copy = scratch.get(STORED, Math.toIntExact(Math.ceilDiv(bytes, Float.BYTES)));
    MemorySegment.copy(from.data(), from.offset(), copy, 0, bytes);
    Matrix matrix = new Matrix(copy, 0, from.stride());
    return new Values(stored.dtype(), matrix, stored.rows(), stored.length());
  }

  /** Columns that have to be computed first, a part of k at a time. */
  private void packDecoded(Panels to, int first, int j, int columns, Scratch scratch) {
    float[] rows = scratch.get(COLUMNS, NR * RUN);
    for (int k = 0; k < product.k(); k += RUN) {
      int run = Math.min(RUN, product.k() - k);
      product.b().read(first + j, columns, k, run, rows, 0, run, scratch);
      pack(new DenseRows(rows, run).values(0, columns), to, j, k);
    }
  }

  private void pack(Values values, Panels to, int j, int k) {
    for (int piece = 0; piece < pairs.ofB(); piece++) {
      kernel.packColumns(values, piece, to.panel(piece, j, k));
    }
  }

  /** A strip of rows against the panels of a group: values, then the gates of the same columns. */
  @Override
  public void run(int group, Columns packed, int strip, Scratch scratch) {
    int row = strip * stripRows;
    int count = Math.min(stripRows, rows - row);
    int column = firstPanel(group) * NR;
    int columns = packed.values.columns;
    Part part = new Part(firstRow + row, count, column, columns);
    product.edges().start(part);
    int at = part.row() * product.n() + column;
    multiply(row, count, packed.values, new Results(product.c(), at, product.n()));
    if (packed.gates != null) {
      Results gates = new Results(scratch.get(GATES, count * columns), 0, columns);
      product.edges().startGates(part, gates);
      multiply(row, count, packed.gates, gates);
      product.edges().finish(part, gates);
    }
  }

  private void multiply(int row, int count, Panels b, Results c) {
    long stride = (long) Float.BYTES * c.stride();
    Matrix results =
        new Matrix(MemorySegment.ofArray(c.data()), (long) Float.BYTES * c.offset(), stride);
    for (int k = 0; k < depth; k += DEPTH) {
      int length = Math.min(DEPTH, depth - k);
      for (int j = 0; j < b.columns; j += NR) {
        Block block = new Block(count, Math.min(NR, b.columns - j), length);
        for (PairsOfPieces.Pair pair : pairs.pairs()) {
          kernel.multiply(
              block,
              a.matrix(pair.a(), row, k),
              b.panel(pair.b(), j, k),
              results.from((long) Float.BYTES * j));
        }
      }
    }
  }
}
