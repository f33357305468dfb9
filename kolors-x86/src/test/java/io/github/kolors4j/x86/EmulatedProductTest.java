package io.github.kolors4j.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The products' code on a {@link Machine}, also where the CPU lacks the instructions. */
class EmulatedProductTest {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  @BeforeEach
  void needsTheDisassembler() {
    assumeTrue(Objdump.isThere(), "binutils is not installed");
  }

  /** Where the operands of a call stand in memory; everything else there must stay as it was. */
  private static final class Call {
    final int rows;
    final int columns;
    final int depth;
    final int width;
    final int strideA;
    final int strideC;
    final int atA = 64;
    final int atB;
    final int atC;
    final int atConfiguration;
    final MemorySegment memory;
    final float[][] x;
    final float[][] y;
    final float[][] c;

    Call(int rows, int columns, int depth, int rowUnit, int columnUnit) {
      this.rows = rows;
      this.columns = columns;
      this.depth = depth;
      width = Math.ceilDiv(columns, columnUnit) * columnUnit;
      strideA = 2 * depth + 64;
      strideC = 4 * (columns + 3);
      int packedRows = Math.ceilDiv(rows, rowUnit) * rowUnit;
      atB = atA + packedRows * strideA;
      atC = atB + width * depth * 2;
      atConfiguration = (atC + rows * strideC + 128) / 64 * 64;
      memory = MemorySegment.ofArray(new long[(atConfiguration + 64 + Machine.STACK) / 8]);
      Random random = new Random(rows + 100L * columns + depth);
      x = new float[rows][depth];
      y = new float[columns][depth];
      c = new float[rows][columns + 3];
      for (int k = 0; k < depth; k++) {
        for (int i = 0; i < packedRows; i++) {
          float value = i < rows ? Bf16.round((float) random.nextGaussian()) : Float.NaN;
          memory.set(SHORT, atA + (long) i * strideA + 2L * k, Bf16.bits(value));
          if (i < rows) {
            x[i][k] = value;
          }
        }
        for (int j = 0; j < columns; j++) {
          y[j][k] = Bf16.round((float) random.nextGaussian());
          memory.set(SHORT, atB + 2L * (k / 2 * width * 2 + j * 2 + k % 2), Bf16.bits(y[j][k]));
        }
      }
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns + 3; j++) {
          c[i][j] = (float) random.nextGaussian();
          memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, atC + (long) i * strideC + 4L * j, c[i][j]);
        }
      }
    }

    void assertSums() {
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns + 3; j++) {
          float result =
              memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, atC + (long) i * strideC + 4L * j);
          if (j >= columns) {
            assertEquals(c[i][j], result, "behind the columns");
            continue;
          }
          double sum = c[i][j];
          double magnitude = Math.abs(sum);
          for (int k = 0; k < depth; k++) {
            sum += (double) x[i][k] * y[j][k];
            magnitude += Math.abs((double) x[i][k] * y[j][k]);
          }
          double error = Math.abs(sum - result);
          String where = i + "," + j;
          assertTrue(error <= magnitude * 0x1p-24 * (depth + 1), () -> where + ": " + error);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,32", "15,16,32", "16,17,64", "31,33,32", "32,64,96", "33,47,32", "70,32,64"})
  void amxGivesTheSums(int rows, int columns, int depth) throws IOException, InterruptedException {
    Call call = new Call(rows, columns, depth, AmxProduct.ROWS, AmxProduct.COLUMNS);
    MemorySegment.copy(
        AmxProduct.configuration(),
        0,
        call.memory,
        ValueLayout.JAVA_BYTE,
        call.atConfiguration,
        64);
    Assembler x86 = new Assembler();
    int entry = AmxProduct.assemble(x86).offset();
    Machine.of(x86.code(), call.memory)
        .call(
            entry,
            Machine.BASE + call.atA,
            call.strideA,
            Machine.BASE + call.atB,
            Machine.BASE + call.atC,
            call.strideC,
            rows,
            columns,
            depth / 32,
            4L * call.width,
            Machine.BASE + call.atConfiguration);
    call.assertSums();
  }

  /** What measures the peak ends, too, and leaves nothing behind. */
  @Test
  void amxSpins() throws IOException, InterruptedException {
    MemorySegment memory = MemorySegment.ofArray(new long[(64 + Machine.STACK) / 8]);
    byte[] configuration = AmxProduct.configuration();
    MemorySegment.copy(configuration, 0, memory, ValueLayout.JAVA_BYTE, 0, configuration.length);
    Assembler x86 = new Assembler();
    int entry = AmxProduct.assembleSpin(x86).offset();
    Machine.of(x86.code(), memory).call(entry, 3, Machine.BASE);
  }

  /**
   * On a CPU that has the instructions {@link Bf16KernelTest} runs the same: so this tests itself.
   */
  @ParameterizedTest
  @CsvSource({"1,1,32", "6,16,32", "7,64,64", "13,33,32", "17,47,96"})
  void avx512GivesTheSums(int rows, int columns, int depth)
      throws IOException, InterruptedException {
    Call call = new Call(rows, columns, depth, 1, Avx512Product.LANES);
    int vectors = call.width / Avx512Product.LANES;
    Assembler x86 = new Assembler();
    int entry = new Avx512Product(vectors).assemble(x86).offset();
    int last = columns - (vectors - 1) * Avx512Product.LANES;
    Machine.of(x86.code(), call.memory)
        .call(
            entry,
            Machine.BASE + call.atA,
            call.strideA,
            Machine.BASE + call.atB,
            Machine.BASE + call.atC,
            call.strideC,
            rows,
            depth / 2,
            (1L << last) - 1);
    call.assertSums();
  }
}
