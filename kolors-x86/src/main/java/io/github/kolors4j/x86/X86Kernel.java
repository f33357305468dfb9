package io.github.kolors4j.x86;

import io.github.kolors4j.tensor.Bf16Kernel;

/** What both kernels have: they pack by AVX-512. */
abstract sealed class X86Kernel implements Bf16Kernel permits Avx512Kernel, AmxKernel {
  private final PackingCode packing = new PackingCode();

  @Override
  public final void packRows(Values values, int piece, Matrix to) {
    packing.packRows(values, piece, to);
  }

  @Override
  public final void packColumns(Values values, int piece, Matrix panel) {
    packing.packColumns(values, piece, panel);
  }

  @Override
  public final void packPairs(Values values, int piece, Matrix panel) {
    packing.packPairs(values, piece, panel);
  }
}
