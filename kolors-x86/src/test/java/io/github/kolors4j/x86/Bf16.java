package io.github.kolors4j.x86;

/** BF16 in plain Java: the definitions that the kernels are held to. */
final class Bf16 {
  private Bf16() {}

  /** To the nearest, ties to even, and to zero below the normal range. */
  static float round(float value) {
    int bits = Float.floatToRawIntBits(flushed(value));
    return flushed(Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000));
  }

  /** One of the pieces whose sum is the value. */
  static float piece(float value, int piece) {
    float rest = flushed(value);
    for (int i = 0; i < piece; i++) {
      rest -= round(rest);
    }
    return round(rest);
  }

  static float flushed(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0, value) : value;
  }

  static short bits(float value) {
    return (short) (Float.floatToRawIntBits(value) >>> 16);
  }
}
