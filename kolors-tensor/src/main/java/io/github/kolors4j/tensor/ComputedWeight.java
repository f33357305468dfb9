package io.github.kolors4j.tensor;

/**
 * A weight whose values are computed when they are read: integers times the scale of their row or
 * group, another float format, a base weight plus {@code s · B · A} (LoRA), or what else a
 * checkpoint or an adapter brings. Such a kind is one class, here or elsewhere; no layer and no
 * operation knows it.
 *
 * <p>What an implementation owes:
 *
 * <ul>
 *   <li>The bits of a value depend on its place in the weight alone, not on the part that it is
 *       read in: sums run in an order of their own. Otherwise a picture depends on the machine.
 *   <li>It allocates nothing large: what a part needs stands in {@code scratch}.
 *   <li>What does not depend on the part, as the norms of all rows, is computed once, when the
 *       weight is made.
 * </ul>
 *
 * <p>A weight made of others reads them by {@link #decode} and hands its own {@code scratch} on:
 * they get one of the next depth, so that a slot means another buffer in each, even where a kind
 * stands inside of itself, as an adapter over an adapter.
 */
public non-sealed interface ComputedWeight extends Weight {
  /**
   * Computes a part of a row. Called by {@link #decode}, which callers use.
   *
   * @param row which row, 0 to {@link #rows} − 1
   * @param from index of the first value in the row; packers read from anywhere, so it need not be
   *     the begin of a group
   * @param count how many values
   * @param target where to
   * @param at index of the first value written; others are left alone
   * @param scratch buffers of this weight on the calling thread: no other user's, of undefined
   *     content at first, and lost when it returns
   */
  void compute(int row, int from, int count, float[] target, int at, Scratch scratch);

  /**
   * Computes the same part of several rows: value by value what {@link #compute} gives, which is
   * what it does unless a kind has a faster way. Called by {@link #decodeRows}.
   *
   * @param row the first row
   * @param rows how many of them
   * @param from index of the first value in each
   * @param count how many values of each
   * @param target where to
   * @param at index of the first value written; others are left alone
   * @param stride from the first value of a row to that of the next in {@code target}
   * @param scratch as in {@link #compute}
   */
  default void computeRows(
      int row, int rows, int from, int count, float[] target, int at, int stride, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      compute(row + i, from, count, target, at + i * stride, scratch);
    }
  }

  @Override
  default void decodeRows(
      int row, int rows, int from, int count, float[] target, int at, int stride, Scratch scratch) {
    computeRows(row, rows, from, count, target, at, stride, scratch.inner());
  }

  @Override
  default void decode(int row, int from, int count, float[] target, int at, Scratch scratch) {
    compute(row, from, count, target, at, scratch.inner());
  }
}
