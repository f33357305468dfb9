package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.checkpoint.Parameter;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Uniformly distributed F16 values of one tensor. Each value is a function of the seed, the
 * tensor's name and the value's index alone, so that any range can be made by any thread.
 */
final class RandomValues {
  /** The increment of SplitMix64 (Steele, Lea and Flood 2014): 2⁶⁴ over the golden ratio, odd. */
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private static final int VALUES_PER_WORD = 4;
  private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  private final long seed;
  private final Distribution distribution;

  RandomValues(long seed, String component, Parameter parameter, Distribution distribution) {
    long state = mix(seed + GOLDEN);
    for (byte each : (component + "/" + parameter.name()).getBytes(StandardCharsets.UTF_8)) {
      state = mix(state ^ each) + GOLDEN;
    }
    this.seed = state;
    this.distribution = distribution;
  }

  /**
   * Makes values, as the file has them: little-endian.
   *
   * @param from index of the first in the tensor, a multiple of 4
   * @param count how many
   * @param target where to
   */
  void fill(long from, int count, short[] target) {
    long word = from / VALUES_PER_WORD;
    int whole = count - count % VALUES_PER_WORD;
    for (int i = 0; i < whole; i += VALUES_PER_WORD) {
      long bits = mix(seed + GOLDEN * word++);
      target[i] = (short) bits;
      target[i + 1] = (short) (bits >>> 16);
      target[i + 2] = (short) (bits >>> 32);
      target[i + 3] = (short) (bits >>> 48);
    }
    long bits = mix(seed + GOLDEN * word);
    for (int i = whole; i < count; i++) {
      target[i] = (short) bits;
      bits >>>= 16;
    }
    // A uniform distribution from −r to r has the deviation r / √3.
    float mean = distribution.mean();
    float step = (float) (distribution.deviation() * Math.sqrt(3) / 0x1p15);
    for (int i = 0; i < count; i++) { // C2 makes vector code of it
      target[i] = Float.floatToFloat16(mean + step * target[i]);
    }
    if (!LITTLE_ENDIAN) {
      for (int i = 0; i < count; i++) {
        target[i] = Short.reverseBytes(target[i]);
      }
    }
  }

  /** One value as the file has it. */
  static short stored(float value) {
    short bits = Float.floatToFloat16(value);
    return LITTLE_ENDIAN ? bits : Short.reverseBytes(bits);
  }

  /** SplitMix64's finalizer. */
  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
