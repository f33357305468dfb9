package io.github.kolors4j.x86;

import static io.github.kolors4j.x86.Operand.Register.R10;
import static io.github.kolors4j.x86.Operand.Register.R11;
import static io.github.kolors4j.x86.Operand.Register.R8;
import static io.github.kolors4j.x86.Operand.Register.R9;
import static io.github.kolors4j.x86.Operand.Register.RAX;
import static io.github.kolors4j.x86.Operand.Register.RBX;
import static io.github.kolors4j.x86.Operand.Register.RCX;
import static io.github.kolors4j.x86.Operand.Register.RDI;
import static io.github.kolors4j.x86.Operand.Register.RDX;
import static io.github.kolors4j.x86.Operand.Register.RSI;
import static io.github.kolors4j.x86.Operand.Register.RSP;

import io.github.kolors4j.x86.Assembler.Label;
import io.github.kolors4j.x86.Operand.Mask;
import io.github.kolors4j.x86.Operand.Memory;
import io.github.kolors4j.x86.Operand.Register;
import io.github.kolors4j.x86.Operand.Zmm;

/**
 * Packed rows times a panel by {@code vdpbf16ps}: a tile of 6 rows and up to 4 vectors of columns
 * stays in 24 registers while k runs; 4 more have a pair of k of the panel, and 4 a pair of a row
 * each, broadcast.
 *
 * @param vectors the panel's width in vectors of 16 columns, 1 to 4
 */
record Avx512Product(int vectors) {
  /** Rows of a tile. */
  static final int ROWS = 6;

  /** Columns of a vector. */
  static final int LANES = 16;

  /**
   * Pairs of k a round, a divisor of those in a {@link io.github.kolors4j.tensor.Bf16Kernel#STEP}.
   */
  private static final int UNROLL = 4;

  private static final int PAIR = 4;
  private static final int VECTOR = 64;
  private static final int FIRST_OF_PANEL = 24;
  private static final int FIRST_BROADCAST = 28;
  private static final int BROADCASTS = 4;

  /** Columns of the last vector that there are. */
  private static final Mask LAST = new Mask(1);

  // Arguments.
  private static final Register A = RDI;
  private static final Register STRIDE_A = RSI;
  private static final Register B = RDX;
  private static final Register C = RCX;
  private static final Register STRIDE_C = R8;
  private static final Register ROWS_LEFT = R9;

  // What runs with k: two places in A, of the first and the fourth row, and one in B.
  private static final Register ROW_0 = R10;
  private static final Register ROW_3 = R11;
  private static final Register PANEL = RAX;
  private static final Register PAIRS_LEFT = RBX;

  /**
   * {@code void multiply(const void* a, long strideA, const void* b, float* c, long strideC, long
   * rows, long pairs, long lastColumns)}: adds to {@code c}, whose last columns are a mask.
   */
  Label assemble(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    Label tiles = new Label();
    Label rest = new Label();
    Label end = new Label();
    int arguments = 16; // what is pushed, and the address to return to
    x86.push(RBX);
    x86.mov(RAX, Memory.at(RSP, arguments + 8));
    x86.kmovd(LAST, RAX);
    x86.bind(tiles);
    x86.cmp(ROWS_LEFT, ROWS);
    x86.jl(rest);
    assembleTile(x86, ROWS, arguments);
    x86.sub(ROWS_LEFT, ROWS);
    x86.jmp(tiles);
    x86.bind(rest);
    for (int rows = 1; rows < ROWS; rows++) {
      Label next = new Label();
      x86.cmp(ROWS_LEFT, rows);
      x86.jne(next);
      assembleTile(x86, rows, arguments);
      x86.jmp(end);
      x86.bind(next);
    }
    x86.bind(end);
    x86.vzeroupper();
    x86.pop(RBX);
    x86.ret();
    return entry;
  }

  /** A tile, which leaves C at the row behind it, and A where a whole one would end. */
  private void assembleTile(Assembler x86, int rows, int pairsArgument) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        x86.vpxord(sum(i, j), sum(i, j), sum(i, j));
      }
    }
    x86.mov(ROW_0, A);
    x86.lea(ROW_3, Memory.at(A, STRIDE_A, 2, 0));
    x86.add(ROW_3, STRIDE_A);
    x86.mov(PANEL, B);
    x86.mov(PAIRS_LEFT, Memory.at(RSP, pairsArgument));
    Label round = new Label();
    x86.align();
    x86.bind(round);
    for (int u = 0; u < UNROLL; u++) {
      for (int j = 0; j < vectors; j++) {
        x86.vmovups(panel(j), Memory.at(PANEL, (u * vectors + j) * VECTOR));
      }
      for (int i = 0; i < rows; i++) {
        Zmm pair = new Zmm(FIRST_BROADCAST + i % BROADCASTS);
        x86.vpbroadcastd(pair, row(i, u * PAIR));
        for (int j = 0; j < vectors; j++) {
          x86.vdpbf16ps(sum(i, j), pair, panel(j));
        }
      }
    }
    x86.add(ROW_0, UNROLL * PAIR);
    x86.add(ROW_3, UNROLL * PAIR);
    x86.add(PANEL, UNROLL * vectors * VECTOR);
    x86.sub(PAIRS_LEFT, UNROLL);
    x86.jg(round);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        Mask mask = j == vectors - 1 ? LAST : Mask.NONE;
        Memory results = Memory.at(C, j * VECTOR);
        x86.vaddps(sum(i, j), mask, sum(i, j), results);
        x86.vmovups(results, mask, sum(i, j));
      }
      x86.add(C, STRIDE_C);
    }
    x86.lea(A, Memory.at(A, STRIDE_A, 4, 0));
    x86.lea(A, Memory.at(A, STRIDE_A, 2, 0));
  }

  private static Memory row(int i, int displacement) {
    Register first = i < 3 ? ROW_0 : ROW_3;
    return i % 3 == 0
        ? Memory.at(first, displacement)
        : Memory.at(first, STRIDE_A, i % 3, displacement);
  }

  private Zmm sum(int i, int j) {
    return new Zmm(i * vectors + j);
  }

  private static Zmm panel(int j) {
    return new Zmm(FIRST_OF_PANEL + j);
  }

  /** {@code void spin(long rounds)}: 24 sums of what is in registers, each round. */
  static Label assembleSpin(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    for (int i = 0; i < 32; i++) {
      x86.vpxord(new Zmm(i), new Zmm(i), new Zmm(i));
    }
    x86.align();
    Label round = x86.label();
    for (int i = 0; i < SPIN_SUMS; i++) {
      x86.vdpbf16ps(
          new Zmm(i), new Zmm(FIRST_BROADCAST + i % BROADCASTS), new Zmm(FIRST_OF_PANEL + i % 4));
    }
    x86.sub(RDI, 1);
    x86.jg(round);
    x86.vzeroupper();
    x86.ret();
    return entry;
  }

  /** Products of a round of {@link #assembleSpin}. */
  static final int SPIN_SUMS = 24;
}
