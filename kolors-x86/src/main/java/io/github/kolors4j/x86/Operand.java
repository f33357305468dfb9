package io.github.kolors4j.x86;

/** What an instruction works on, beside numbers. */
sealed interface Operand {
  /** A general-purpose register of 64 bits; instructions on 32 bits use its lower half. */
  enum Register implements Operand {
    RAX(0),
    RCX(1),
    RDX(2),
    RBX(3),
    RSP(4),
    RBP(5),
    RSI(6),
    RDI(7),
    R8(8),
    R9(9),
    R10(10),
    R11(11),
    R12(12),
    R13(13),
    R14(14),
    R15(15);

    private final int number;

    Register(int number) {
      this.number = number;
    }

    /** How encodings name it. */
    int number() {
      return number;
    }
  }

  /**
   * A vector register of 512 bits; instructions on 256 bits use its lower half.
   *
   * @param number 0 to 31
   */
  record Zmm(int number) implements Operand {
    public Zmm {
      check("zmm", number, 32);
    }
  }

  /**
   * A mask, a bit for each value of a vector.
   *
   * @param number 0 to 7; 0 in the place of a mask stands for none
   */
  record Mask(int number) implements Operand {
    static final Mask NONE = new Mask(0);

    public Mask {
      check("k", number, 8);
    }
  }

  /**
   * A tile of AMX.
   *
   * @param number 0 to 7
   */
  record Tile(int number) implements Operand {
    public Tile {
      check("tmm", number, 8);
    }
  }

  /**
   * Memory at {@code base + index · scale + displacement}.
   *
   * @param base a register
   * @param index a register; RSP stands for none, as in the encoding
   * @param scale 1, 2, 4 or 8
   * @param displacement bytes
   */
  record Memory(Register base, Register index, int scale, int displacement) implements Operand {
    public Memory {
      if (Integer.bitCount(scale) != 1 || scale < 1 || scale > 8) {
        throw new IllegalArgumentException("[x86] scale %s: 1, 2, 4 or 8.".formatted(scale));
      }
    }

    static Memory at(Register base) {
      return at(base, 0);
    }

    static Memory at(Register base, int displacement) {
      return new Memory(base, Register.RSP, 1, displacement);
    }

    static Memory at(Register base, Register index, int scale, int displacement) {
      if (index == Register.RSP) {
        throw new IllegalArgumentException("[x86] rsp is no index.");
      }
      return new Memory(base, index, scale, displacement);
    }

    boolean hasIndex() {
      return index != Register.RSP;
    }
  }

  private static void check(String kind, int number, int count) {
    if (number < 0 || number >= count) {
      throw new IllegalArgumentException(
          "[x86] %s%s: there are 0 to %s.".formatted(kind, number, count - 1));
    }
  }
}
