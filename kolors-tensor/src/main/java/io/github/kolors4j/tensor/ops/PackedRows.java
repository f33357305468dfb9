package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.kernel.MicroKernel;

/**
 * A block of A as the micro-kernel reads it: its rows chain by chain, {@code [k / KC][rows][LDA]},
 * and as many rows as make whole tiles. Rows that fill up the last tile keep what stood there
 * before: what becomes of them goes nowhere.
 *
 * @param data the array
 * @param offset where the block begins
 * @param rows how many rows it has
 */
record PackedRows(float[] data, int offset, int rows) {
  /** Where a value stands. */
  int at(int row, int k) {
    return offset + offset(rows, row, k);
  }

  /**
   * Packs rows into this block.
   *
   * @param source the rows of A
   * @param row the first
   * @param k first column
   * @param kc how many columns
   * @param scratch of the thread that packs
   */
  void pack(Rows source, int row, int k, int kc, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      for (int q = 0; q < kc; q += MicroKernel.KC) {
        source.read(row + i, k + q, Math.min(MicroKernel.KC, kc - q), data, at(i, q), scratch);
      }
    }
  }

  /** Values that a block takes. */
  static int size(int rows, int k) {
    return Math.ceilDiv(k, MicroKernel.KC) * wholeTiles(rows) * MicroKernel.LDA;
  }

  /** From the begin of a block to a value of it. */
  static int offset(int rows, int row, int k) {
    return (k / MicroKernel.KC * wholeTiles(rows) + row) * MicroKernel.LDA + k % MicroKernel.KC;
  }

  /** Rows up to a whole number of tiles. */
  static int wholeTiles(int rows) {
    return Math.ceilDiv(rows, Gemm.tileRows()) * Gemm.tileRows();
  }
}
