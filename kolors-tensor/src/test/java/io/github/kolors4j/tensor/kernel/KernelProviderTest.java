package io.github.kolors4j.tensor.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** The kernels that run are those that this JVM was asked for. */
class KernelProviderTest {
  /** What the build expects to run here; null where it is the CPU's own width. */
  private static final String EXPECTED = System.getProperty("kolors4j.test.kernels");

  @Test
  void theWidthAskedForIsTheOneThatRuns() {
    String preferred = "vector " + FloatVector.SPECIES_PREFERRED.vectorBitSize() + "-bit";
    String expected = EXPECTED == null ? preferred : EXPECTED;
    assertEquals(expected, KernelProvider.kernels().description());
  }

  @Test
  void theSameKernelsAreGivenEveryTime() {
    assertSame(KernelProvider.kernels(), KernelProvider.kernels());
  }

  @Test
  void sixteenRegistersGetTheSmallTile() {
    assumeTrue("16".equals(System.getProperty("kolors4j.test.registers")));
    assumeTrue(System.getProperty("os.arch").equals("amd64"));
    assertInstanceOf(Tile5x2.class, KernelProvider.kernels().microKernel());
  }
}
