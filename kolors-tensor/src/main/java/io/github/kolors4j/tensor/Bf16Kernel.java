package io.github.kolors4j.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Products of BF16 blocks with F32 sums, by instructions that the Vector API does not have. What
 * implements it belongs to one kind of CPU; the loops around it are this module's.
 *
 * <p>The right operand stands in panels of up to {@link #PANEL} columns, pairs of k side by side as
 * such instructions take them: {@code [depth / 2][width][2]}. The left one stands row by row. Both
 * are filled up with zeros to a depth of a multiple of {@link #STEP}.
 *
 * <p>A value that BF16 does not hold is a sum of pieces: the first is the value rounded to BF16,
 * the next what that has left, rounded again. Three pieces have all 24 bits of an F32, two all 11
 * of an F16.
 */
public interface Bf16Kernel {
  /** Columns of a full panel. */
  int PANEL = 64;

  /** Depths of packed blocks are multiples of it. */
  int STEP = 32;

  /** Pieces that hold every F32 value. */
  int PIECES = 3;

  /** Bytes of a BF16 value. */
  int BYTES = 2;

  /**
   * Rows of values that stand a constant distance apart.
   *
   * @param data on the heap or outside of it
   * @param offset byte where the first row begins
   * @param stride bytes from one row to the next
   */
  record Matrix(MemorySegment data, long offset, long stride) {
    /**
     * A part that begins elsewhere.
     *
     * @param bytes how far behind this one's begin
     * @return the same memory from there on
     */
    public Matrix from(long bytes) {
      return new Matrix(data, offset + bytes, stride);
    }
  }

  /**
   * Rows of stored values, to be packed.
   *
   * @param dtype their type
   * @param matrix where they stand
   * @param rows how many
   * @param length values of each
   */
  record Values(DType dtype, Matrix matrix, int rows, int length) {}

  /**
   * The extents of a product.
   *
   * @param rows of A and of C
   * @param columns of C: those of a panel, which may be wider
   * @param depth of A and of the panel, a multiple of {@link #STEP}
   */
  record Block(int rows, int columns, int depth) {}

  /**
   * The instructions.
   *
   * @return as {@code AVX512-BF16}
   */
  String description();

  /**
   * Why it is many times slower than this CPU could be, and what helps.
   *
   * @return empty where it is not
   */
  default String slowness() {
    return "";
  }

  /**
   * How many products it makes in the time that the Vector API takes for one in F32: what the rates
   * of the instructions say. Algorithms are chosen by it, so it is a constant of the kernel.
   *
   * @return above 1
   */
  double speedup();

  /**
   * Rows of A that are read at a time: a block of it has memory for a multiple of them.
   *
   * @return at least 1
   */
  int rows();

  /**
   * Widths of panels are multiples of it.
   *
   * @return a divisor of {@link #PANEL}
   */
  int columns();

  /**
   * Packs rows of A: a piece of each value, and zeros up to a multiple of {@link #STEP}.
   *
   * @param values the rows, F32
   * @param piece which piece, 0 to {@link #PIECES} − 1
   * @param to where to
   * @throws IndexOutOfBoundsException if one of the two has not as many bytes
   */
  void packRows(Values values, int piece, Matrix to);

  /**
   * Packs columns of B, which are given as rows, into a panel: a piece of each value, and zeros up
   * to the panel's width and to a depth of a multiple of {@link #STEP}.
   *
   * @param values the columns, {@link #PANEL} of them at most
   * @param piece which piece, 0 to {@link #PIECES} − 1
   * @param panel where to; its stride is that from one pair of k to the next, so its width times
   *     two values
   * @throws IndexOutOfBoundsException if one of the two has not as many bytes
   */
  void packColumns(Values values, int piece, Matrix panel);

  /**
   * Packs rows of B, as they are, into a panel: a piece of each value, and zeros up to a depth of a
   * multiple of {@link #STEP}.
   *
   * @param values the rows, F32, each as long as the panel is wide
   * @param piece which piece, 0 to {@link #PIECES} − 1
   * @param panel where to; its stride as in {@link #packColumns}
   * @throws IndexOutOfBoundsException if one of the two has not as many bytes
   */
  void packPairs(Values values, int piece, Matrix panel);

  /**
   * Adds a product: {@code C += A · B}.
   *
   * @param block how many rows, columns and values of k
   * @param a packed rows
   * @param b a packed panel; its stride as in {@link #packColumns}
   * @param c F32 results
   * @throws IndexOutOfBoundsException if one of them has not as many bytes
   */
  void multiply(Block block, Matrix a, Matrix b, Matrix c);

  /**
   * Multiplies what is in registers already, to find out how fast that can be.
   *
   * @param rounds how often, at least 1
   * @return floating-point operations that it took
   */
  long multiplyInRegisters(long rounds);
}
