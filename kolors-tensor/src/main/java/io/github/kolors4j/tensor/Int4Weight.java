package io.github.kolors4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Integers of 4 bits, two in a byte, each times the scale of its row and rounded to F16: ChatGLM's
 * own format. The first of two stands in the upper half; both are signed.
 */
public final class Int4Weight implements ComputedWeight {
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;
  private final Shape shape;
  private final MemorySegment values;
  private final MemorySegment scales;
  private final int rows;
  private final int rowLength;

  /**
   * A weight over the bytes of a file.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape {@code [out, in]}, where {@code in} is even
   * @param values {@code [out, in / 2]} bytes; not copied, so they must live as long as the weight
   *     is used
   * @param scales F16, {@code [out]}; not copied
   * @throws IllegalArgumentException if rows are of odd length, or a length is not that of the
   *     shape
   */
  public Int4Weight(String name, Shape shape, MemorySegment values, MemorySegment scales) {
    this.name = name;
    this.shape = shape;
    this.values = values;
    this.scales = scales;
    rows = ComputedWeight.super.rows();
    rowLength = ComputedWeight.super.rowLength();
    if (rowLength % 2 != 0
        || values.byteSize() != shape.size() / 2
        || scales.byteSize() != 2L * rows) {
      throw new IllegalArgumentException(
          "[weight] %s: %s of 4 bits needs an even row, %d bytes and %d of F16 scales, but has %d and %d."
              .formatted(
                  name, shape, shape.size() / 2, 2L * rows, values.byteSize(), scales.byteSize()));
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int rowLength() {
    return rowLength;
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    Objects.checkFromIndexSize(from, count, rowLength);
    long first = ((long) Objects.checkIndex(row, rows) * rowLength + from) >> 1;
    float scale = Float.float16ToFloat(scales.get(SHORT, 2L * row));
    int head = Math.min(count, from & 1);
    if (head == 1) {
      target[at] = low(values.get(BYTE, first++), scale);
    }
    int pairs = (count - head) / 2;
    for (int i = 0; i < pairs; i++) {
      int two = values.get(BYTE, first + i);
      target[at + head + 2 * i] = high(two, scale);
      target[at + head + 2 * i + 1] = low(two, scale);
    }
    if (head + 2 * pairs < count) {
      target[at + count - 1] = high(values.get(BYTE, first + pairs), scale);
    }
  }

  private static float high(int two, float scale) {
    return Float.float16ToFloat(Float.floatToFloat16((two >> 4) * scale));
  }

  private static float low(int two, float scale) {
    return Float.float16ToFloat(Float.floatToFloat16((two << 28 >> 28) * scale));
  }

  /** {@code encoder.layers.0.mlp.dense_h_to_4h.weight I4 [27392, 4096]}. */
  @Override
  public String toString() {
    return name + " I4 " + shape;
  }
}
