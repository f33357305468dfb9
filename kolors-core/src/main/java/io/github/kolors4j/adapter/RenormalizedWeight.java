package io.github.kolors4j.adapter;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.WeightOver;

/**
 * A weight whose outputs or inputs have magnitudes that were learnt by themselves: DoRA (Liu et al.
 * 2024). {@code m · V / ‖V‖}, where V is the weight with its update.
 */
final class RenormalizedWeight implements WeightOver {
  private final Weight base;

  /** Magnitude over norm: of each row, or of each input of it. */
  private final float[] factors;

  /** Whether factors are of the rows. */
  private final boolean ofRows;

  /** Values of a row that have one factor, where factors are of the inputs: those of a kernel. */
  private final int kernel;

  private RenormalizedWeight(Weight direction, float[] factors, boolean ofRows) {
    base = direction;
    this.factors = factors;
    this.ofRows = ofRows;
    this.kernel = ofRows ? 1 : direction.rowLength() / factors.length;
  }

  /**
   * A weight whose rows get magnitudes.
   *
   * @param direction the weight with its update; all of it is read once, for the norms
   * @param magnitudes one a row
   */
  static RenormalizedWeight byRows(Weight direction, float[] magnitudes) {
    double[] squares = new double[magnitudes.length];
    read(direction, (row, _, value) -> squares[row] += value * value);
    return new RenormalizedWeight(direction, factors(magnitudes, squares), true);
  }

  /**
   * A weight whose inputs get magnitudes.
   *
   * @param direction the weight with its update; all of it is read once, for the norms
   * @param magnitudes one an input; each is of all rows, and of a whole kernel of a convolution
   */
  static RenormalizedWeight byInputs(Weight direction, float[] magnitudes) {
    double[] squares = new double[magnitudes.length];
    int kernel = direction.rowLength() / magnitudes.length;
    read(direction, (_, column, value) -> squares[column / kernel] += value * value);
    return new RenormalizedWeight(direction, factors(magnitudes, squares), false);
  }

  /** One value of a weight. */
  private interface Reader {
    void value(int row, int column, double value);
  }

  private static void read(Weight weight, Reader reader) {
    float[] values = weight.toFloats();
    int length = weight.rowLength();
    for (int i = 0; i < values.length; i++) {
      reader.value(i / length, i % length, values[i]);
    }
  }

  private static float[] factors(float[] magnitudes, double[] squares) {
    float[] factors = new float[magnitudes.length];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (magnitudes[i] / Math.sqrt(squares[i]));
    }
    return factors;
  }

  @Override
  public Weight base() {
    return base;
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    base.decode(row, from, count, target, at, scratch);
    multiply(row, from, count, target, at);
  }

  @Override
  public void computeRows(
      int row, int rows, int from, int count, float[] target, int at, int stride, Scratch scratch) {
    base.decodeRows(row, rows, from, count, target, at, stride, scratch);
    for (int i = 0; i < rows; i++) {
      multiply(row + i, from, count, target, at + i * stride);
    }
  }

  private void multiply(int row, int from, int count, float[] target, int at) {
    for (int i = 0; i < count; i++) {
      target[at + i] *= factors[ofRows ? row : (from + i) / kernel];
    }
  }

  @Override
  public String toString() {
    return base + ", renormalized";
  }
}
