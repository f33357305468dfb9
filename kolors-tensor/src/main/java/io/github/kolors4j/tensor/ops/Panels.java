package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Packs columns of B, which come as rows, into the micro-kernel's panels. */
final class Panels {
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

  // Slots of the scratch buffers.
  private static final int ROWS = Gemm.OPERAND + 1;
  private static final int COLUMNS = Gemm.OPERAND + 2;

  private static final Kernels KERNELS = KernelProvider.kernels();

  private Panels() {}

  /**
   * Packs a part of columns of B: panels of the micro-kernel's width, then panels of one vector,
   * the last filled up with zeros; a panel of column j begins at {@code j·kc}.
   *
   * @param source the columns, as rows
   * @param column the first
   * @param columns how many
   * @param k the first row of B
   * @param kc how many
   * @param panels where to; {@link Gemm#packedColumns} times kc values
   * @param po index of the first value written
   * @param scratch slots {@code Gemm.OPERAND + 1} and {@code + 2} are used
   */
  static void pack(
      Rows source,
      int column,
      int columns,
      int k,
      int kc,
      MemorySegment panels,
      int po,
      Scratch scratch) {
    for (int j = 0, width; j < columns; j += width) {
      width = Gemm.panelWidth(j, columns);
      int present = Math.min(width, columns - j);
      int first = column + j;
      pack(
          (row, from, count, to, at) -> source.read(first + row, k + from, count, to, at),
          present,
          width,
          kc,
          panels,
          po + j * kc,
          scratch);
    }
  }

  /**
   * Packs one panel.
   *
   * @param source its columns, as rows
   * @param present how many of them there are; the others become zeros
   * @param width of the panel
   * @param k length of the rows
   */
  static void pack(
      Rows source,
      int present,
      int width,
      int k,
      MemorySegment panels,
      int panel,
      Scratch scratch) {
    float[] rows = scratch.floats(ROWS, width * STRIDE);
    float[] columns = scratch.floats(COLUMNS, LENGTH * width);
    Arrays.fill(rows, present * STRIDE, width * STRIDE, 0);
    for (int k0 = 0; k0 < k; k0 += RUN) {
      int run = Math.min(RUN, k - k0);
      for (int i = 0; i < present; i++) {
        source.read(i, k0, run, rows, i * STRIDE);
      }
      for (int at = 0; at < run; at += LENGTH) {
        int length = Math.min(LENGTH, run - at);
        KERNELS.transpose(rows, at, STRIDE, width, length, columns, 0, width);
        long to = Float.BYTES * (panel + (long) (k0 + at) * width);
        MemorySegment.copy(columns, 0, panels, ValueLayout.JAVA_FLOAT, to, length * width);
      }
    }
  }
}
