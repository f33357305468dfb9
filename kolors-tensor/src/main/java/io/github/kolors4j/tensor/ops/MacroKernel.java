package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.kernel.Cpu;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.MicroKernel;

/**
 * The loops next to the micro-kernel: packed rows against a panel, {@code C += A · B}, tile by
 * tile. A result is what C holds plus one chain of {@link MicroKernel#KC} fused multiply-adds after
 * the other, whatever the order of the tiles.
 *
 * @param a as many rows as the results have
 * @param b the panel
 * @param c where its columns stand in the results
 */
record MacroKernel(PackedRows a, PackedColumns.Panel b, Results c) {
  private static final MicroKernel MICRO = KernelProvider.kernels().microKernel();
  private static final int KC = MicroKernel.KC;

  /**
   * The part of k that a tile goes through before the next one: a chain where a panel of that
   * length takes no more than half of L1 (16 columns: 16 kB), which is 2 to 3 % faster there, and
   * else all, so that results come and go once (2 to 6 % at 64 columns; Emerald Rapids).
   */
  private static final int RUN =
      Float.BYTES * KC * MICRO.columns() <= Cpu.l1Bytes() / 2 ? KC : Integer.MAX_VALUE;

  private static final Slot<float[]> ASIDE = Slot.floats("a tile at the edge of C");

  /** Rows against all panels of a block. */
  static void run(PackedRows a, PackedColumns b, Results c, Scratch scratch) {
    for (int j = 0; j < b.columns(); j += Gemm.panelWidth(j, b.columns())) {
      new MacroKernel(a, b.panel(j), c.from(j)).run(scratch);
    }
  }

  /** Adds the product. */
  void run(Scratch scratch) {
    int run = Math.min(RUN, Math.max(b.depth(), 1));
    for (int k = 0; k < b.depth(); k += run) {
      int end = Math.min(b.depth(), k + run);
      for (int i = 0; i < a.rows(); i += MICRO.rows()) {
        if (i + MICRO.rows() <= a.rows() && b.columns() == b.width()) {
          tile(i, k, end, c);
        } else {
          edge(i, k, end, scratch);
        }
      }
    }
  }

  /** A tile that C has not all rows or columns of: what it has goes through a whole one aside. */
  private void edge(int row, int k, int end, Scratch scratch) {
    int rows = Math.min(MICRO.rows(), a.rows() - row);
    float[] aside = scratch.get(ASIDE, MICRO.rows() * MICRO.columns());
    Results whole = new Results(aside, -row * b.width(), b.width());
    for (int i = row; i < row + rows; i++) {
      System.arraycopy(c.data(), c.at(i), aside, whole.at(i), b.columns());
    }
    tile(row, k, end, whole);
    for (int i = row; i < row + rows; i++) {
      System.arraycopy(aside, whole.at(i), c.data(), c.at(i), b.columns());
    }
  }

  /** A tile, chain by chain. */
  private void tile(int row, int first, int end, Results to) {
    for (int k = first; k < end; k += KC) {
      int kc = Math.min(KC, end - k);
      int ao = a.at(row, k);
      int co = to.at(row);
      if (b.width() == MICRO.columns()) {
        MICRO.tile(kc, a.data(), ao, b.data(), b.at(k), to.data(), co, to.stride());
      } else {
        MICRO.narrowTile(kc, a.data(), ao, b.data(), b.at(k), to.data(), co, to.stride());
      }
    }
  }
}
