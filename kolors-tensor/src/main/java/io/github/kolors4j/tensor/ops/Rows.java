package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Scratch;

/**
 * The rows of A, or the columns of B, that are packed: a part of one at a time. A weight's are
 * those of {@link io.github.kolors4j.tensor.Weight#decode}.
 */
@FunctionalInterface
interface Rows {
  /**
   * Reads a part of a row.
   *
   * @param row which one
   * @param from index of the first value in it
   * @param count how many values
   * @param to where to
   * @param at index of the first value written
   * @param scratch of the thread that packs
   */
  void read(int row, int from, int count, float[] to, int at, Scratch scratch);

  /**
   * Reads the same part of several rows.
   *
   * @param row the first
   * @param rows how many
   * @param from index of the first value in each
   * @param count how many values of each
   * @param to where to
   * @param at index of the first value written
   * @param stride from the first value of a row to that of the next there
   * @param scratch of the thread that packs
   */
  default void read(
      int row, int rows, int from, int count, float[] to, int at, int stride, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      read(row + i, from, count, to, at + i * stride, scratch);
    }
  }

  /** How many pieces of BF16 make a value, see {@link Bf16Kernel}. */
  default int pieces() {
    return Bf16Kernel.PIECES;
  }
}
