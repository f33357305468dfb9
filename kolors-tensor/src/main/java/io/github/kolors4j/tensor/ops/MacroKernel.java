package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.kernel.Cpu;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.MicroKernel;

/**
 * The loops next to the micro-kernel: packed rows against panels, {@code C += A · B}, tile by tile.
 * A result is what C holds plus one chain of {@link MicroKernel#KC} fused multiply-adds after the
 * other, whatever the order of the tiles.
 *
 * @param a as many rows as the results have
 * @param b the panels
 * @param c the results
 */
record MacroKernel(PackedRows a, PackedColumns b, Results c) {
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

  /** Adds the product of all panels. */
  void run(Scratch scratch) {
    for (int j = 0; j < b.columns(); j += b.width(j)) {
      run(j, scratch);
    }
  }

  /** Adds the product of the panel that begins at a column. */
  void run(int column, Scratch scratch) {
    int run = Math.min(RUN, Math.max(b.depth(), 1));
    int width = b.width(column);
    int columns = Math.min(width, b.columns() - column);
    for (int k = 0; k < b.depth(); k += run) {
      int end = Math.min(b.depth(), k + run);
      for (int i = 0; i < a.rows(); i += MICRO.rows()) {
        if (i + MICRO.rows() <= a.rows() && columns == width) {
          tile(i, column, k, end, c.data(), c.at(i) + column, c.stride());
        } else {
          edge(i, column, k, end, scratch);
        }
      }
    }
  }

  /** A tile that C has not all rows or columns of: what it has goes through a whole one aside. */
  private void edge(int row, int column, int k, int end, Scratch scratch) {
    int rows = Math.min(MICRO.rows(), a.rows() - row);
    int width = b.width(column);
    int columns = Math.min(width, b.columns() - column);
    float[] aside = scratch.get(ASIDE, MICRO.rows() * MICRO.columns());
    for (int i = 0; i < rows; i++) {
      System.arraycopy(c.data(), c.at(row + i) + column, aside, i * width, columns);
    }
    tile(row, column, k, end, aside, 0, width);
    for (int i = 0; i < rows; i++) {
      System.arraycopy(aside, i * width, c.data(), c.at(row + i) + column, columns);
    }
  }

  /** A tile, chain by chain, whose first result stands at {@code at}. */
  private void tile(int row, int column, int first, int end, float[] to, int at, int stride) {
    boolean full = b.width(column) == MICRO.columns();
    for (int k = first; k < end; k += KC) {
      int kc = Math.min(KC, end - k);
      int ao = a.at(row, k);
      int bo = b.at(column, k);
      if (full) {
        MICRO.tile(kc, a.data(), ao, b.data(), bo, to, at, stride);
      } else {
        MICRO.narrowTile(kc, a.data(), ao, b.data(), bo, to, at, stride);
      }
    }
  }
}
