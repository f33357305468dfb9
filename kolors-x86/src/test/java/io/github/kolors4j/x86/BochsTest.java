package io.github.kolors4j.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The {@link Emulator} against another one, and how a CPU with AMX is known on one. */
@EnabledIfSystemProperty(named = "kolors4j.bochs", matches = ".+")
class BochsTest {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  private static MemorySegment memory(int bytes) {
    return MemorySegment.ofArray(new long[(bytes + Machine.STACK) / 8]);
  }

  @Test
  void aSapphireRapidsIsKnownToHaveAmx() throws IOException, InterruptedException {
    Assembler x86 = new Assembler();
    int cpuid = x86.label().offset();
    CpuFeatures.assembleCpuid(x86);
    int xgetbv = x86.label().offset();
    CpuFeatures.assembleXgetbv(x86);
    MemorySegment memory = memory(64);
    Machine machine = Machine.of(x86.code(), memory);
    CpuFeatures.Leaf[] leaves = new CpuFeatures.Leaf[3];
    int[][] numbers = {{1, 0}, {7, 0}, {7, 1}};
    for (int i = 0; i < leaves.length; i++) {
      machine.call(cpuid, numbers[i][0], numbers[i][1], Machine.BASE);
      leaves[i] =
          new CpuFeatures.Leaf(
              memory.get(INT, 0), memory.get(INT, 4), memory.get(INT, 8), memory.get(INT, 12));
    }
    long states = machine.call(xgetbv);
    assertEquals(0x600e7, states, "what boot.s sets");
    CpuFeatures features = new CpuFeatures(leaves[0], leaves[1], leaves[2], states);
    assertTrue(features.hasAvx512Bf16());
    assertTrue(features.hasAmxBf16());
  }

  /**
   * Of values of all sizes. What a small row and a small column give is below the normal range: a
   * sum of it alone is zero.
   */
  @Test
  void bothEmulatorsGiveTheSameBits() throws IOException, InterruptedException {
    int depth = 96;
    int strideA = 2 * depth;
    int strideC = 4 * AmxProduct.COLUMNS;
    int atB = AmxProduct.ROWS * strideA;
    int atC = atB + AmxProduct.COLUMNS * 2 * depth;
    int atConfiguration = atC + AmxProduct.ROWS * strideC;
    MemorySegment first = memory(atConfiguration + AmxProduct.CONFIGURATION_BYTES);
    Random random = new Random(1);
    for (int i = 0; i < atC / 2; i++) {
      int row = i / depth;
      int column = (i - atB / 2) % (2 * AmxProduct.COLUMNS) / 2;
      boolean small = (2 * i < atB ? row : column) % 2 == 0;
      int exponent = small ? random.nextInt(0x38) : random.nextInt(0xb0);
      int bits = random.nextInt(2) << 15 | exponent << 7 | random.nextInt(128);
      first.set(SHORT, 2L * i, (short) bits);
    }
    for (int i = 0; i < AmxProduct.ROWS * AmxProduct.COLUMNS; i++) {
      int exponent = random.nextInt(100);
      int bits = random.nextInt(2) << 31 | exponent << 23 | random.nextInt(1 << 23);
      first.set(INT, atC + 4L * i, i % 2 == 0 ? 0 : bits);
    }
    byte[] configuration = AmxProduct.configuration();
    MemorySegment.copy(
        configuration, 0, first, ValueLayout.JAVA_BYTE, atConfiguration, configuration.length);
    MemorySegment second = memory(atConfiguration + AmxProduct.CONFIGURATION_BYTES).copyFrom(first);
    Assembler x86 = new Assembler();
    int entry = AmxProduct.assemble(x86).offset();
    long[] arguments = {
      Machine.BASE,
      strideA,
      Machine.BASE + atB,
      Machine.BASE + atC,
      strideC,
      AmxProduct.ROWS,
      AmxProduct.COLUMNS,
      depth / 32,
      4 * AmxProduct.COLUMNS,
      Machine.BASE + atConfiguration
    };
    new Emulator(x86.code(), first).call(entry, arguments);
    Machine.of(x86.code(), second).call(entry, arguments);
    int zeros = 0;
    for (int i = 0; i < AmxProduct.ROWS * AmxProduct.COLUMNS; i++) {
      int sum = first.get(INT, atC + 4L * i);
      assertEquals(sum, second.get(INT, atC + 4L * i), "sum " + i);
      zeros += sum << 1 == 0 ? 1 : 0;
    }
    assertTrue(zeros > 0, "none was below the normal range");
  }
}
