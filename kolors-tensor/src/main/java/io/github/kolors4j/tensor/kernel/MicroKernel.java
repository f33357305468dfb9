package io.github.kolors4j.tensor.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The innermost loop of the matrix product: a tile of {@code C += A · B} that stays in registers
 * while k runs. A is read in place, a row a broadcast; B is a packed panel, outside of the heap and
 * on a 64-byte border, so that none of its vectors lies across two cache lines: 0.94 to 0.95 of one
 * core's peak for a tile whose panel comes from L2, where arrays, which begin 16 bytes after a
 * border at best, give 0.87 (6 × 4 at 512 bits, Zen 5). An index into a panel counts values.
 *
 * <p>Each result is one chain of fused multiply-adds over k, in order, from zero, whose end is
 * added to what C holds. So the tile's size never changes a bit.
 */
public interface MicroKernel {
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
   * @param kc length of the chains
   * @param a {@code A[i, k]} at {@code ao + i·lda + k}
   * @param b {@code B[k, j]} at {@code bo + k·columns() + j}
   * @param c {@code C[i, j]} at {@code co + i·ldc + j}
   */
  void tile(
      int kc, float[] a, int ao, int lda, MemorySegment b, int bo, float[] c, int co, int ldc);

  /** {@code 1 × columns()} results. */
  void row(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co);

  /** {@code rows() × lanes()} results; {@code B[k, j]} at {@code bo + k·lanes() + j}. */
  void narrowTile(
      int kc, float[] a, int ao, int lda, MemorySegment b, int bo, float[] c, int co, int ldc);

  /** {@code 1 × lanes()} results; {@code B[k, j]} at {@code bo + k·lanes() + j}. */
  void narrowRow(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co);
}
