package io.github.kolors4j.x86;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Kernel.Block;
import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import java.lang.foreign.MemorySegment;

/**
 * The memory that a product reads and writes: machine code checks nothing, so what it gets is cut
 * out here, which fails where there is less.
 *
 * @param block the extents of the product
 * @param rowUnit rows of A that are read at a time
 * @param lanes columns of a panel that are read at a time
 */
record Extents(Block block, int rowUnit, int lanes) {
  Extents {
    if (block.rows() < 1
        || block.columns() < 1
        || block.columns() > Bf16Kernel.PANEL
        || block.depth() < 1
        || block.depth() % Bf16Kernel.STEP != 0) {
      throw new IllegalArgumentException(
          "[x86] %s: at least one row, 1 to %s columns, and a depth of a multiple of %s."
              .formatted(block, Bf16Kernel.PANEL, Bf16Kernel.STEP));
    }
  }

  /** Vectors that the columns take, the last perhaps in part. */
  int vectors() {
    return Math.ceilDiv(block.columns(), lanes);
  }

  /** Columns of the last vector. */
  int lastColumns() {
    return block.columns() - (vectors() - 1) * lanes;
  }

  MemorySegment rows(Matrix a) {
    int rows = Math.ceilDiv(block.rows(), rowUnit) * rowUnit;
    return part(a, rows, (long) block.depth() * Bf16Kernel.BYTES);
  }

  MemorySegment panel(Matrix b) {
    long width = 2L * vectors() * lanes * Bf16Kernel.BYTES;
    if (b.stride() != width) {
      throw new IllegalArgumentException(
          "[x86] a panel of %s columns has %s bytes a pair of k, not %s."
              .formatted(block.columns(), width, b.stride()));
    }
    return part(b, block.depth() / 2, width);
  }

  MemorySegment results(Matrix c) {
    return part(c, block.rows(), (long) Float.BYTES * block.columns());
  }

  /** Rows of a matrix, of each as many bytes. */
  static MemorySegment part(Matrix matrix, int rows, long bytes) {
    if (rows > 1 && matrix.stride() < bytes) {
      throw new IndexOutOfBoundsException(
          "[x86] rows of %s bytes, %s bytes apart.".formatted(bytes, matrix.stride()));
    }
    long size = Math.addExact(Math.multiplyExact(rows - 1L, matrix.stride()), bytes);
    return matrix.data().asSlice(matrix.offset(), size);
  }
}
