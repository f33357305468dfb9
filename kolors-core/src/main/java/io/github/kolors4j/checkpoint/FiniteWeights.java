package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Reads all values of a source and looks for NaN and infinity: an exponent of ones alone, in F16,
 * BF16, F32 and F64; all ones in F8_E4M3.
 *
 * @param source the tensors, open
 */
public record FiniteWeights(TensorSource source) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Exponent bits, and what is below them. */
  private static final int F16 = 0x7c00;

  /** Of four bits of exponent and three of fraction, which has no infinities. */
  private static final int F8 = 0x7f;

  private static final int BF16 = 0x7f80;
  private static final int F32 = 0x7f800000;
  private static final long F64 = 0x7ff0000000000000L;

  /**
   * Looks through the files, one tensor after another. This takes as long as reading them does.
   *
   * @throws InvalidFileException for the first that is not finite, with tensor and index
   */
  public void require() throws InvalidFileException {
    for (String name : source.names()) {
      TensorInfo tensor = source.find(name).orElseThrow();
      long at = firstOther(tensor.dtype().name(), source.data(name));
      if (at >= 0) {
        throw new InvalidFileException(
            "[weights] %s: %s %s is not finite at %s: a picture would become black. Damaged, or a conversion that has overflowed? Get the file again."
                .formatted(
                    tensor.file(),
                    name,
                    tensor.dtype(),
                    Arrays.toString(indexOf(at, tensor.shape()))));
      }
    }
  }

  /** The first value that is NaN or infinite; −1 where all are finite, or the type has no such. */
  private static long firstOther(String dtype, MemorySegment data) {
    return switch (dtype) {
      case "F16" -> firstShort(data, F16);
      case "BF16" -> firstShort(data, BF16);
      case "F32" -> firstInt(data);
      case "F64" -> firstLong(data);
      case "F8_E4M3" -> firstByte(data);
      default -> -1;
    };
  }

  private static long firstByte(MemorySegment data) {
    for (long i = 0; i < data.byteSize(); i++) {
      if ((data.get(ValueLayout.JAVA_BYTE, i) & F8) == F8) {
        return i;
      }
    }
    return -1;
  }

  private static long firstShort(MemorySegment data, int exponent) {
    for (long i = 0; i < data.byteSize() / Short.BYTES; i++) {
      if ((data.get(SHORT, i * Short.BYTES) & exponent) == exponent) {
        return i;
      }
    }
    return -1;
  }

  private static long firstInt(MemorySegment data) {
    for (long i = 0; i < data.byteSize() / Integer.BYTES; i++) {
      if ((data.get(INT, i * Integer.BYTES) & F32) == F32) {
        return i;
      }
    }
    return -1;
  }

  private static long firstLong(MemorySegment data) {
    for (long i = 0; i < data.byteSize() / Long.BYTES; i++) {
      if ((data.get(LONG, i * Long.BYTES) & F64) == F64) {
        return i;
      }
    }
    return -1;
  }

  private static long[] indexOf(long position, List<Long> shape) {
    long[] index = new long[shape.size()];
    for (int axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = position % shape.get(axis);
      position /= shape.get(axis);
    }
    return index;
  }
}
