package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A block of B as the micro-kernel reads it: panels of its width, then panels of one vector, the
 * last filled up with zeros. The panel of column j begins {@code j · depth} values after the first.
 *
 * @param data outside of the heap
 * @param offset where the block begins
 * @param columns how many columns it has
 * @param depth rows of B
 */
record PackedColumns(MemorySegment data, int offset, int columns, int depth) {
  /**
   * Values of a row that are decoded at a time, enough for the vector loop that C2 makes of it: 8
   * to 9 values a nanosecond from 256 on, 1.2 up to 128 (Emerald Rapids).
   */
  private static final int RUN = 640;

  /**
   * From one decoded row to the next: a cache line more, or 64 rows would share a few sets of L1.
   */
  private static final int STRIDE = RUN + 16;

  /** Values of a row that are transposed at a time: 64 columns of them take 16 kB. */
  private static final int LENGTH = 64;

  private static final Slot<float[]> ROWS = Slot.floats("columns of B as rows");
  private static final Slot<float[]> TRANSPOSED = Slot.floats("columns of B");

  private static final Kernels KERNELS = KernelProvider.kernels();

  /**
   * Width of the panel that begins at a column: of the micro-kernel's full tile, or its narrow one.
   */
  int width(int column) {
    return Gemm.panelWidth(column, columns);
  }

  /** Where a row of B begins in the panel that begins at a column. */
  int at(int column, int k) {
    return offset + column * depth + k * width(column);
  }

  /**
   * Packs a part of columns of B into this block.
   *
   * @param source the columns, as rows
   * @param column the first
   * @param present how many of them there are; the others of this block become zeros
   * @param k the first row of B
   * @param threads of the operation, which ends between two panels when nobody wants it any more: a
   *     panel of a weight that is still on the disk can take some hundred accesses to that
   * @param scratch of the thread that packs
   */
  void pack(Rows source, int column, int present, int k, ThreadPool threads, Scratch scratch) {
    for (int j = 0; j < columns; j += width(j)) {
      threads.checkStopped();
      packPanel(j, source, column + j, Math.max(present - j, 0), k, scratch);
    }
  }

  /** Packs the panel that begins at column j of this block. */
  private void packPanel(int j, Rows source, int column, int present, int k, Scratch scratch) {
    int width = width(j);
    int here = Math.min(present, width);
    float[] rows = scratch.get(ROWS, width * STRIDE);
    float[] transposed = scratch.get(TRANSPOSED, LENGTH * width);
    Arrays.fill(rows, here * STRIDE, width * STRIDE, 0);
    for (int k0 = 0; k0 < depth; k0 += RUN) {
      int run = Math.min(RUN, depth - k0);
      source.read(column, here, k + k0, run, rows, 0, STRIDE, scratch);
      for (int q = 0; q < run; q += LENGTH) {
        int length = Math.min(LENGTH, run - q);
        KERNELS.transpose(rows, q, STRIDE, width, length, transposed, 0, width);
        long bytes = (long) Float.BYTES * at(j, k0 + q);
        MemorySegment.copy(transposed, 0, data, ValueLayout.JAVA_FLOAT, bytes, length * width);
      }
    }
  }
}
