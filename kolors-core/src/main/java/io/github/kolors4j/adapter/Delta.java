package io.github.kolors4j.adapter;

import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import java.util.Arrays;

/** What an adapter adds to a weight: a matrix of the weight's rows. */
sealed interface Delta {
  /** Rows of the weight. */
  int rows();

  /** Values of a row of the weight. */
  int rowLength();

  /** This matrix times a number. */
  Delta times(float factor);

  /** A weight plus this matrix. */
  Weight addedTo(Weight base);

  /**
   * A matrix that is not of low rank, computed part by part. A value's bits do not depend on the
   * part that it is computed in.
   */
  sealed interface InParts extends Delta {
    /**
     * Adds a part of a row.
     *
     * @param scratch buffers of the weight that is being computed
     */
    void addTo(int row, int from, int count, float[] target, int at, Scratch scratch);

    @Override
    default Weight addedTo(Weight base) {
      return new AdaptedWeight(base, this);
    }
  }

  /** {@code B · A}: LoRA, and LoCon for convolutions. */
  record Product(LowRank matrix) implements Delta {
    @Override
    public int rows() {
      return matrix.rows();
    }

    @Override
    public int rowLength() {
      return matrix.rowLength();
    }

    @Override
    public Delta times(float factor) {
      return new Product(matrix.times(factor));
    }

    @Override
    public Weight addedTo(Weight base) {
      return new UpdatedWeight(base, matrix);
    }
  }

  /** The product, value by value, of two matrices of low rank: LoHa (Hyeon-Woo et al. 2022). */
  record Hadamard(LowRank first, LowRank second, float scale) implements InParts {
    private static final Slot<float[]> FIRST = Slot.floats("a part of a row of the first factor");
    private static final Slot<float[]> SECOND = Slot.floats("a part of a row of the second factor");

    @Override
    public int rows() {
      return first.rows();
    }

    @Override
    public int rowLength() {
      return first.rowLength();
    }

    @Override
    public Delta times(float factor) {
      return new Hadamard(first, second, scale * factor);
    }

    @Override
    public void addTo(int row, int from, int count, float[] target, int at, Scratch scratch) {
      float[] a = part(first, row, from, count, scratch.get(FIRST, count));
      float[] b = part(second, row, from, count, scratch.get(SECOND, count));
      for (int i = 0; i < count; i++) {
        target[at + i] = Math.fma(scale * a[i], b[i], target[at + i]);
      }
    }

    private static float[] part(LowRank of, int row, int from, int count, float[] target) {
      Arrays.fill(target, 0, count, 0);
      of.addTo(row, from, count, target, 0);
      return target;
    }
  }

  /**
   * Kronecker's product of two matrices: LoKr (Yeh et al. 2024). A row is the second's row once for
   * each value of the first's; of a convolution, the second has the kernels.
   *
   * @param first {@code [rows, columns]}
   * @param second {@code [rows, columns]}, kernels included
   */
  record Kronecker(Matrix first, Matrix second, float scale) implements InParts {
    @Override
    public int rows() {
      return first.rows() * second.rows();
    }

    @Override
    public int rowLength() {
      return first.columns() * second.columns();
    }

    @Override
    public Delta times(float factor) {
      return new Kronecker(first, second, scale * factor);
    }

    @Override
    public void addTo(int row, int from, int count, float[] target, int at, Scratch scratch) {
      int width = second.columns();
      int ofFirst = row / second.rows() * first.columns();
      int ofSecond = row % second.rows() * width;
      for (int i = 0; i < count; i++) {
        int column = from + i;
        float factor = scale * first.values()[ofFirst + column / width];
        float value = second.values()[ofSecond + column % width];
        target[at + i] = Math.fma(factor, value, target[at + i]);
      }
    }
  }
}
