package io.github.kolors4j.tensor;

import static io.github.kolors4j.tensor.Values.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Integers with scales and small floats against their definitions, whole and in parts. */
class QuantizedWeightTest {
  private static final int ROWS = 3;

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  private static short[] scales(int count) {
    short[] scales = new short[count];
    Random random = new Random(5);
    for (int i = 0; i < count; i++) {
      scales[i] = Float.floatToFloat16(random.nextFloat() * 0.01f);
    }
    return scales;
  }

  private static float f16(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }

  /** All parts of all rows have the bits of the whole. */
  private static void assertParts(Weight weight, float[] expected) {
    int length = weight.rowLength();
    Scratch scratch = new Scratch();
    for (int row = 0; row < weight.rows(); row++) {
      for (int from : new int[] {0, 1, 2, 31, 32, 33, length - 1, length}) {
        for (int count : new int[] {0, 1, 2, 3, 31, 32, 64, length - from}) {
          if (from > length || count < 0 || from + count > length) {
            continue;
          }
          float[] part = new float[count + 3];
          weight.decode(row, from, count, part, 2, scratch);
          for (int i = 0; i < count; i++) {
            assertSameBits(
                expected[row * length + from + i], part[2 + i], weight + " at " + (from + i));
          }
          assertSameBits(0, part[0], "before");
          assertSameBits(0, part[count + 2], "behind");
        }
      }
    }
    assertRowsTogether(weight, expected);
    float[] whole = weight.toFloats();
    for (int i = 0; i < expected.length; i++) {
      assertSameBits(expected[i], whole[i], weight + " at " + i);
    }
  }

  /** The same part of all rows at once, with room between them. */
  private static void assertRowsTogether(Weight weight, float[] expected) {
    int length = weight.rowLength();
    int stride = length + 2;
    float[] rows = new float[weight.rows() * stride + 1];
    weight.decodeRows(0, weight.rows(), 1, length - 1, rows, 1, stride, new Scratch());
    for (int row = 0; row < weight.rows(); row++) {
      for (int i = 1; i < length; i++) {
        assertSameBits(expected[row * length + i], rows[row * stride + i], weight + ", row " + row);
      }
      assertSameBits(0, rows[row * stride], "before");
      assertSameBits(0, rows[row * stride + length], "behind");
    }
  }

  @Test
  void bytesOfARowAreScaledAndRoundedToF16() {
    byte[] values = bytes(ROWS * 75);
    short[] scales = scales(ROWS);
    float[] expected = new float[values.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = f16(values[i] * Float.float16ToFloat(scales[i / 75]));
    }
    assertParts(
        Int8Weight.perRow(
            "w", Shape.of(ROWS, 75), MemorySegment.ofArray(values), MemorySegment.ofArray(scales)),
        expected);
  }

  /** Rows of two whole groups and a part of one, and of so many that kernels take several. */
  @ParameterizedTest
  @ValueSource(ints = {8, 20, 40})
  void bytesOfAGroupAreScaledExactlyAndTheLastGroupOfARowIsShorter(int channels) {
    int length = channels * 9;
    int groups = Math.ceilDiv(length, 32);
    byte[] values = bytes(ROWS * length);
    short[] scales = scales(ROWS * groups);
    float[] expected = new float[values.length];
    for (int i = 0; i < expected.length; i++) {
      float scale = Float.float16ToFloat(scales[i / length * groups + i % length / 32]);
      expected[i] = (float) ((double) values[i] * scale);
      assertEquals(values[i] * (double) scale, expected[i], "F32 holds it");
    }
    assertParts(
        Int8Weight.inGroups(
            "w",
            Shape.of(ROWS, channels, 3, 3),
            32,
            MemorySegment.ofArray(values),
            MemorySegment.ofArray(scales)),
        expected);
  }

  @Test
  void ofTwoHalvesOfAByteTheUpperOneComesFirstAndBothAreSigned() {
    byte[] values = bytes(ROWS * 37);
    short[] scales = scales(ROWS);
    float[] expected = new float[2 * values.length];
    for (int i = 0; i < expected.length; i++) {
      int half = i % 2 == 0 ? values[i / 2] >>> 4 & 15 : values[i / 2] & 15;
      int value = half < 8 ? half : half - 16;
      expected[i] = f16(value * Float.float16ToFloat(scales[i / 74]));
    }
    assertParts(
        new Int4Weight(
            "w", Shape.of(ROWS, 74), MemorySegment.ofArray(values), MemorySegment.ofArray(scales)),
        expected);
  }

  /** Sign, 4 bits of exponent with the bias 7, 3 of fraction; all ones are NaN. */
  @Test
  void everyF8PatternIsItsDefinition() {
    byte[] values = new byte[256];
    float[] expected = new float[256];
    for (int i = 0; i < 256; i++) {
      values[i] = (byte) i;
      int exponent = i >> 3 & 15;
      double fraction = (i & 7) / 8.0;
      double value =
          exponent == 0 ? fraction * Math.pow(2, -6) : (1 + fraction) * Math.pow(2, exponent - 7);
      expected[i] = (float) ((i & 0x7f) == 0x7f ? Double.NaN : i < 128 ? value : -value);
    }
    assertEquals(448f, expected[0x7e], "the largest");
    assertParts(new Float8Weight("w", Shape.of(2, 128), MemorySegment.ofArray(values)), expected);
  }

  @Test
  void lengthsThatDoNotFitTheShapeAreRefused() {
    MemorySegment six = MemorySegment.ofArray(new byte[6]);
    MemorySegment scales = MemorySegment.ofArray(new short[2]);
    Shape shape = Shape.of(2, 4);
    assertThrows(IllegalArgumentException.class, () -> Int8Weight.perRow("w", shape, six, scales));
    assertThrows(
        IllegalArgumentException.class, () -> Int8Weight.inGroups("w", shape, 0, six, scales));
    assertThrows(IllegalArgumentException.class, () -> new Int4Weight("w", shape, six, scales));
    assertThrows(IllegalArgumentException.class, () -> new Float8Weight("w", shape, six));
  }
}
