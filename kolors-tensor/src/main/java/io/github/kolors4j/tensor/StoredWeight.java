package io.github.kolors4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A weight as a file has it: little-endian values of one of the types of {@link DType}, usually a
 * slice of a mapped file.
 */
public final class StoredWeight implements Weight {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;
  private final Shape shape;
  private final DType dtype;
  private final MemorySegment data;
  private final int rows;
  private final int rowLength;

  /**
   * A weight over the bytes of a file.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape PyTorch's shape, as {@code [out, in]} or {@code [out, in, kh, kw]}
   * @param dtype the stored type
   * @param data the values; not copied, so it must live as long as the weight is used
   * @throws IllegalArgumentException if the length of {@code data} is not that of the shape
   */
  public StoredWeight(String name, Shape shape, DType dtype, MemorySegment data) {
    long expected = (long) shape.size() * dtype.bytes();
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "[weight] %s: %s of %s needs %s bytes but has %s."
              .formatted(name, shape, dtype, expected, data.byteSize()));
    }
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.data = data;
    rows = Weight.super.rows();
    rowLength = Weight.super.rowLength();
  }

  /**
   * A weight of F32 values that are on the heap already.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape PyTorch's shape
   * @param values the values in row-major order; not copied
   * @return the weight
   * @throws IllegalArgumentException if there are not as many values as the shape has
   */
  public static StoredWeight of(String name, Shape shape, float... values) {
    return new StoredWeight(name, shape, DType.F32, MemorySegment.ofArray(values));
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

  /**
   * The stored type.
   *
   * @return the type
   */
  public DType dtype() {
    return dtype;
  }

  /**
   * The stored values.
   *
   * @return little-endian, row after row, of {@link #dtype}; not to be written to
   */
  public MemorySegment data() {
    return data;
  }

  @Override
  public void decode(int row, int from, int count, float[] target, int at, Scratch scratch) {
    Objects.checkFromIndexSize(from, count, rowLength);
    int first = Objects.checkIndex(row, rows) * rowLength + from;
    switch (dtype) {
      case F32 -> MemorySegment.copy(data, FLOAT, 4L * first, target, at, count);
      case F16 -> decodeF16(data, 2L * first, target, at, count);
      case BF16 -> decodeBf16(data, 2L * first, target, at, count);
    }
  }

  // Plain loops with a long offset apart from the index: so C2 makes vector code of them, faster
  // than vectors by hand, where a run has some 256 values and more (6-7 values a nanosecond on Zen
  // 5; an int sum inside the offset: 0.5). What is left of a run goes value by value.

  private static void decodeF16(
      MemorySegment data, long offset, float[] target, int at, int count) {
    for (int i = 0; i < count; i++) {
      target[at + i] = Float.float16ToFloat(data.get(SHORT, offset + 2L * i));
    }
  }

  private static void decodeBf16(
      MemorySegment data, long offset, float[] target, int at, int count) {
    for (int i = 0; i < count; i++) {
      target[at + i] = Float.intBitsToFloat(data.get(SHORT, offset + 2L * i) << 16);
    }
  }

  /** {@code unet.conv_in.weight F16 [320, 4, 3, 3]}. */
  @Override
  public String toString() {
    return name + " " + dtype + " " + shape;
  }
}
