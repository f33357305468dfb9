package io.github.kolors4j.tensor;

/**
 * A weight plus a matrix of low rank, as LoRA makes of a checkpoint's (Hu et al. 2021). Whoever
 * reads its rows gets the sums, {@code W + B · A}. A linear layer may leave the two apart instead,
 * where {@code x · Wᵀ + (x · Aᵀ) · Bᵀ} takes fewer operations.
 *
 * @param base any weight
 * @param update what is added, with as many rows of as many values
 */
public record UpdatedWeight(Weight base, LowRank update) implements WeightOver {
  /**
   * Checks the shapes.
   *
   * @throws IllegalArgumentException if the update is of another shape than the base
   */
  public UpdatedWeight {
    if (update.rows() != base.rows() || update.rowLength() != base.rowLength()) {
      throw new IllegalArgumentException(
          "[weight] %s: an update of %s has not the %s rows of %s values."
              .formatted(base, update, base.rows(), base.rowLength()));
    }
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    base.decode(row, from, count, target, at, scratch);
    update.addTo(row, from, count, target, at);
  }

  @Override
  public void computeRows(
      int row, int rows, int from, int count, float[] target, int at, int stride, Scratch scratch) {
    base.decodeRows(row, rows, from, count, target, at, stride, scratch);
    update.addTo(row, rows, from, count, target, at, stride);
  }

  /** {@code unet.conv_in.weight F16 [320, 4, 3, 3] + rank 16, [320, 36]}. */
  @Override
  public String toString() {
    return base + " + " + update;
  }
}
