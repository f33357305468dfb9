package io.github.kolors4j.x86;

import static io.github.kolors4j.x86.Operand.Register.R10;
import static io.github.kolors4j.x86.Operand.Register.R11;
import static io.github.kolors4j.x86.Operand.Register.R12;
import static io.github.kolors4j.x86.Operand.Register.R8;
import static io.github.kolors4j.x86.Operand.Register.R9;
import static io.github.kolors4j.x86.Operand.Register.RAX;
import static io.github.kolors4j.x86.Operand.Register.RBP;
import static io.github.kolors4j.x86.Operand.Register.RBX;
import static io.github.kolors4j.x86.Operand.Register.RCX;
import static io.github.kolors4j.x86.Operand.Register.RDI;
import static io.github.kolors4j.x86.Operand.Register.RDX;
import static io.github.kolors4j.x86.Operand.Register.RSI;
import static io.github.kolors4j.x86.Operand.Register.RSP;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.x86.Assembler.Label;
import io.github.kolors4j.x86.Operand.Mask;
import io.github.kolors4j.x86.Operand.Memory;
import io.github.kolors4j.x86.Operand.Register;
import io.github.kolors4j.x86.Operand.Zmm;

/**
 * Functions that pack BF16: 32 values of a row at a time, which are a vector of 16 pairs.
 *
 * <p>Numbers below the normal range become zero, on the way in and on the way out: so do the
 * instructions.
 *
 * @param dtype what the values are stored as
 * @param piece which piece of each
 */
record Packing(DType dtype, int piece) {
  /** Values that are converted at a time. */
  private static final int VALUES = Bf16Kernel.STEP;

  /** Bytes of them once they are BF16. */
  private static final int PACKED = VALUES * Bf16Kernel.BYTES;

  /** Columns of a panel that are transposed at a time. */
  private static final int COLUMNS = 16;

  /** All bits are set. */
  private static final Register ONES = R12;

  private static final Zmm LOW = new Zmm(0);
  private static final Zmm HIGH = new Zmm(1);
  private static final Zmm PIECE = new Zmm(2);
  private static final Mask FIRST_16 = new Mask(1);
  private static final Mask LAST_16 = new Mask(2);
  private static final Mask ALL_32 = new Mask(1);

  /** Of a BF16 value the only piece is the first. */
  boolean isThere() {
    return dtype != DType.BF16 || piece == 0;
  }

  /**
   * {@code void packRows(const void* x, long strideX, long rows, long length, void* y, long
   * strideY)}: rows as they are.
   */
  Label assembleRows(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    Label row = new Label();
    Label block = new Label();
    Label end = new Label();
    x86.push(RBX);
    x86.push(ONES);
    x86.mov(ONES, -1);
    x86.bind(row);
    x86.sub(RDX, 1);
    x86.jl(end);
    x86.mov(R10, RDI); // where values are read
    x86.mov(R11, R8); // where they go
    x86.mov(RBX, RCX); // how many are left
    x86.bind(block);
    assembleBlock(x86, R10, RBX, LOW);
    x86.vmovups(Memory.at(R11), LOW);
    x86.add(R10, VALUES * dtype.bytes());
    x86.add(R11, PACKED);
    x86.sub(RBX, VALUES);
    x86.jg(block);
    x86.add(RDI, RSI);
    x86.add(R8, R9);
    x86.jmp(row);
    x86.bind(end);
    x86.vzeroupper();
    x86.pop(ONES);
    x86.pop(RBX);
    x86.ret();
    return entry;
  }

  /**
   * {@code void packColumns(const void* x, long strideX, long rows, long length, void* y, long
   * strideY)}: up to 16 rows as columns, pairs side by side. 16 rows of 16 pairs go by the stack
   * into registers and are transposed there.
   */
  Label assembleColumns(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    Label blocks = new Label();
    Label row = new Label();
    Label absent = new Label();
    Label transpose = new Label();
    x86.push(RBX);
    x86.push(ONES);
    x86.push(RBP);
    x86.mov(RBP, RSP);
    x86.mov(ONES, -1);
    x86.sub(RSP, COLUMNS * PACKED);
    x86.and(RSP, -PACKED);
    x86.bind(blocks);
    x86.mov(R10, RDI); // where values are read
    x86.mov(R11, RSP); // where they go
    x86.mov(RBX, RDX); // how many rows are left
    x86.bind(row);
    assembleBlock(x86, R10, RCX, LOW);
    x86.vmovups(Memory.at(R11), LOW);
    x86.add(R10, RSI);
    x86.add(R11, PACKED);
    x86.sub(RBX, 1);
    x86.jg(row);
    x86.mov(RBX, COLUMNS);
    x86.sub(RBX, RDX);
    x86.vpxord(LOW, LOW, LOW);
    x86.bind(absent);
    x86.sub(RBX, 1);
    x86.jl(transpose);
    x86.vmovups(Memory.at(R11), LOW);
    x86.add(R11, PACKED);
    x86.jmp(absent);
    x86.bind(transpose);
    for (int i = 0; i < COLUMNS; i++) {
      x86.vmovups(new Zmm(i), Memory.at(RSP, PACKED * i));
    }
    assembleTransposition(x86);
    for (int i = 0; i < COLUMNS; i++) {
      x86.vmovups(Memory.at(R8), new Zmm(i));
      x86.add(R8, R9);
    }
    x86.add(RDI, VALUES * dtype.bytes());
    x86.sub(RCX, VALUES);
    x86.jg(blocks);
    x86.vzeroupper();
    x86.mov(RSP, RBP);
    x86.pop(RBP);
    x86.pop(ONES);
    x86.pop(RBX);
    x86.ret();
    return entry;
  }

  /**
   * {@code void packPairs(const void* x, long strideX, long rows, long length, void* y, long
   * strideY)}: two rows at a time, value beside value. F32 alone; {@code length} is a multiple of
   * 16, and rows that are missing from a {@link Bf16Kernel#STEP} are zeros.
   */
  Label assemblePairs(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    Label pair = new Label();
    Label vector = new Label();
    Label one = new Label();
    Label pack = new Label();
    Label none = new Label();
    Label end = new Label();
    x86.push(RBX);
    x86.push(R12);
    Register pairs = R12; // that are not written yet
    x86.mov(pairs, RDX);
    x86.add(pairs, Bf16Kernel.STEP - 1);
    x86.shr(pairs, 5);
    x86.shl(pairs, 4);
    x86.bind(pair);
    x86.mov(R10, RDI);
    x86.mov(R11, R8);
    x86.mov(RBX, RCX);
    x86.cmp(RDX, 0);
    x86.jle(none);
    x86.bind(vector);
    x86.vmovups(LOW, Memory.at(R10));
    x86.vpxord(HIGH, HIGH, HIGH);
    x86.cmp(RDX, 1);
    x86.je(one);
    x86.vmovups(HIGH, Memory.at(R10, RSI, 1, 0));
    x86.bind(one);
    for (int i = 0; i < piece; i++) {
      assembleRest(x86, LOW);
      assembleRest(x86, HIGH);
    }
    x86.vcvtneps2bf16(LOW, LOW);
    x86.vpmovzxwd(LOW, LOW);
    x86.vcvtneps2bf16(HIGH, HIGH);
    x86.vpmovzxwd(HIGH, HIGH);
    x86.vpslld(HIGH, HIGH, 16);
    x86.vpord(LOW, LOW, HIGH);
    x86.jmp(pack);
    x86.bind(none);
    x86.vpxord(LOW, LOW, LOW);
    x86.bind(pack);
    x86.vmovups(Memory.at(R11), LOW);
    x86.add(R10, PACKED);
    x86.add(R11, PACKED);
    x86.sub(RBX, COLUMNS);
    x86.jle(end);
    x86.cmp(RDX, 0);
    x86.jg(vector);
    x86.jmp(pack);
    x86.bind(end);
    x86.lea(RDI, Memory.at(RDI, RSI, 2, 0));
    x86.add(R8, R9);
    x86.sub(RDX, 2);
    x86.sub(pairs, 1);
    x86.jg(pair);
    x86.vzeroupper();
    x86.pop(R12);
    x86.pop(RBX);
    x86.ret();
    return entry;
  }

  /** 32 values, or as many as are left and zeros, as 32 BF16. Uses RAX, two masks and zmm0 to 2. */
  private void assembleBlock(Assembler x86, Register from, Register left, Zmm to) {
    Register masks = RAX;
    // One bit for each value that is left, of 32.
    x86.mov(masks, VALUES);
    x86.cmp(left, masks);
    x86.cmovb(masks, left);
    x86.bzhi(masks, ONES, masks);
    x86.kmovd(FIRST_16, masks);
    if (dtype == DType.BF16) {
      x86.vmovdqu16(to, ALL_32, Memory.at(from));
      return;
    }
    x86.shr(masks, 16);
    x86.kmovd(LAST_16, masks);
    if (dtype == DType.F16) {
      x86.vcvtph2ps(LOW, FIRST_16, Memory.at(from));
      x86.vcvtph2ps(HIGH, LAST_16, Memory.at(from, 16 * dtype.bytes()));
    } else {
      x86.vmovups(LOW, FIRST_16, Memory.at(from));
      x86.vmovups(HIGH, LAST_16, Memory.at(from, 16 * dtype.bytes()));
    }
    for (int i = 0; i < piece; i++) {
      assembleRest(x86, LOW);
      assembleRest(x86, HIGH);
    }
    x86.vcvtne2ps2bf16(to, HIGH, LOW);
  }

  /** What a piece leaves of values. */
  private static void assembleRest(Assembler x86, Zmm values) {
    x86.vcvtneps2bf16(PIECE, values);
    x86.vpmovzxwd(PIECE, PIECE);
    x86.vpslld(PIECE, PIECE, 16);
    x86.vsubps(values, values, PIECE);
  }

  /** Transposes 16×16 values of 32 bits in zmm0 to zmm15. */
  private static void assembleTransposition(Assembler x86) {
    for (int i = 0; i < 16; i += 2) {
      x86.vpunpckldq(new Zmm(16 + i), new Zmm(i), new Zmm(i + 1));
      x86.vpunpckhdq(new Zmm(17 + i), new Zmm(i), new Zmm(i + 1));
    }
    // Of four rows the quarters q, q + 4, q + 8 and q + 12 of columns, a lane each.
    for (int i = 0; i < 16; i += 4) {
      for (int half = 0; half < 2; half++) {
        Zmm first = new Zmm(16 + i + half);
        Zmm second = new Zmm(16 + i + 2 + half);
        x86.vpunpcklqdq(new Zmm(i + 2 * half), first, second);
        x86.vpunpckhqdq(new Zmm(i + 2 * half + 1), first, second);
      }
    }
    int even = 0b10_00_10_00;
    int odd = 0b11_01_11_01;
    for (int q = 0; q < 4; q++) {
      for (int half = 0; half < 16; half += 8) {
        x86.vshufi32x4(new Zmm(16 + half + q), new Zmm(half + q), new Zmm(half + 4 + q), even);
        x86.vshufi32x4(new Zmm(20 + half + q), new Zmm(half + q), new Zmm(half + 4 + q), odd);
      }
    }
    for (int q = 0; q < 8; q++) {
      x86.vshufi32x4(new Zmm(q), new Zmm(16 + q), new Zmm(24 + q), even);
      x86.vshufi32x4(new Zmm(8 + q), new Zmm(16 + q), new Zmm(24 + q), odd);
    }
  }
}
