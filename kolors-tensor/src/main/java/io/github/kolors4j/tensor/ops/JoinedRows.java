package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;

/**
 * Rows that go on where others end: {@code [first | second]}.
 *
 * @param first the rows that begin
 * @param length values of each of them
 * @param second the rows that go on, as many
 */
record JoinedRows(Rows first, int length, Rows second) implements Rows {
  @Override
  public void read(int row, int from, int count, float[] to, int at, Scratch scratch) {
    int here = firstOf(from, count);
    if (here > 0) {
      first.read(row, from, here, to, at, scratch);
    }
    if (here < count) {
      second.read(row, from + here - length, count - here, to, at + here, scratch);
    }
  }

  @Override
  public void read(
      int row, int rows, int from, int count, float[] to, int at, int stride, Scratch scratch) {
    int here = firstOf(from, count);
    if (here > 0) {
      first.read(row, rows, from, here, to, at, stride, scratch);
    }
    if (here < count) {
      int next = from + here - length;
      second.read(row, rows, next, count - here, to, at + here, stride, scratch);
    }
  }

  /** How many values of a part are of the first rows. */
  private int firstOf(int from, int count) {
    return Math.clamp(length - from, 0, count);
  }
}
