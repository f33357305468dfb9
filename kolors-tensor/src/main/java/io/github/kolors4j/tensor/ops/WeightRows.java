package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import io.github.kolors4j.tensor.Bf16Kernel.Values;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Weight;
import java.util.Optional;

/**
 * The rows of a weight.
 *
 * @param weight the weight
 */
record WeightRows(Weight weight) implements Rows {
  @Override
  public void read(int row, int from, int count, float[] to, int at, Scratch scratch) {
    weight.decode(row, from, count, to, at, scratch);
  }

  @Override
  public void read(
      int row, int rows, int from, int count, float[] to, int at, int stride, Scratch scratch) {
    weight.decodeRows(row, rows, from, count, to, at, stride, scratch);
  }

  /** Of a stored weight, what the file's type holds. */
  @Override
  public int pieces() {
    if (!(weight instanceof StoredWeight stored)) {
      return Rows.super.pieces();
    }
    return switch (stored.dtype()) {
      case F32 -> 3;
      case F16 -> 2;
      case BF16 -> 1;
    };
  }

  /** Some rows as they are stored; nothing of a weight that is computed. */
  Optional<Values> stored(int row, int rows) {
    if (!(weight instanceof StoredWeight stored)) {
      return Optional.empty();
    }
    int length = weight.rowLength();
    long stride = (long) stored.dtype().bytes() * length;
    Matrix matrix = new Matrix(stored.data(), row * stride, stride);
    return Optional.of(new Values(stored.dtype(), matrix, rows, length));
  }
}
