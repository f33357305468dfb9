package io.github.kolors4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * What the weights whose values a file has in another coding have in common: a name and a shape.
 */
abstract sealed class CodedWeight implements ComputedWeight
    permits Float8Weight, Int4Weight, Int8Weight {
  static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;
  private final Shape shape;
  private final int rows;
  private final int rowLength;

  CodedWeight(String name, Shape shape) {
    this.name = name;
    this.shape = shape;
    rows = ComputedWeight.super.rows();
    rowLength = ComputedWeight.super.rowLength();
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Shape shape() {
    return shape;
  }

  @Override
  public final int rows() {
    return rows;
  }

  @Override
  public final int rowLength() {
    return rowLength;
  }

  /** Where a part of a row begins among all values. */
  final long first(int row, int from, int count) {
    Objects.checkFromIndexSize(from, count, rowLength);
    return (long) Objects.checkIndex(row, rows) * rowLength + from;
  }

  /** An F16 of a file. */
  static float half(MemorySegment halves, long index) {
    return Float.float16ToFloat(halves.get(SHORT, 2 * index));
  }
}
