package io.github.kolors4j.tensor;

/**
 * Integers of 8 bits, a factor for each row: a kind that only the tests know.
 *
 * @param name for messages
 * @param shape of the values
 * @param values in row-major order
 * @param scales a factor for each row
 */
public record ScaledInt8Weight(String name, Shape shape, byte[] values, float[] scales)
    implements ComputedWeight {
  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    int first = row * rowLength() + from;
    for (int i = 0; i < count; i++) {
      target[at + i] = values[first + i] * scales[row];
    }
  }

  @Override
  public String toString() {
    return name + " I8 " + shape;
  }
}
