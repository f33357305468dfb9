package io.github.kolors4j.x86;

import static io.github.kolors4j.x86.Operand.Register.RAX;
import static io.github.kolors4j.x86.Operand.Register.RBX;
import static io.github.kolors4j.x86.Operand.Register.RCX;
import static io.github.kolors4j.x86.Operand.Register.RDI;
import static io.github.kolors4j.x86.Operand.Register.RDX;
import static io.github.kolors4j.x86.Operand.Register.RSI;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.kolors4j.x86.Assembler.Label;
import io.github.kolors4j.x86.Operand.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * What {@code cpuid} says that the CPU has, and {@code xgetbv} that the system keeps for a process.
 * Bits are those of Intel's Software Developer's Manual, volume 2, {@code CPUID}.
 *
 * @param basic leaf 1
 * @param extended leaf 7, subleaf 0
 * @param more leaf 7, subleaf 1
 * @param xcr0 the states that the system saves; 0 where it has no {@code xgetbv}
 */
record CpuFeatures(Leaf basic, Leaf extended, Leaf more, long xcr0) {
  /** What {@code cpuid} gives for a leaf. */
  record Leaf(int eax, int ebx, int ecx, int edx) {
    static final Leaf NONE = new Leaf(0, 0, 0, 0);
  }

  private static final int OSXSAVE = 27; // leaf 1, ecx
  private static final int BMI2 = 8; // leaf 7, ebx
  private static final int AVX512_F = 16;
  private static final int AVX512_BW = 30;
  private static final int AMX_BF16 = 22; // leaf 7, edx
  private static final int AMX_TILE = 24;
  private static final int AVX512_BF16 = 5; // leaf 7.1, eax

  /** Of XCR0: SSE, AVX, the masks, the upper halves and the upper sixteen registers. */
  private static final long VECTOR_STATES = 0b1110_0110;

  /** Of XCR0: the tiles' configuration and their data. */
  private static final long TILE_STATES = 0b11L << 17;

  /** Asks the CPU that this runs on. */
  static CpuFeatures ofThisCpu() {
    Assembler assembler = new Assembler();
    Label cpuid = assembler.label();
    assembleCpuid(assembler);
    assembler.align();
    Label xgetbv = assembler.label();
    assembleXgetbv(assembler);
    MachineCode code = new MachineCode(assembler);
    MethodHandle askLeaf =
        code.function(cpuid, FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, ADDRESS));
    Leaf basic = leaf(askLeaf, 1, 0);
    boolean hasSeven = leaf(askLeaf, 0, 0).eax >= 7;
    Leaf extended = hasSeven ? leaf(askLeaf, 7, 0) : Leaf.NONE;
    Leaf more = hasSeven && extended.eax >= 1 ? leaf(askLeaf, 7, 1) : Leaf.NONE;
    if (!bit(basic.ecx, OSXSAVE)) {
      return new CpuFeatures(basic, extended, more, 0);
    }
    try {
      MethodHandle ask = code.function(xgetbv, FunctionDescriptor.of(JAVA_LONG));
      return new CpuFeatures(basic, extended, more, (long) ask.invokeExact());
    } catch (Throwable e) {
      throw Libc.unchecked(e);
    }
  }

  /** {@code void cpuid(int leaf, int subleaf, int[4] registers)}. */
  static void assembleCpuid(Assembler x86) {
    x86.push(RBX); // the caller's
    x86.mov(RAX, RDI);
    x86.mov(RCX, RSI);
    x86.mov(RSI, RDX);
    x86.cpuid();
    // In this order, as each of 64 bits overwrites what follows.
    x86.mov(Memory.at(RSI), RAX);
    x86.mov(Memory.at(RSI, 4), RBX);
    x86.mov(Memory.at(RSI, 8), RCX);
    x86.mov(Memory.at(RSI, 12), RDX);
    x86.pop(RBX);
    x86.ret();
  }

  /** {@code long xgetbv()} of XCR0. */
  static void assembleXgetbv(Assembler x86) {
    x86.mov(RCX, 0);
    x86.xgetbv();
    x86.shl(RDX, 32);
    x86.add(RAX, RDX);
    x86.ret();
  }

  private static Leaf leaf(MethodHandle cpuid, int number, int sub) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = arena.allocate(4 * JAVA_INT.byteSize() + JAVA_INT.byteSize(), 8);
      cpuid.invokeExact(number, sub, registers);
      return new Leaf(
          registers.getAtIndex(JAVA_INT, 0),
          registers.getAtIndex(JAVA_INT, 1),
          registers.getAtIndex(JAVA_INT, 2),
          registers.getAtIndex(JAVA_INT, 3));
    } catch (Throwable e) {
      throw Libc.unchecked(e);
    }
  }

  /** Whether the kernels of AVX512-BF16 run here. */
  boolean hasAvx512Bf16() {
    return bit(extended.ebx, AVX512_F)
        && bit(extended.ebx, AVX512_BW)
        && bit(extended.ebx, BMI2)
        && bit(more.eax, AVX512_BF16)
        && (xcr0 & VECTOR_STATES) == VECTOR_STATES;
  }

  /** Whether the kernels of AMX run here, which pack with those of AVX-512. */
  boolean hasAmxBf16() {
    return hasAvx512Bf16() && hasTiles() && savesTiles();
  }

  /** Whether the CPU has AMX, whatever the system says. */
  boolean hasTiles() {
    return bit(extended.edx, AMX_TILE) && bit(extended.edx, AMX_BF16);
  }

  /** Whether the system keeps tiles for a process. */
  boolean savesTiles() {
    return (xcr0 & TILE_STATES) == TILE_STATES;
  }

  private static boolean bit(int register, int bit) {
    return (register >>> bit & 1) != 0;
  }
}
