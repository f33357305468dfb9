package io.github.kolors4j.tensor.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The innermost loop of the matrix product: a tile of {@code C += A · B} that stays in registers
 * while k runs, a row of A a broadcast.
 *
 * <p>Rows of A stand {@link #LDA} values apart, a constant, so that C2 reaches all of them from one
 * index: where the distance is a parameter, it adds for each row and round, and spills what it
 * adds. One core of Emerald Rapids, panels from L2, share of the peak: 6 × 4 at 512 bits 0.96
 * instead of 0.90, 5 × 2 at 256 bits on 16 registers 0.90 instead of 0.80.
 *
 * <p>B is a packed panel, outside of the heap and on a 64-byte border, so that none of its vectors
 * lies across two cache lines: 0.94 to 0.95 of one core's peak for a tile whose panel comes from
 * L2, where arrays, which begin 16 bytes after a border at best, give 0.87 (6 × 4 at 512 bits, Zen
 * 5). An index into a panel counts values.
 *
 * <p>Each result is one chain of fused multiply-adds over k, in order, from zero, whose end is
 * added to what C holds. So the tile's size never changes a bit.
 */
public interface MicroKernel {
  /** Length of a chain at most: part of the numbers, so the same on every machine. */
  int KC = 256;

  /**
   * From one row of A to the next: a cache line more than a chain, an odd number of lines, so that
   * the rows of a tile do not share a set of the caches.
   */
  int LDA = KC + 16;

  /**
   * Rows of a full tile (BLIS's MR).
   *
   * @return at least 1
   */
  int rows();

  /**
   * Columns of a full tile (BLIS's NR), which is the width of a full panel.
   *
   * @return a multiple of {@link #lanes()}
   */
  int columns();

  /**
   * Columns of a narrow tile: the values of one vector.
   *
   * @return at least 1
   */
  int lanes();

  /**
   * {@code rows() × columns()} results.
   *
   * @param kc length of the chains, at most {@link #KC}
   * @param a {@code A[i, k]} at {@code ao + i·LDA + k}
   * @param b {@code B[k, j]} at {@code bo + k·columns() + j}
   * @param c {@code C[i, j]} at {@code co + i·ldc + j}
   */
  void tile(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc);

  /** {@code rows() × lanes()} results; {@code B[k, j]} at {@code bo + k·lanes() + j}. */
  void narrowTile(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc);
}
