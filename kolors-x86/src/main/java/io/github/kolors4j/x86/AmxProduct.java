package io.github.kolors4j.x86;

import static io.github.kolors4j.x86.Operand.Register.R10;
import static io.github.kolors4j.x86.Operand.Register.R11;
import static io.github.kolors4j.x86.Operand.Register.R12;
import static io.github.kolors4j.x86.Operand.Register.R13;
import static io.github.kolors4j.x86.Operand.Register.R14;
import static io.github.kolors4j.x86.Operand.Register.R15;
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

import io.github.kolors4j.x86.Assembler.Label;
import io.github.kolors4j.x86.Operand.Mask;
import io.github.kolors4j.x86.Operand.Memory;
import io.github.kolors4j.x86.Operand.Register;
import io.github.kolors4j.x86.Operand.Tile;
import io.github.kolors4j.x86.Operand.Zmm;
import java.util.List;

/**
 * Packed rows times a panel by {@code tdpbf16ps}: 32 × 32 results in four tiles, while two tiles of
 * rows and two of the panel go through k, 32 at a time. Results go by the stack, where they are
 * whole, to C, which may have fewer rows and columns.
 */
final class AmxProduct {
  /** Rows of a block, two tiles of them. */
  static final int ROWS = 32;

  /** Columns of a block, two tiles of them. */
  static final int COLUMNS = 32;

  /** Bytes of a row of a tile. */
  static final int TILE_BYTES = 64;

  /** Rows of a tile. */
  static final int TILE_ROWS = 16;

  /** What a configuration takes. */
  static final int CONFIGURATION_BYTES = 64;

  private static final int RESULT_BYTES = 2 * TILE_BYTES; // of a row

  private static final Tile ROWS_0 = new Tile(4);
  private static final Tile ROWS_16 = new Tile(5);
  private static final Tile COLUMNS_0 = new Tile(6);
  private static final Tile COLUMNS_16 = new Tile(7);

  private static final Mask FIRST_16 = new Mask(1);
  private static final Mask LAST_16 = new Mask(2);
  private static final Zmm SUMS = new Zmm(0);

  // Arguments in registers; what runs with blocks of rows is counted on in them.
  private static final Register A = RDI;
  private static final Register STRIDE_A = RSI;
  private static final Register B = RDX;
  private static final Register C = RCX;
  private static final Register STRIDE_C = R8;
  private static final Register ROWS_LEFT = R9;

  /** From one pair of k to the next. */
  private static final Register STRIDE_B = R10;

  // What runs with blocks of columns.
  private static final Register COLUMNS_LEFT = R12;
  private static final Register BLOCK_B = R14;
  private static final Register BLOCK_C = R15;

  // What runs with k.
  private static final Register STEPS_LEFT = R13;
  private static final Register AT_ROWS_0 = RAX;
  private static final Register AT_ROWS_16 = RBX;
  private static final Register AT_COLUMNS = R11;

  private static final List<Register> SAVED = List.of(RBX, R12, R13, R14, R15, RBP);

  private AmxProduct() {}

  /**
   * The configuration of all eight tiles: palette 1, rows of 64 bytes, 16 of them.
   *
   * @return as {@code ldtilecfg} reads it
   */
  static byte[] configuration() {
    byte[] bytes = new byte[CONFIGURATION_BYTES];
    bytes[0] = 1;
    for (int tile = 0; tile < 8; tile++) {
      bytes[16 + 2 * tile] = TILE_BYTES;
      bytes[48 + tile] = TILE_ROWS;
    }
    return bytes;
  }

  /**
   * {@code void multiply(const void* a, long strideA, const void* b, float* c, long strideC, long
   * rows, long columns, long steps, long strideB, const void* configuration)}: adds to {@code c}.
   * Of {@code a} whole blocks of rows are read, of {@code b} whole blocks of columns.
   */
  static Label assemble(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    Label rowBlocks = new Label();
    Label columnBlocks = new Label();
    Label end = new Label();
    SAVED.forEach(x86::push);
    x86.mov(RBP, RSP);
    x86.sub(RSP, ROWS * RESULT_BYTES);
    x86.and(RSP, -TILE_BYTES);
    Memory columns = Memory.at(RBP, 8 * (SAVED.size() + 1));
    Memory steps = Memory.at(RBP, 8 * (SAVED.size() + 2));
    x86.mov(STRIDE_B, Memory.at(RBP, 8 * (SAVED.size() + 3)));
    x86.mov(RAX, Memory.at(RBP, 8 * (SAVED.size() + 4)));
    x86.ldtilecfg(Memory.at(RAX));

    x86.bind(rowBlocks);
    x86.cmp(ROWS_LEFT, 0);
    x86.jle(end);
    x86.mov(COLUMNS_LEFT, columns);
    x86.mov(BLOCK_B, B);
    x86.mov(BLOCK_C, C);
    x86.bind(columnBlocks);
    assembleSums(x86, steps);
    assembleResults(x86);
    x86.add(BLOCK_B, COLUMNS * 2 * Short.BYTES);
    x86.add(BLOCK_C, COLUMNS * Float.BYTES);
    x86.sub(COLUMNS_LEFT, COLUMNS);
    x86.jg(columnBlocks);
    x86.mov(RAX, STRIDE_A);
    x86.shl(RAX, 5);
    x86.add(A, RAX);
    x86.mov(RAX, STRIDE_C);
    x86.shl(RAX, 5);
    x86.add(C, RAX);
    x86.sub(ROWS_LEFT, ROWS);
    x86.jmp(rowBlocks);

    x86.bind(end);
    x86.tilerelease();
    x86.vzeroupper();
    x86.mov(RSP, RBP);
    SAVED.reversed().forEach(x86::pop);
    x86.ret();
    return entry;
  }

  /** 32 × 32 sums over k, which go to the stack. */
  private static void assembleSums(Assembler x86, Memory steps) {
    Label round = new Label();
    for (int i = 0; i < 4; i++) {
      x86.tilezero(new Tile(i));
    }
    x86.mov(AT_ROWS_0, A);
    x86.mov(AT_ROWS_16, STRIDE_A);
    x86.shl(AT_ROWS_16, 4);
    x86.add(AT_ROWS_16, A);
    x86.mov(AT_COLUMNS, BLOCK_B);
    x86.mov(STEPS_LEFT, steps);
    x86.bind(round);
    x86.tileloadd(ROWS_0, Memory.at(AT_ROWS_0, STRIDE_A, 1, 0));
    x86.tileloadd(COLUMNS_0, Memory.at(AT_COLUMNS, STRIDE_B, 1, 0));
    x86.tileloadd(COLUMNS_16, Memory.at(AT_COLUMNS, STRIDE_B, 1, TILE_BYTES));
    x86.tileloadd(ROWS_16, Memory.at(AT_ROWS_16, STRIDE_A, 1, 0));
    x86.tdpbf16ps(new Tile(0), ROWS_0, COLUMNS_0);
    x86.tdpbf16ps(new Tile(1), ROWS_0, COLUMNS_16);
    x86.tdpbf16ps(new Tile(2), ROWS_16, COLUMNS_0);
    x86.tdpbf16ps(new Tile(3), ROWS_16, COLUMNS_16);
    x86.add(AT_ROWS_0, TILE_BYTES);
    x86.add(AT_ROWS_16, TILE_BYTES);
    x86.lea(AT_COLUMNS, Memory.at(AT_COLUMNS, STRIDE_B, 8, 0)); // 16 pairs of k
    x86.lea(AT_COLUMNS, Memory.at(AT_COLUMNS, STRIDE_B, 8, 0));
    x86.sub(STEPS_LEFT, 1);
    x86.jg(round);
    Register stride = R13; // all steps are done
    x86.mov(stride, RESULT_BYTES);
    for (int i = 0; i < 4; i++) {
      int at = i / 2 * TILE_ROWS * RESULT_BYTES + i % 2 * TILE_BYTES;
      x86.tilestored(Memory.at(RSP, stride, 1, at), new Tile(i));
    }
  }

  /** Adds sums from the stack to C, as many rows and columns as it has. */
  private static void assembleResults(Assembler x86) {
    Register rows = RAX;
    Register from = RBX;
    Register to = R11;
    Register masks = R13;
    Label row = new Label();
    x86.mov(masks, COLUMNS);
    x86.cmp(COLUMNS_LEFT, masks);
    x86.cmovb(masks, COLUMNS_LEFT);
    x86.mov(from, -1);
    x86.bzhi(masks, from, masks);
    x86.kmovd(FIRST_16, masks);
    x86.shr(masks, 16);
    x86.kmovd(LAST_16, masks);
    x86.mov(rows, ROWS);
    x86.cmp(ROWS_LEFT, rows);
    x86.cmovb(rows, ROWS_LEFT);
    x86.mov(from, RSP);
    x86.mov(to, BLOCK_C);
    x86.bind(row);
    assembleAddition(x86, FIRST_16, from, to, 0);
    assembleAddition(x86, LAST_16, from, to, TILE_BYTES);
    x86.add(from, RESULT_BYTES);
    x86.add(to, STRIDE_C);
    x86.sub(rows, 1);
    x86.jg(row);
  }

  private static void assembleAddition(
      Assembler x86, Mask mask, Register from, Register to, int displacement) {
    x86.vmovups(SUMS, Memory.at(from, displacement));
    x86.vaddps(SUMS, mask, SUMS, Memory.at(to, displacement));
    x86.vmovups(Memory.at(to, displacement), mask, SUMS);
  }

  /** {@code void spin(long rounds, const void* configuration)}: four products a round. */
  static Label assembleSpin(Assembler x86) {
    x86.align();
    Label entry = x86.label();
    x86.ldtilecfg(Memory.at(RSI));
    for (int i = 0; i < 8; i++) {
      x86.tilezero(new Tile(i));
    }
    Label round = x86.label();
    for (int i = 0; i < SPIN_PRODUCTS; i++) {
      x86.tdpbf16ps(new Tile(i), i < 2 ? ROWS_0 : ROWS_16, i % 2 == 0 ? COLUMNS_0 : COLUMNS_16);
    }
    x86.sub(RDI, 1);
    x86.jg(round);
    x86.tilerelease();
    x86.ret();
    return entry;
  }

  /** Products of a round of {@link #assembleSpin}. */
  static final int SPIN_PRODUCTS = 4;
}
