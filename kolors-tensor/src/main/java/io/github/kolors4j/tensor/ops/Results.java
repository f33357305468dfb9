package io.github.kolors4j.tensor.ops;

/**
 * A block of C: rows of results in an array.
 *
 * @param data the array
 * @param offset where the first row begins
 * @param stride values from one row to the next
 */
record Results(float[] data, int offset, int stride) {
  /** Where a row begins. */
  int at(int row) {
    return offset + row * stride;
  }

  /** The same rows from a column on. */
  Results from(int column) {
    return new Results(data, offset + column, stride);
  }
}
