package io.github.kolors4j.tensor.kernel;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every register tile, whichever of them this machine would choose. */
class MicroKernelTest {
  private static final int[] CHAINS = {0, 1, 2, 7, 255, 256};

  static List<MicroKernel> tiles() {
    return KernelProvider.kernels() instanceof VectorKernels
        ? List.of(new ScalarTile4x4(), new Tile5x2(), new Tile6x4())
        : List.of(new ScalarTile4x4());
  }

  @Test
  void theTilesHaveTheSizesOfTheirNames() {
    for (MicroKernel micro : tiles()) {
      String name = micro.getClass().getSimpleName();
      int vectors = micro.columns() / micro.lanes();
      String size = micro.rows() + "x" + vectors;
      assertEquals(name, name.substring(0, name.length() - size.length()) + size);
      assertEquals(0, micro.columns() % micro.lanes());
    }
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void aTileIsOneChainOfMultiplyAddsAddedToWhatWasThere(MicroKernel micro) {
    for (int kc : CHAINS) {
      check("tile", kc, micro.rows(), micro.columns(), micro::tile);
      check("narrowTile", kc, micro.rows(), micro.lanes(), micro::narrowTile);
    }
  }

  /** One of the two shapes of a micro-kernel. */
  private interface Product {
    void run(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc);
  }

  private static void check(String name, int kc, int rows, int columns, Product product) {
    int lda = MicroKernel.LDA;
    int ldc = columns + 5;
    Window a = Window.input(1, 1, (rows - 1) * lda + kc);
    Window b = Window.input(2, 3, kc * columns);
    Window c = Window.update(3, 1, rows * ldc - 5);
    Window before = c.copy();
    product.run(kc, a.array(), a.at(), b.panel(), b.at(), c.array(), c.at(), ldc);
    c.assertGuards(name);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < ldc && i * ldc + j < c.length(); j++) {
        int at = i * ldc + j;
        String where = "%s of %d at %d, %d".formatted(name, kc, i, j);
        if (j >= columns) {
          assertSameBits(before.get(at), c.get(at), where + ", which is not to be written");
          continue;
        }
        double expected = before.get(at);
        double magnitude = Math.abs(expected);
        float chain = 0;
        for (int k = 0; k < kc; k++) {
          double term = (double) a.get(i * lda + k) * b.get(k * columns + j);
          expected += term;
          magnitude += Math.abs(term);
          chain = Math.fma(a.get(i * lda + k), b.get(k * columns + j), chain);
        }
        assertClose(expected, c.get(at), (kc + 1) * EPS * magnitude, where);
        assertSameBits(before.get(at) + chain, c.get(at), where);
      }
    }
  }
}
