package io.github.kolors4j.tensor;

import static io.github.kolors4j.tensor.Values.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Stored values of each type, decoded row by row. */
class WeightTest {
  private static Weight ofBytes(DType dtype, int... bytes) {
    byte[] stored = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      stored[i] = (byte) bytes[i];
    }
    Shape shape = Shape.of(bytes.length / dtype.bytes());
    return new StoredWeight("w", shape, dtype, MemorySegment.ofArray(stored));
  }

  @Test
  void littleEndianBytesOfEachTypeAreDecoded() {
    assertArrayEquals(
        new float[] {1, -2, 0.5f},
        ofBytes(DType.F32, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f).toFloats());
    assertArrayEquals(
        new float[] {1, -2, 0.5f, 65_504},
        ofBytes(DType.F16, 0, 0x3c, 0, 0xc0, 0, 0x38, 0xff, 0x7b).toFloats());
    assertArrayEquals(
        new float[] {1, -2, 0.5f, 3.140625f},
        ofBytes(DType.BF16, 0x80, 0x3f, 0, 0xc0, 0, 0x3f, 0x49, 0x40).toFloats());
  }

  /** The format's definition, not the JDK's: sign, 5 bits of exponent, 10 of fraction. */
  @Test
  void everyF16PatternIsItsDefinition() {
    byte[] all = new byte[2 << 16];
    for (int i = 0; i < 1 << 16; i++) {
      all[2 * i] = (byte) i;
      all[2 * i + 1] = (byte) (i >>> 8);
    }
    Weight weight = new StoredWeight("w", Shape.of(1 << 16), DType.F16, MemorySegment.ofArray(all));
    float[] values = weight.toFloats();
    for (int i = 0; i < 1 << 16; i++) {
      int exponent = i >>> 10 & 31;
      int fraction = i & 1023;
      double value =
          switch (exponent) {
            case 0 -> Math.scalb((double) fraction, -24);
            case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            default -> Math.scalb(1024.0 + fraction, exponent - 25);
          };
      assertSameBits((float) (i >>> 15 == 1 ? -value : value), values[i], "pattern " + i);
    }
  }

  @Test
  void everyBf16PatternIsTheUpperHalfOfAnF32() {
    byte[] all = new byte[2 << 16];
    for (int i = 0; i < 1 << 16; i++) {
      all[2 * i] = (byte) i;
      all[2 * i + 1] = (byte) (i >>> 8);
    }
    Weight weight =
        new StoredWeight("w", Shape.of(1 << 16), DType.BF16, MemorySegment.ofArray(all));
    float[] values = weight.toFloats();
    for (int i = 0; i < 1 << 16; i++) {
      assertSameBits(Float.intBitsToFloat(i << 16), values[i], "pattern " + i);
    }
  }

  @Test
  void f32KeepsSubnormalsInfinitiesAndNaN() {
    float[] special = {
      0f,
      -0f,
      Float.MIN_VALUE,
      -Float.MIN_VALUE,
      Float.MAX_VALUE,
      Float.NEGATIVE_INFINITY,
      Float.NaN
    };
    float[] decoded = Values.weight("w", Shape.of(special.length), DType.F32, special).toFloats();
    for (int i = 0; i < special.length; i++) {
      assertSameBits(special[i], decoded[i], "at " + i);
    }
  }

  @Test
  void aPartOfARowIsDecodedFromAnyIndexToAnyPlaceAndNothingElseIsWritten() {
    for (DType dtype : DType.values()) {
      Weight weight = Values.weight(1, dtype, 7, 13);
      float[] all = weight.toFloats();
      for (int row = 0; row < 7; row++) {
        for (int from = 0; from <= 13; from++) {
          for (int count = 0; count <= 13 - from; count++) {
            float[] target = new float[20];
            Arrays.fill(target, 42);
            weight.decode(row, from, count, target, 3, new Scratch());
            for (int i = 0; i < target.length; i++) {
              float expected = i < 3 || i >= 3 + count ? 42 : all[row * 13 + from + i - 3];
              assertEquals(expected, target[i]);
            }
          }
        }
      }
    }
  }

  @Test
  void aRowIsWhatOneOutputIsMadeFromAndAVectorIsOneRow() {
    assertRows(7, 13, 7, 13);
    assertRows(5, 36, 5, 4, 3, 3);
    assertRows(1, 9, 9);
    assertRows(1, 1);
    assertRows(0, 0, 0, 4);
    assertRows(4, 0, 4, 0);
    assertRows(1, 0, 0);
  }

  private static void assertRows(int rows, int length, int... dims) {
    Weight weight = Values.weight(1, dims);
    assertEquals(rows, weight.rows(), weight.toString());
    assertEquals(length, weight.rowLength(), weight.toString());
    assertEquals(weight.shape().size(), weight.toFloats().length);
  }

  @Test
  void aPartThatIsNotInsideARowIsRefusedThoughTheFileHasValuesThere() {
    Weight weight = Values.weight(1, 7, 13);
    int[][] outside = {{3, -1, 2}, {3, 12, 2}, {3, 14, 0}, {3, 0, -1}, {7, 0, 1}, {-1, 0, 1}};
    for (int[] part : outside) {
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> weight.decode(part[0], part[1], part[2], new float[20], 0, new Scratch()));
    }
  }

  /** A file's header has any length, so its data stands at odd addresses. */
  @Test
  void unalignedNativeMemoryIsDecoded() {
    try (Arena arena = Arena.ofConfined()) {
      for (DType dtype : DType.values()) {
        byte[] bytes = new byte[17 * dtype.bytes()];
        float[] expected = new float[17];
        for (int i = 0; i < 17; i++) {
          bytes[i * dtype.bytes() + dtype.bytes() - 1] = 0x3f;
          bytes[i * dtype.bytes() + dtype.bytes() - 2] = (byte) i;
        }
        Weight aligned = new StoredWeight("w", Shape.of(17), dtype, MemorySegment.ofArray(bytes));
        aligned.decode(0, 0, 17, expected, 0, new Scratch());
        MemorySegment file = arena.allocate(bytes.length + 1L, 8);
        MemorySegment.copy(
            bytes, 0, file, java.lang.foreign.ValueLayout.JAVA_BYTE, 1, bytes.length);
        Weight odd = new StoredWeight("w", Shape.of(17), dtype, file.asSlice(1));
        assertArrayEquals(expected, odd.toFloats());
      }
    }
  }

  @Test
  void aLengthThatIsNotThatOfTheShapeIsRefused() {
    var refusal =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new StoredWeight(
                    "mid.bias", Shape.of(2, 3), DType.F16, MemorySegment.ofArray(new byte[13])));
    assertEquals(
        "[weight] mid.bias: [2, 3] of F16 needs 12 bytes but has 13.", refusal.getMessage());
  }

  @Test
  void aWeightNamesItselfItsTypeAndItsShape() {
    assertEquals("mid.bias F32 [2]", Weight.of("mid.bias", Shape.of(2), 1, 2).toString());
  }
}
