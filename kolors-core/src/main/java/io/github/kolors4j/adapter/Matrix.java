package io.github.kolors4j.adapter;

/**
 * Values of an adapter's file as a matrix: its first axis, and all others.
 *
 * @param values in row-major order
 * @param rows the first extent
 * @param columns the product of the others
 */
record Matrix(float[] values, int rows, int columns) {
  /** The product {@code this · right}, summed in order, in F32. */
  Matrix times(Matrix right) {
    float[] product = new float[rows * right.columns];
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < columns; k++) {
        float factor = values[i * columns + k];
        for (int j = 0; j < right.columns; j++) {
          int at = i * right.columns + j;
          product[at] = Math.fma(factor, right.values[k * right.columns + j], product[at]);
        }
      }
    }
    return new Matrix(product, rows, right.columns);
  }

  Matrix transposed() {
    float[] swapped = new float[values.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        swapped[j * rows + i] = values[i * columns + j];
      }
    }
    return new Matrix(swapped, columns, rows);
  }

  @Override
  public String toString() {
    return "[" + rows + ", " + columns + "]";
  }
}
