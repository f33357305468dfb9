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
  F64(64),
  /** IEEE 754 binary32. */
  F32(32),
  /** IEEE 754 binary16. */
  F16(16),
  /** The upper half of a binary32: 8 bits of exponent, 7 of fraction. */
  BF16(16),
  /** 8-bit float with 5 bits of exponent and 2 of fraction, with infinities. */
  F8_E5M2(8),
  /** 8-bit float with 4 bits of exponent and 3 of fraction, without infinities. */
  F8_E4M3(8),
  /** As {@link #F8_E5M2}, without infinities and without a negative zero, whose place NaN has. */
  F8_E5M2FNUZ(8),
  /** As {@link #F8_E4M3}, without a negative zero, whose place NaN has. */
  F8_E4M3FNUZ(8),
  /** A power of two, an exponent of 8 bits alone: the scale of a block of smaller floats. */
  F8_E8M0(8),
  /** 6-bit float with 3 bits of exponent and 2 of fraction. */
  F6_E3M2(6),
  /** 6-bit float with 2 bits of exponent and 3 of fraction. */
  F6_E2M3(6),
  /** 4-bit float with 2 bits of exponent and 1 of fraction. */
  F4(4),
  /** Two {@link #F32}, the real and the imaginary part of a complex number. */
  C64(64),
  /** Signed integer of 64 bits. */
  I64(64),
  /** Signed integer of 32 bits. */
  I32(32),
  /** Signed integer of 16 bits. */
  I16(16),
  /** Signed integer of 8 bits. */
  I8(8),
  /** Unsigned integer of 64 bits. */
  U64(64),
  /** Unsigned integer of 32 bits. */
  U32(32),
  /** Unsigned integer of 16 bits. */
  U16(16),
  /** Unsigned integer of 8 bits. */
  U8(8),
  /** Truth value in a byte: 0 is false, 1 is true. */
  BOOL(8);

  private static final Map<String, DType> BY_NAME =
      Stream.of(values()).collect(Collectors.toUnmodifiableMap(DType::name, Function.identity()));

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /**
   * Size of one value.
   *
   * @return bits, from 4 to 64
   */
  public int bits() {
    return bits;
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
   * @throws IllegalArgumentException if an extent is negative, or the values do not fill whole
   *     bytes
   * @throws ArithmeticException if the size passes 2⁶³−1
   */
  public long byteLength(List<Long> shape) {
    long values = 1;
    for (long extent : shape) {
      if (extent < 0) {
        throw new IllegalArgumentException(
            "[safetensors] shape " + shape + " has a negative extent.");
      }
      values = Math.multiplyExact(values, extent);
    }
    long restBits = values % Byte.SIZE * bits;
    if (restBits % Byte.SIZE != 0) {
      throw new IllegalArgumentException(
          "[safetensors] %s %s does not fill whole bytes.".formatted(this, shape));
    }
    // of eight values together, whatever their size
    return Math.addExact(Math.multiplyExact(values / Byte.SIZE, (long) bits), restBits / Byte.SIZE);
  }
}
