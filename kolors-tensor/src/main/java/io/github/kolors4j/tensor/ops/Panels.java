package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;

/** Decodes weights and packs them into the micro-kernel's panels. */
final class Panels {
  /** Rows that are decoded before they are transposed, and how much of each: half of a 32 kB L1. */
  private static final int ROWS = 16;

  private static final int LENGTH = 256;

  private static final Kernels KERNELS = KernelProvider.kernels();

  private Panels() {}

  /**
   * Packs columns of {@code Wᵀ}.
   *
   * @param weight {@code [n, k]}
   * @param column the first: a row of W
   * @param columns how many
   */
  static void pack(
      Weight weight, int column, int columns, float[] panels, int po, Scratch scratch) {
    int k = weight.shape().size() / weight.shape().dim(0);
    float[] rows = scratch.floats(Gemm.OPERAND + 1, ROWS * LENGTH);
    for (int j = 0; j < columns; ) {
      int width = Gemm.panelWidth(j, columns);
      int present = Math.min(width, columns - j);
      int panel = po + j * k;
      for (int k0 = 0; k0 < k; k0 += LENGTH) {
        int length = Math.min(LENGTH, k - k0);
        for (int i = 0; i < present; i += ROWS) {
          int count = Math.min(ROWS, present - i);
          for (int r = 0; r < count; r++) {
            weight.decode((column + j + i + r) * k + k0, length, rows, r * length);
          }
          int to = panel + k0 * width + i;
          KERNELS.transpose(rows, 0, length, count, 1, length, panels, to, width);
        }
      }
      clearMissing(present, width, k, panels, panel);
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
