package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import java.util.Arrays;

/**
 * What a linear layer multiplies: {@code x · Wᵀ}. Of a weight with an update of low rank, {@code W
 * + B · A}, it is either {@code x} and the sums, or, where that is faster, {@code [x | x · Aᵀ] · [W
 * | B]ᵀ}: the update is then some more values of k, and not one for each value of W.
 *
 * @param a the left operand
 * @param b the right one, a column as a row
 * @param k values of a row of each
 */
record LinearOperands(Rows a, Rows b, int k) {
  /** Samples that pass through a layer at once, as a rule: guidance has two. */
  private static final long SAMPLES = 2;

  /**
   * Ranks that take as long as what does not depend on the rank: x is packed once more, and its
   * product with A is narrow. 0.75 ns each of (n + k) · m and 0.006 more a rank, where sums take
   * 0.1 ns each of n · k and 0.0095 more a rank (one thread of Zen 5, 16 and 128).
   */
  private static final long APART_RANKS = 128;

  private static final long SUM_RANKS = 8;

  /** How long a rank takes apart, where one in sums takes 1. */
  private static final double APART_TIME = 0.625;

  /** The operands of a layer; what they need stands in the workspace's memory. */
  static LinearOperands of(Tensor x, Weight weight) {
    int k = x.dim(-1);
    if (!(weight instanceof UpdatedWeight sum) || !isFasterApart(x, sum)) {
      return new LinearOperands(new DenseRows(x.data(), k), new WeightRows(weight), k);
    }
    LinearOperands rest = of(x, sum.base());
    LowRank update = sum.update();
    int rank = update.rank();
    Rows up = (row, from, count, to, at, _) -> update.readUp(row, from, count, to, at);
    return new LinearOperands(
        new JoinedRows(rest.a, rest.k, new DenseRows(down(x, update), rank)),
        new JoinedRows(rest.b, rest.k, up),
        rest.k + rank);
  }

  private static boolean isFasterApart(Tensor x, UpdatedWeight sum) {
    long rows = x.shape().rows() / Math.max(x.dim(0), 1);
    return isFasterApart(x.workspace(), sum, rows * sum.rowLength(), rows);
  }

  /**
   * Whether an update is faster beside a layer than in its weight: a function of the shapes of the
   * weight, the update and a sample alone, so that a sample has the same bytes whatever others are
   * beside it. Where products go by BF16, weights are read as they are stored, and so summed.
   *
   * @param workspace whose products they are
   * @param sum the weight
   * @param down multiply-adds of a sample for each row of A
   * @param rows results of a sample, of as many values as B has rows
   */
  static boolean isFasterApart(Workspace workspace, UpdatedWeight sum, long down, long rows) {
    if (workspace.products().kernel().isPresent()) {
      return false;
    }
    long rank = sum.update().rank();
    long apart = SAMPLES * (down + rows * sum.rows());
    long sums = (long) sum.rows() * sum.rowLength();
    return APART_TIME * apart * (rank + APART_RANKS) < sums * (rank + SUM_RANKS);
  }

  /** {@code x · Aᵀ}: {@code [m, rank]}. */
  private static float[] down(Tensor x, LowRank update) {
    int m = x.shape().rows();
    int k = x.dim(-1);
    int rank = update.rank();
    float[] values = x.workspace().tensor(m, rank).data();
    Gemm.multiply(
        x.workspace(),
        new Gemm.Product(
            m,
            rank,
            k,
            new DenseRows(x.data(), k),
            (row, from, count, to, at, _) -> update.readDown(row, from, count, to, at),
            values,
            false,
            part -> {
              for (int i = part.row(); i < part.row() + part.rows(); i++) {
                int at = i * rank + part.column();
                Arrays.fill(values, at, at + part.columns(), 0);
              }
            }));
    return values;
  }
}
