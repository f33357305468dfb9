package io.github.kolors4j.tensor;

import java.util.Arrays;
import java.util.Objects;

/**
 * F32 values with a shape, in PyTorch's order: what goes into and comes out of the pipeline beside
 * text and pictures. Latents are {@code [n, c, h, w]} here, embeddings {@code [n, s, d]}.
 * Immutable.
 */
public final class FloatArray {
  private final Shape shape;
  private final float[] values;

  private FloatArray(Shape shape, float[] values) {
    this.shape = shape;
    this.values = values;
  }

  /**
   * An array of the given values.
   *
   * @param values row-major; copied
   * @param dims the extents, outermost first
   * @return the array
   * @throws IllegalArgumentException if the number of values is not that of the extents
   */
  public static FloatArray of(float[] values, int... dims) {
    return wrap(Objects.requireNonNull(values, "values").clone(), dims);
  }

  /**
   * An array over values that are not copied.
   *
   * @param values row-major; nobody may write to them afterwards
   * @param dims the extents, outermost first
   * @return the array
   * @throws IllegalArgumentException if the number of values is not that of the extents
   */
  public static FloatArray wrap(float[] values, int... dims) {
    Shape shape = Shape.of(dims);
    if (values.length != shape.size()) {
      throw new IllegalArgumentException(
          "[array] %s values do not fill %s, which has %s."
              .formatted(values.length, shape, shape.size()));
    }
    return new FloatArray(shape, values);
  }

  /**
   * The shape.
   *
   * @return the extents
   */
  public Shape shape() {
    return shape;
  }

  /**
   * The values in row-major order.
   *
   * @return a new array
   */
  public float[] values() {
    return values.clone();
  }

  /**
   * Copies a run of values.
   *
   * @param from index of the first value in row-major order
   * @param target where to
   * @param at index of the first value written
   * @param count how many
   * @throws IndexOutOfBoundsException if there are not as many, here or there
   */
  public void copyTo(int from, float[] target, int at, int count) {
    System.arraycopy(values, from, target, at, count);
  }

  /**
   * One row of a batch.
   *
   * @param row 0 to n − 1 of {@code [n, …]}
   * @return a copy, {@code [1, …]}
   */
  public FloatArray row(int row) {
    return row(values, shape, row);
  }

  /**
   * One row of a batch that is no array of this kind.
   *
   * @param values of the batch, row-major
   * @param batch its shape {@code [n, …]}
   * @param row 0 to n − 1
   * @return a copy, {@code [1, …]}
   */
  public static FloatArray row(float[] values, Shape batch, int row) {
    int[] dims = batch.dims();
    int length = batch.size() / dims[0];
    dims[0] = 1;
    return wrap(Arrays.copyOfRange(values, row * length, (row + 1) * length), dims);
  }

  /**
   * As many zeros.
   *
   * @return an array of the same shape
   */
  public FloatArray zeros() {
    return new FloatArray(shape, new float[values.length]);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FloatArray array
        && shape.equals(array.shape)
        && Arrays.equals(values, array.values);
  }

  @Override
  public int hashCode() {
    return 31 * shape.hashCode() + Arrays.hashCode(values);
  }

  /** {@code FloatArray[1, 4, 128, 128]}. */
  @Override
  public String toString() {
    return "FloatArray" + shape;
  }
}
