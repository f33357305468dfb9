package io.github.kolors4j.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Kernel.Block;
import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import io.github.kolors4j.tensor.Bf16Kernel.Values;
import io.github.kolors4j.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The machine code against its definitions, on CPUs that run it. */
@ParameterizedClass(allowZeroInvocations = true)
@MethodSource("io.github.kolors4j.x86.TestedKernels#onThisCpu")
class Bf16KernelTest {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private static Bf16Kernel kernel;

  @Parameter Bf16Kernel given;

  @BeforeEach
  void use() {
    kernel = given;
  }

  /** Values of many sizes: whole, tiny, huge, halfway between two BF16, and none at all. */
  private static float value(Random random, DType dtype) {
    float value =
        switch (random.nextInt(8)) {
          case 0 -> 0;
          case 1 -> -0f;
          case 2 -> Float.intBitsToFloat(0x3f808000 + (random.nextInt(4) << 16)); // a tie
          case 3 -> (float) random.nextGaussian() * 1e-20f;
          default -> (float) random.nextGaussian();
        };
    return switch (dtype) {
      case F32 -> value;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
      case BF16 -> Bf16.round(value);
    };
  }

  private static void store(MemorySegment to, DType dtype, long at, float value) {
    switch (dtype) {
      case F32 -> to.set(FLOAT, at, value);
      case F16 -> to.set(SHORT, at, Float.floatToFloat16(value));
      case BF16 -> to.set(SHORT, at, Bf16.bits(value));
    }
  }

  @Test
  void rowsArePackedAsPiecesAndFilledUpWithZeros() {
    for (DType dtype : DType.values()) {
      for (int piece = 0; piece < (dtype == DType.BF16 ? 1 : 3); piece++) {
        for (int length : new int[] {1, 2, 15, 16, 17, 31, 32, 33, 64, 95, 640}) {
          checkRows(dtype, piece, length, 5);
        }
      }
    }
  }

  private static void checkRows(DType dtype, int piece, int length, int rows) {
    Random random = new Random(length);
    int depth = Math.ceilDiv(length, 32) * 32;
    long stride = (long) (length + 3) * dtype.bytes();
    try (Arena arena = Arena.ofConfined()) {
      // Nothing behind the last value, so that reading it would show.
      MemorySegment from = arena.allocate((rows - 1) * stride + (long) length * dtype.bytes());
      float[][] values = new float[rows][length];
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < length; j++) {
          values[i][j] = value(random, dtype);
          store(from, dtype, i * stride + (long) j * dtype.bytes(), values[i][j]);
        }
      }
      MemorySegment to = arena.allocate(rows * (depth + 32L) * 2, 64).fill((byte) 0x55);
      kernel.packRows(
          new Values(dtype, new Matrix(from, 0, stride), rows, length),
          piece,
          new Matrix(to, 0, (depth + 32L) * 2));
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < depth + 32; j++) {
          short expected = j < length ? Bf16.bits(Bf16.piece(values[i][j], piece)) : 0;
          short packed = to.getAtIndex(SHORT, i * (depth + 32L) + j);
          int at = j;
          Supplier<String> where =
              () -> "%s piece %d, %d of %d".formatted(dtype, piece, at, length);
          assertEquals(j < depth ? expected : 0x5555, packed, where);
        }
      }
    }
  }

  @Test
  void columnsArePackedAsPairsOfPiecesAndFilledUpWithZeros() {
    for (DType dtype : DType.values()) {
      for (int piece = 0; piece < (dtype == DType.BF16 ? 1 : 3); piece++) {
        for (int length : new int[] {1, 31, 32, 33, 64, 77}) {
          for (int columns : new int[] {1, 15, 16, 17, 33, 48, 63, 64}) {
            checkColumns(dtype, piece, length, columns);
          }
        }
      }
    }
  }

  private static void checkColumns(DType dtype, int piece, int length, int columns) {
    Random random = new Random(length * 100L + columns);
    int depth = Math.ceilDiv(length, 32) * 32;
    int width = Math.ceilDiv(columns, 16) * 16;
    float[] heap = new float[columns * length]; // F32 comes from the heap, as activations do
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from =
          dtype == DType.F32
              ? MemorySegment.ofArray(heap)
              : arena.allocate((long) columns * length * dtype.bytes());
      float[] values = new float[columns * length];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(random, dtype);
        store(from, dtype, (long) i * dtype.bytes(), values[i]);
      }
      MemorySegment panel = arena.allocate((long) width * depth * 2, 64).fill((byte) 0x55);
      kernel.packColumns(
          new Values(dtype, new Matrix(from, 0, (long) length * dtype.bytes()), columns, length),
          piece,
          new Matrix(panel, 0, width * 4L));
      for (int k = 0; k < depth; k++) {
        for (int j = 0; j < width; j++) {
          boolean present = k < length && j < columns;
          short expected = present ? Bf16.bits(Bf16.piece(values[j * length + k], piece)) : 0;
          short packed = panel.getAtIndex(SHORT, (long) k / 2 * width * 2 + j * 2L + k % 2);
          String where = k + "," + j;
          assertEquals(expected, packed, () -> "%s piece %d [%s]".formatted(dtype, piece, where));
        }
      }
    }
  }

  @Test
  void rowsOfTheRightOperandArePackedAsPairsOfPieces() {
    for (int piece = 0; piece < 3; piece++) {
      for (int rows : new int[] {1, 2, 31, 32, 33, 120}) {
        checkPairs(piece, rows, 16);
        checkPairs(piece, rows, 64);
      }
    }
  }

  private static void checkPairs(int piece, int rows, int width) {
    Random random = new Random(rows);
    int depth = Math.ceilDiv(rows, 32) * 32;
    float[] values = new float[rows * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(random, DType.F32);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment panel = arena.allocate((long) width * depth * 2, 64).fill((byte) 0x55);
      kernel.packPairs(
          new Values(
              DType.F32, new Matrix(MemorySegment.ofArray(values), 0, width * 4L), rows, width),
          piece,
          new Matrix(panel, 0, width * 4L));
      for (int k = 0; k < depth; k++) {
        for (int j = 0; j < width; j++) {
          short expected = k < rows ? Bf16.bits(Bf16.piece(values[k * width + j], piece)) : 0;
          short packed = panel.getAtIndex(SHORT, (long) k / 2 * width * 2 + j * 2L + k % 2);
          assertEquals(expected, packed, () -> "piece of %d rows".formatted(rows));
        }
      }
    }
  }

  /** Piece after piece, F32 loses nothing in three and F16 nothing in two. */
  @Test
  void piecesSumUpToTheValue() {
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      float value = (float) random.nextGaussian();
      float sum = Bf16.piece(value, 2) + Bf16.piece(value, 1) + Bf16.piece(value, 0);
      assertEquals(value, sum);
      float half = Float.float16ToFloat(Float.floatToFloat16(value));
      assertEquals(half, Bf16.piece(half, 1) + Bf16.piece(half, 0));
    }
  }

  @Test
  void aProductIsTheSumOfItsTermsAtEachNumberOfRowsAndColumns() {
    for (int rows : new int[] {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 31, 33}) {
      for (int columns : new int[] {1, 15, 16, 17, 32, 47, 63, 64}) {
        for (int depth : new int[] {32, 64, 160}) {
          checkProduct(rows, columns, depth);
        }
      }
    }
  }

  private static void checkProduct(int rows, int columns, int depth) {
    Random random = new Random(rows * 10_000L + columns * 100L + depth);
    int unit = kernel.columns();
    int width = Math.ceilDiv(columns, unit) * unit;
    int ldc = columns + 5;
    int offset = 3;
    float[] c = new float[rows * ldc + offset];
    float[] before = new float[c.length];
    for (int i = 0; i < c.length; i++) {
      before[i] = (float) random.nextGaussian();
      c[i] = before[i];
    }
    int packedRows = Math.ceilDiv(rows, kernel.rows()) * kernel.rows();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = arena.allocate(packedRows * (depth + 32L) * 2, 64);
      MemorySegment b = arena.allocate((long) width * depth * 2, 64);
      float[][] x = new float[rows][depth];
      float[][] y = new float[columns][depth];
      for (int k = 0; k < depth; k++) {
        for (int i = 0; i < rows; i++) {
          x[i][k] = Bf16.round((float) random.nextGaussian());
          a.setAtIndex(SHORT, i * (depth + 32L) + k, Bf16.bits(x[i][k]));
        }
        for (int j = 0; j < columns; j++) {
          y[j][k] = Bf16.round((float) random.nextGaussian());
          b.setAtIndex(SHORT, (long) k / 2 * width * 2 + j * 2L + k % 2, Bf16.bits(y[j][k]));
        }
      }
      kernel.multiply(
          new Block(rows, columns, depth),
          new Matrix(a, 0, (depth + 32L) * 2),
          new Matrix(b, 0, width * 4L),
          new Matrix(MemorySegment.ofArray(c), 4L * offset, 4L * ldc));

      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < ldc; j++) {
          int at = offset + i * ldc + j;
          if (j >= columns) {
            assertEquals(before[at], c[at], "behind the columns");
            continue;
          }
          double sum = before[at];
          double magnitude = Math.abs(before[at]);
          for (int k = 0; k < depth; k++) {
            double term = (double) x[i][k] * y[j][k];
            sum += term;
            magnitude += Math.abs(term);
          }
          double error = Math.abs(sum - c[at]);
          assertTrue(
              error <= magnitude * 0x1p-24 * (depth + 1),
              "%d×%d×%d [%d,%d] is off by %g of %g"
                  .formatted(rows, columns, depth, i, j, error, magnitude));
        }
      }
      for (int i = 0; i < offset; i++) {
        assertEquals(before[i], c[i], "before the first");
      }
    }
  }

  @Test
  void memoryThatIsTooSmallIsRefused() {
    int width = kernel.columns();
    int rows = kernel.rows();
    Matrix a = floats(rows * 16, 64);
    Matrix b = floats(16 * width, 4L * width);
    Matrix c = floats((rows + 1) * width, 4L * width);
    kernel.multiply(new Block(rows, width, 32), a, b, c);
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> kernel.multiply(new Block(rows + 1, width, 32), a, b, c));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> kernel.multiply(new Block(1, width, 32), floats(0, 64), b, c));
    assertThrows(
        IndexOutOfBoundsException.class, () -> kernel.multiply(new Block(1, width, 64), a, b, c));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> kernel.multiply(new Block(2, width, 32), a, b, floats(2 * width - 1, 4L * width)));
    assertThrows(
        IllegalArgumentException.class, () -> kernel.multiply(new Block(1, width, 33), a, b, c));
    assertThrows(
        IllegalArgumentException.class, () -> kernel.multiply(new Block(1, 65, 32), a, b, c));
    assertThrows(
        IllegalArgumentException.class,
        () -> kernel.multiply(new Block(1, width + 1, 32), a, b, c));
    Matrix little = floats(100, 64);
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> kernel.packRows(new Values(DType.F32, little, 1, 101), 0, c));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> kernel.packColumns(new Values(DType.F32, little, 17, 1), 0, little));
    assertThrows(
        IllegalArgumentException.class,
        () -> kernel.packColumns(new Values(DType.BF16, little, 1, 1), 1, little));
  }

  private static Matrix floats(int count, long stride) {
    return new Matrix(MemorySegment.ofArray(new float[count]), 0, stride);
  }
}
