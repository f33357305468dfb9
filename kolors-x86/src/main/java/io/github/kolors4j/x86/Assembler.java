package io.github.kolors4j.x86;

import io.github.kolors4j.x86.Operand.Mask;
import io.github.kolors4j.x86.Operand.Memory;
import io.github.kolors4j.x86.Operand.Register;
import io.github.kolors4j.x86.Operand.Tile;
import io.github.kolors4j.x86.Operand.Zmm;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An assembler for the instructions that the kernels need, each a method of its name with Intel's
 * order of operands: the destination first. Vector instructions work on 512 bits where nothing else
 * is said.
 */
@SuppressWarnings("EnumOrdinal") // the manual's numbers of registers, in its order
final class Assembler {
  /** A place in the code, to jump to. */
  static final class Label {
    private static final int UNBOUND = -1;

    private int offset = UNBOUND;

    /** Where it is, in bytes from the begin of the code. */
    int offset() {
      if (offset == UNBOUND) {
        throw new IllegalStateException("[x86] a label that was never bound.");
      }
      return offset;
    }
  }

  /** A displacement of 32 bits that waits for its label. */
  private record Jump(int at, Label target) {}

  /** Mandatory prefixes, as VEX and EVEX number them. */
  private static final int NONE = 0;

  private static final int P66 = 1;
  private static final int PF3 = 2;
  private static final int PF2 = 3;

  /** Opcode maps, as VEX and EVEX number them. */
  private static final int MAP_0F = 1;

  private static final int MAP_0F38 = 2;
  private static final int MAP_0F3A = 3;

  private static final int LINE = 64;

  private byte[] bytes = new byte[1024];
  private int size;
  private final List<Jump> jumps = new ArrayList<>();

  /** The code, with its jumps resolved. */
  byte[] code() {
    byte[] code = Arrays.copyOf(bytes, size);
    ByteBuffer buffer = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    for (Jump jump : jumps) {
      buffer.putInt(jump.at, jump.target.offset() - (jump.at + Integer.BYTES));
    }
    return code;
  }

  /** A label at this place. */
  Label label() {
    Label label = new Label();
    bind(label);
    return label;
  }

  void bind(Label label) {
    label.offset = size;
  }

  /** Fills up to a multiple of 64 bytes, so that what follows begins on a cache line. */
  void align() {
    while (size % LINE != 0) {
      emit(0x90); // nop
    }
  }

  // General-purpose instructions, on 64 bits where nothing else is said.

  void mov(Register to, Register from) {
    rex(from.number(), to.number());
    emit(0x89);
    direct(from.number(), to.number());
  }

  void mov(Register to, Memory from) {
    rex(to.number(), from);
    emit(0x8b);
    memory(to.number(), from, 1);
  }

  void mov(Memory to, Register from) {
    rex(from.number(), to);
    emit(0x89);
    memory(from.number(), to, 1);
  }

  /** The number, extended by its sign. */
  void mov(Register to, int value) {
    rex(0, to.number());
    emit(0xc7);
    direct(0, to.number());
    emitInt(value);
  }

  void lea(Register to, Memory address) {
    rex(to.number(), address);
    emit(0x8d);
    memory(to.number(), address, 1);
  }

  void add(Register to, Register value) {
    rex(value.number(), to.number());
    emit(0x01);
    direct(value.number(), to.number());
  }

  void add(Register to, int value) {
    arithmetic(0, to, value);
  }

  void sub(Register to, Register value) {
    rex(value.number(), to.number());
    emit(0x29);
    direct(value.number(), to.number());
  }

  void sub(Register to, int value) {
    arithmetic(5, to, value);
  }

  void and(Register to, int value) {
    arithmetic(4, to, value);
  }

  void cmp(Register first, int second) {
    arithmetic(7, first, second);
  }

  void cmp(Register first, Register second) {
    rex(second.number(), first.number());
    emit(0x39);
    direct(second.number(), first.number());
  }

  private void arithmetic(int operation, Register to, int value) {
    rex(0, to.number());
    emit(0x81);
    direct(operation, to.number());
    emitInt(value);
  }

  void shl(Register to, int bits) {
    shift(4, to, bits);
  }

  void shr(Register to, int bits) {
    shift(5, to, bits);
  }

  private void shift(int operation, Register to, int bits) {
    rex(0, to.number());
    emit(0xc1);
    direct(operation, to.number());
    emit(bits);
  }

  /** Moves if the comparison before said below, unsigned. */
  void cmovb(Register to, Register from) {
    rex(to.number(), from.number());
    emit(0x0f);
    emit(0x42);
    direct(to.number(), from.number());
  }

  /** Zeroes the bits from a position on, which the lowest byte of {@code position} has. */
  void bzhi(Register to, Register from, Register position) {
    vex(MAP_0F38, NONE, true, to.number(), position.number(), from.number(), 0);
    emit(0xf5);
    direct(to.number(), from.number());
  }

  void push(Register register) {
    shortForm(0x50, register);
  }

  void pop(Register register) {
    shortForm(0x58, register);
  }

  private void shortForm(int opcode, Register register) {
    if (register.number() >= 8) {
      emit(0x41);
    }
    emit(opcode + (register.number() & 7));
  }

  void ret() {
    emit(0xc3);
  }

  void cpuid() {
    emit(0x0f);
    emit(0xa2);
  }

  void xgetbv() {
    emit(0x0f);
    emit(0x01);
    emit(0xd0);
  }

  void jmp(Label target) {
    emit(0xe9);
    jump(target);
  }

  /** Jumps if equal. */
  void je(Label target) {
    conditional(0x84, target);
  }

  /** Jumps if not equal, or if not zero. */
  void jne(Label target) {
    conditional(0x85, target);
  }

  /** Jumps if less, signed. */
  void jl(Label target) {
    conditional(0x8c, target);
  }

  /** Jumps if less or equal, signed. */
  void jle(Label target) {
    conditional(0x8e, target);
  }

  /** Jumps if greater, signed. */
  void jg(Label target) {
    conditional(0x8f, target);
  }

  /** Jumps if greater or equal, signed. */
  void jge(Label target) {
    conditional(0x8d, target);
  }

  private void conditional(int opcode, Label target) {
    emit(0x0f);
    emit(opcode);
    jump(target);
  }

  private void jump(Label target) {
    jumps.add(new Jump(size, target));
    emitInt(0);
  }

  // Vectors.

  /** 32 bits into a mask. */
  void kmovd(Mask to, Register from) {
    vex(MAP_0F, PF2, false, to.number(), 0, from.number(), 0);
    emit(0x92);
    direct(to.number(), from.number());
  }

  void vzeroupper() {
    vex(MAP_0F, NONE, false, 0, 0, 0, 0);
    emit(0x77);
  }

  void vmovups(Zmm to, Memory from) {
    vmovups(to, Mask.NONE, from);
  }

  /** Values outside of the mask become zero and are not read. */
  void vmovups(Zmm to, Mask mask, Memory from) {
    evex(MAP_0F, NONE, 0, to.number(), 0, from, mask, mask.number() != 0);
    emit(0x10);
    memory(to.number(), from, LINE);
  }

  void vmovups(Memory to, Zmm from) {
    vmovups(to, Mask.NONE, from);
  }

  /** Values outside of the mask are not written. */
  void vmovups(Memory to, Mask mask, Zmm from) {
    evex(MAP_0F, NONE, 0, from.number(), 0, to, mask, false);
    emit(0x11);
    memory(from.number(), to, LINE);
  }

  /** 32 values of 16 bits; those outside of the mask become zero and are not read. */
  void vmovdqu16(Zmm to, Mask mask, Memory from) {
    evex(MAP_0F, PF2, 1, to.number(), 0, from, mask, mask.number() != 0);
    emit(0x6f);
    memory(to.number(), from, LINE);
  }

  void vpbroadcastd(Zmm to, Memory from) {
    evex(MAP_0F38, P66, 0, to.number(), 0, from, Mask.NONE, false);
    emit(0x58);
    memory(to.number(), from, Integer.BYTES);
  }

  /** Sixteen F16 to F32; those outside of the mask become zero and are not read. */
  void vcvtph2ps(Zmm to, Mask mask, Memory from) {
    evex(MAP_0F38, P66, 0, to.number(), 0, from, mask, mask.number() != 0);
    emit(0x13);
    memory(to.number(), from, LINE / 2);
  }

  void vaddps(Zmm to, Zmm first, Memory second) {
    vaddps(to, Mask.NONE, first, second);
  }

  /** Values outside of the mask become zero, and memory is not read there. */
  void vaddps(Zmm to, Mask mask, Zmm first, Memory second) {
    evex(MAP_0F, NONE, 0, to.number(), first.number(), second, mask, mask.number() != 0);
    emit(0x58);
    memory(to.number(), second, LINE);
  }

  void vsubps(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, NONE, 0, 0x5c, to, first, second);
  }

  void vpxord(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, P66, 0, 0xef, to, first, second);
  }

  void vpord(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, P66, 0, 0xeb, to, first, second);
  }

  /** {@code to += first · second}: two BF16 products for each F32 sum. */
  void vdpbf16ps(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F38, PF3, 0, 0x52, to, first, second);
  }

  /** 32 BF16 of 32 F32: those of {@code low}, then those of {@code high}. */
  void vcvtne2ps2bf16(Zmm to, Zmm high, Zmm low) {
    vector(MAP_0F38, PF2, 0, 0x72, to, high, low);
  }

  /** Sixteen BF16, in 256 bits, of sixteen F32. */
  void vcvtneps2bf16(Zmm to, Zmm from) {
    vector(MAP_0F38, PF3, 0, 0x72, to, new Zmm(0), from);
  }

  /** Sixteen values of 32 bits of sixteen of 16 bits. */
  void vpmovzxwd(Zmm to, Zmm from) {
    vector(MAP_0F38, P66, 0, 0x33, to, new Zmm(0), from);
  }

  void vpslld(Zmm to, Zmm from, int bits) {
    vector(MAP_0F, P66, 0, 0x72, new Zmm(6), to, from);
    emit(bits);
  }

  void vpunpckldq(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, P66, 0, 0x62, to, first, second);
  }

  void vpunpckhdq(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, P66, 0, 0x6a, to, first, second);
  }

  void vpunpcklqdq(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, P66, 1, 0x6c, to, first, second);
  }

  void vpunpckhqdq(Zmm to, Zmm first, Zmm second) {
    vector(MAP_0F, P66, 1, 0x6d, to, first, second);
  }

  void vshufi32x4(Zmm to, Zmm first, Zmm second, int selection) {
    vector(MAP_0F3A, P66, 0, 0x43, to, first, second);
    emit(selection);
  }

  // Tiles.

  void ldtilecfg(Memory from) {
    vex(MAP_0F38, NONE, false, 0, 0, from);
    emit(0x49);
    memory(0, from, 1);
  }

  void tilerelease() {
    vex(MAP_0F38, NONE, false, 0, 0, 0, 0);
    emit(0x49);
    direct(0, 0);
  }

  void tilezero(Tile tile) {
    vex(MAP_0F38, PF2, false, tile.number(), 0, 0, 0);
    emit(0x49);
    direct(tile.number(), 0);
  }

  /** Rows that stand apart by the index of the memory operand. */
  void tileloadd(Tile to, Memory from) {
    vex(MAP_0F38, PF2, false, to.number(), 0, strided(from));
    emit(0x4b);
    memory(to.number(), from, 1);
  }

  /** Rows that stand apart by the index of the memory operand. */
  void tilestored(Memory to, Tile from) {
    vex(MAP_0F38, PF3, false, from.number(), 0, strided(to));
    emit(0x4b);
    memory(from.number(), to, 1);
  }

  /** {@code to += first · second}: rows of pairs of BF16, F32 sums. */
  void tdpbf16ps(Tile to, Tile first, Tile second) {
    vex(MAP_0F38, PF3, false, to.number(), second.number(), first.number(), 0);
    emit(0x5c);
    direct(to.number(), first.number());
  }

  private static Memory strided(Memory memory) {
    if (!memory.hasIndex()) {
      throw new IllegalArgumentException("[x86] a tile in memory needs an index, its stride.");
    }
    return memory;
  }

  // Encoding.

  private void vector(int map, int prefix, int w, int opcode, Zmm to, Zmm first, Zmm second) {
    int rm = second.number();
    // Bit 4 of a register in the place of memory stands where an index would have bit 3.
    evexPrefix(map, prefix, w, to.number(), first.number(), rm >> 4, rm >> 3 & 1, Mask.NONE, false);
    emit(opcode);
    direct(to.number(), rm);
  }

  private void evex(
      int map, int prefix, int w, int reg, int second, Memory memory, Mask mask, boolean zeroing) {
    int index = memory.hasIndex() ? memory.index().number() >> 3 : 0;
    int base = memory.base().number() >> 3;
    evexPrefix(map, prefix, w, reg, second, index, base, mask, zeroing);
  }

  /** The four bytes of EVEX, at 512 bits and without broadcast. */
  private void evexPrefix(
      int map, int prefix, int w, int reg, int second, int x, int b, Mask mask, boolean zeroing) {
    emit(0x62);
    emit(not(reg >> 3) << 7 | not(x) << 6 | not(b) << 5 | not(reg >> 4) << 4 | map);
    emit(w << 7 | (~second & 0xf) << 3 | 1 << 2 | prefix);
    emit((zeroing ? 1 : 0) << 7 | 0b10 << 5 | not(second >> 4) << 3 | mask.number());
  }

  private void vex(int map, int prefix, boolean w, int reg, int second, int rm, int index) {
    vexPrefix(map, prefix, w, reg, second, index >> 3, rm >> 3);
  }

  private void vex(int map, int prefix, boolean w, int reg, int second, Memory memory) {
    int index = memory.hasIndex() ? memory.index().number() : 0;
    vexPrefix(map, prefix, w, reg, second, index >> 3, memory.base().number() >> 3);
  }

  /** The three bytes of VEX, at 128 bits. */
  private void vexPrefix(int map, int prefix, boolean w, int reg, int second, int x, int b) {
    emit(0xc4);
    emit(not(reg >> 3) << 7 | not(x) << 6 | not(b) << 5 | map);
    emit((w ? 1 : 0) << 7 | (~second & 0xf) << 3 | prefix);
  }

  private void rex(int reg, int rm) {
    emit(0x48 | reg >> 3 << 2 | rm >> 3);
  }

  private void rex(int reg, Memory memory) {
    int index = memory.hasIndex() ? memory.index().number() >> 3 : 0;
    emit(0x48 | reg >> 3 << 2 | index << 1 | memory.base().number() >> 3);
  }

  private static int not(int bit) {
    return ~bit & 1;
  }

  /** ModRM with a register. */
  private void direct(int reg, int rm) {
    emit((0b11 << 6) | ((reg & 7) << 3) | (rm & 7));
  }

  /**
   * ModRM, SIB and displacement.
   *
   * @param unit what a displacement of one byte counts: EVEX's disp8·N, or 1
   */
  private void memory(int reg, Memory memory, int unit) {
    int base = memory.base().number() & 7;
    int displacement = memory.displacement();
    boolean small = displacement % unit == 0 && displacement / unit == (byte) (displacement / unit);
    boolean none = displacement == 0 && base != 0b101; // which would mean: relative to rip
    int mod = none ? 0b00 : small ? 0b01 : 0b10;
    boolean sib = memory.hasIndex() || base == 0b100;
    emit(mod << 6 | (reg & 7) << 3 | (sib ? 0b100 : base));
    if (sib) {
      int scale = Integer.numberOfTrailingZeros(memory.scale());
      emit(scale << 6 | (memory.index().number() & 7) << 3 | base);
    }
    if (mod == 0b01) {
      emit(displacement / unit);
    } else if (mod == 0b10) {
      emitInt(displacement);
    }
  }

  private void emitInt(int value) {
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      emit(value >> shift);
    }
  }

  private void emit(int value) {
    if (size == bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * size);
    }
    bytes[size++] = (byte) value;
  }
}
