package io.github.kolors4j.x86;

import io.github.kolors4j.tensor.Bf16Kernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * AVX512-BF16 in the blocks of {@link AmxKernel}, of whose memory it asks for as much: so the loops
 * around that, which follow its blocks and its speed, run where there is no AMX.
 */
record AmxBlocks(Avx512Kernel kernel) implements Bf16Kernel {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  @Override
  public String description() {
    return "AVX512-BF16 in AMX's blocks";
  }

  @Override
  public double speedup() {
    return AmxKernel.SPEEDUP;
  }

  @Override
  public int rows() {
    return AmxProduct.ROWS;
  }

  @Override
  public int columns() {
    return AmxProduct.COLUMNS;
  }

  @Override
  public void packRows(Values values, int piece, Matrix to) {
    kernel.packRows(values, piece, to);
  }

  @Override
  public void packColumns(Values values, int piece, Matrix panel) {
    kernel.packColumns(values, piece, panel);
  }

  @Override
  public void packPairs(Values values, int piece, Matrix panel) {
    kernel.packPairs(values, piece, panel);
  }

  @Override
  public void multiply(Block block, Matrix a, Matrix b, Matrix c) {
    Extents extents = new Extents(block, AmxProduct.ROWS, AmxProduct.COLUMNS);
    Matrix rows = new Matrix(extents.rows(a), 0, a.stride());
    Matrix panel = new Matrix(extents.panel(b), 0, b.stride());
    MemorySegment results = extents.results(c);
    int width = extents.vectors() * AmxProduct.COLUMNS;
    float[] sums = new float[block.rows() * width];
    kernel.multiply(
        new Block(block.rows(), width, block.depth()),
        rows,
        panel,
        new Matrix(MemorySegment.ofArray(sums), 0, (long) Float.BYTES * width));
    for (int i = 0; i < block.rows(); i++) {
      for (int j = 0; j < block.columns(); j++) {
        long at = i * c.stride() + (long) Float.BYTES * j;
        results.set(FLOAT, at, results.get(FLOAT, at) + sums[i * width + j]);
      }
    }
  }

  @Override
  public long multiplyInRegisters(long rounds) {
    return kernel.multiplyInRegisters(rounds);
  }
}
