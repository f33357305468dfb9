package io.github.kolors4j.safetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A small tensor that is held as a whole, to be written.
 *
 * @param dtype type of the values
 * @param shape extents, outermost first; empty for a single value
 * @param data the values: dense, row-major, little-endian
 */
public record TensorData(DType dtype, List<Long> shape, MemorySegment data) {

  /**
   * Checks that the parts fit together.
   *
   * @throws IllegalArgumentException if an extent is negative or {@code data} has another length
   *     than {@code dtype} and {@code shape} make
   * @throws ArithmeticException if the shape's product passes 2⁶³−1
   */
  public TensorData {
    shape = List.copyOf(shape);
    if (data.byteSize() != dtype.byteLength(shape)) {
      throw new IllegalArgumentException(
          "[safetensors] %s %s takes %s bytes, not %s."
              .formatted(dtype, shape, dtype.byteLength(shape), data.byteSize()));
    }
  }

  /**
   * A tensor of {@link DType#F32}.
   *
   * @param values row-major; copied
   * @param shape extents; none for a single value
   * @return the tensor
   * @throws IllegalArgumentException if the shape's product is not the number of values
   */
  public static TensorData f32(float[] values, long... shape) {
    var layout = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    var data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Float.BYTES)]);
    MemorySegment.copy(values, 0, data, layout, 0, values.length);
    return new TensorData(DType.F32, LongStream.of(shape).boxed().toList(), data);
  }

  /**
   * A tensor of {@link DType#I64}.
   *
   * @param values row-major; copied
   * @param shape extents; none for a single value
   * @return the tensor
   * @throws IllegalArgumentException if the shape's product is not the number of values
   */
  public static TensorData i64(long[] values, long... shape) {
    var layout = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    var data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Long.BYTES)]);
    MemorySegment.copy(values, 0, data, layout, 0, values.length);
    return new TensorData(DType.I64, LongStream.of(shape).boxed().toList(), data);
  }
}
