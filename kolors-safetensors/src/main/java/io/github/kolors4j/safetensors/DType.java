package io.github.kolors4j.safetensors;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The type of a tensor's values, spelled as in the file. All are little-endian. */
public enum DType {
  /** IEEE 754 binary64. */
  F64(8),
  /** IEEE 754 binary32. */
  F32(4),
  /** IEEE 754 binary16. */
  F16(2),
  /** The upper half of a binary32: 8 bits of exponent, 7 of fraction. */
  BF16(2),
  /** 8-bit float with 5 bits of exponent and 2 of fraction, with infinities. */
  F8_E5M2(1),
  /** 8-bit float with 4 bits of exponent and 3 of fraction, without infinities. */
  F8_E4M3(1),
  /** Signed integer of 64 bits. */
  I64(8),
  /** Signed integer of 32 bits. */
  I32(4),
  /** Signed integer of 16 bits. */
  I16(2),
  /** Signed integer of 8 bits. */
  I8(1),
  /** Unsigned integer of 64 bits. */
  U64(8),
  /** Unsigned integer of 32 bits. */
  U32(4),
  /** Unsigned integer of 16 bits. */
  U16(2),
  /** Unsigned integer of 8 bits. */
  U8(1),
  /** Truth value in a byte: 0 is false, 1 is true. */
  BOOL(1);

  private static final Map<String, DType> BY_NAME =
      Stream.of(values()).collect(Collectors.toUnmodifiableMap(DType::name, Function.identity()));

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * Size of one value.
   *
   * @return bytes, from 1 to 8
   */
  public int bytes() {
    return bytes;
  }

  /**
   * The type of that name.
   *
   * @param name as in a file's header, such as {@code "BF16"}; case counts
   * @return the type, or empty if the format (as known here) has none of that name
   */
  public static Optional<DType> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /**
   * Size of a dense tensor of this type.
   *
   * @param shape extents, none negative; empty for a single value
   * @return bytes
   * @throws IllegalArgumentException if an extent is negative
   * @throws ArithmeticException if the size passes 2⁶³−1
   */
  public long byteLength(List<Long> shape) {
    long length = bytes;
    for (long extent : shape) {
      if (extent < 0) {
        throw new IllegalArgumentException(
            "[safetensors] shape " + shape + " has a negative extent.");
      }
      length = Math.multiplyExact(length, extent);
    }
    return length;
  }
}
