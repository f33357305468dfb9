package io.github.kolors4j.checkpoint;

import io.github.kolors4j.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A weight rounded to integers of 8 bits: symmetric, from −127 to 127, the largest of a row or a
 * group being 127 of its scale. A scale is F16, and values are divided by it as it is stored, so
 * that its rounding costs nothing.
 *
 * @param values a byte each, row after row
 * @param scales F16, of each row or of its groups
 */
record Int8Rounding(MemorySegment values, MemorySegment scales) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final float MOST = 127;

  /** The smallest of F16, so that a group of zeros, or of next to nothing, can be divided by it. */
  private static final float LEAST_SCALE = 0x1p-24f;

  /**
   * Rounds a weight.
   *
   * @param weight any
   * @param group values that share a scale; 0 for a row
   */
  static Int8Rounding of(Weight weight, int group) {
    int length = weight.rowLength();
    int width = group == 0 ? length : group;
    int groups = Math.ceilDiv(length, width);
    MemorySegment values = Arena.ofAuto().allocate((long) weight.rows() * length);
    MemorySegment scales = Arena.ofAuto().allocate(2L * weight.rows() * groups);
    for (int row = 0; row < weight.rows(); row++) {
      float[] ofRow = weight.rowToFloats(row);
      for (int g = 0; g < groups; g++) {
        int from = g * width;
        int to = Math.min(length, from + width);
        short scale = scale(ofRow, from, to);
        scales.set(SHORT, 2L * ((long) row * groups + g), scale);
        float divisor = Float.float16ToFloat(scale);
        for (int i = from; i < to; i++) {
          double rounded = Math.rint((double) ofRow[i] / divisor);
          byte value = (byte) Math.clamp(rounded, -(double) MOST, MOST);
          values.set(ValueLayout.JAVA_BYTE, (long) row * length + i, value);
        }
      }
    }
    return new Int8Rounding(values, scales);
  }

  private static short scale(float[] values, int from, int to) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    return Float.floatToFloat16(Math.max(LEAST_SCALE, largest / MOST));
  }
}
