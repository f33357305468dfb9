package io.github.kolors4j.tensor;

import io.github.kolors4j.tensor.Scratch.Slot;

/**
 * A weight plus {@code scale · B · A}, as LoRA (Hu et al. 2021) has it: a kind that only the tests
 * know.
 *
 * @param base any weight
 * @param down A: {@code rank} rows of the base's length
 * @param up B: {@code [rows, rank]}
 * @param scale of the product
 */
public record LowRankWeight(Weight base, Weight down, Weight up, float scale)
    implements WeightOver {
  private static final Slot<float[]> DOWN = Slot.floats("a part of a row of A");
  private static final Slot<float[]> UP = Slot.floats("a row of B");

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    int rank = down.rows();
    float[] b = scratch.get(UP, rank);
    float[] a = scratch.get(DOWN, count);
    up.decode(row, 0, rank, b, 0, scratch);
    base.decode(row, from, count, target, at, scratch);
    for (int r = 0; r < rank; r++) {
      down.decode(r, from, count, a, 0, scratch);
      for (int i = 0; i < count; i++) {
        target[at + i] = Math.fma(scale * b[r], a[i], target[at + i]);
      }
    }
  }

  @Override
  public String toString() {
    return base + " + rank " + down.rows();
  }
}
