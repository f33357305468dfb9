package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;

/** Decodes weights and packs them into the micro-kernel's panels. */
final class Panels {
  /** Rows that are decoded before they are transposed: with KC values each, half of a 32 kB L1. */
  private static final int ROWS = 16;

  private static final Kernels KERNELS = KernelProvider.kernels();

  private Panels() {}

  /**
   * Packs a block of {@code Wᵀ}.
   *
   * @param weight {@code [n, k]}
   * @param columns the block's columns: rows of W
   * @param k first value of each row
   * @param kc how many
   */
  static void pack(
      Weight weight,
      int column,
      int columns,
      int k,
      int kc,
      float[] panels,
      int po,
      Scratch scratch) {
    int rowLength = weight.shape().size() / weight.shape().dim(0);
    float[] rows = scratch.floats(Gemm.OPERAND + 1, ROWS * kc);
    for (int j = 0; j < columns; ) {
      int width = Gemm.panelWidth(j, columns);
      int present = Math.min(width, columns - j);
      int panel = po + j * kc;
      for (int i = 0; i < present; i += ROWS) {
        int count = Math.min(ROWS, present - i);
        for (int r = 0; r < count; r++) {
          int from = (column + j + i + r) * rowLength + k;
          weight.decode(from, kc, rows, r * kc);
        }
        KERNELS.transpose(rows, 0, kc, count, 1, kc, panels, panel + i, width);
      }
      clearMissing(present, width, kc, panels, panel);
      j += width;
    }
  }

  /** Fills the columns of a panel that the matrix does not have. */
  static void clearMissing(int present, int width, int kc, float[] panels, int panel) {
    for (int i = present; i < width; i++) {
      for (int q = 0, at = panel + i; q < kc; q++, at += width) {
        panels[at] = 0;
      }
    }
  }
}
