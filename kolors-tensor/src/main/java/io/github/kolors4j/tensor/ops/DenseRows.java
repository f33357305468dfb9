package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import io.github.kolors4j.tensor.Bf16Kernel.Values;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * Rows that stand one behind the other in an array.
 *
 * @param data the array
 * @param length values of a row
 * @param pieces how many pieces of BF16 make a value
 */
record DenseRows(float[] data, int length, int pieces) implements Rows {
  /** Any values. */
  DenseRows(float[] data, int length) {
    this(data, length, Bf16Kernel.PIECES);
  }

  @Override
  public void read(int row, int from, int count, float[] to, int at, Scratch scratch) {
    System.arraycopy(data, row * length + from, to, at, count);
  }

  /** Some rows where they stand. */
  Values values(int row, int rows) {
    long stride = (long) Float.BYTES * length;
    Matrix matrix = new Matrix(MemorySegment.ofArray(data), row * stride, stride);
    return new Values(DType.F32, matrix, rows, length);
  }
}
