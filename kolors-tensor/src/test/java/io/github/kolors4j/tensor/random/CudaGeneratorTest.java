package io.github.kolors4j.tensor.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class CudaGeneratorTest {
  /** A GPU's sine is good to 2^-21 or so. */
  private static final float TOLERANCE = 2e-6f;

  // ---- published vectors

  @Test
  void philoxGivesTheAuthorsVectors() {
    assertPhilox(
        new int[] {0, 0, 0, 0}, 0, 0, new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    assertPhilox(
        new int[] {-1, -1, -1, -1},
        -1,
        -1,
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    assertPhilox(
        new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
        0xa4093822,
        0x299f31d0,
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  }

  private static void assertPhilox(int[] counter, int key0, int key1, int[] expected) {
    Philox.encrypt(counter, key0, key1);
    assertArrayEquals(expected, counter);
  }

  @Test
  void seedZeroGivesWhatIsPublishedOfTorchOnCuda() {
    float[] expected = {
      -0.92466259f, -0.42534415f, -2.6438457f, 0.14518388f,
      -0.12086647f, -0.57972564f, -0.62285122f, -0.32838709f,
      -1.07454231f, -0.36314407f, -1.67105067f, 2.26550497f
    };
    assertArrayEquals(expected, new CudaGenerator(0).randn(12), TOLERANCE);
  }

  // ---- the order in which a GPU's threads write

  @Test
  void aSecondDrawGoesOnInEachThreadsSequence() {
    CudaGenerator generator = new CudaGenerator(5);
    float[] first = generator.randn(1000);
    float[] second = generator.randn(1000);
    // one block of 256 threads: 1,024 values are one group of four for each thread
    float[] both = new CudaGenerator(5, false, 1).randn(2048);
    for (int i = 0; i < 256; i++) {
      assertEquals(first[i], both[i], "first " + i);
      assertEquals(second[i], both[1024 + i], "second " + i);
    }
  }

  @Test
  void drawsDependOnTheGpuOnlyBeyondItsThreads() {
    float[] small = new CudaGenerator(3, false, 2).randn(512);
    assertArrayEquals(small, new CudaGenerator(3, false, 1000).randn(512));

    // beyond them a thread's further normals follow, as far on as there are threads
    float[] large = new CudaGenerator(3, false, 2).randn(600);
    assertArrayEquals(small, Arrays.copyOf(large, 512));
    float[] wide = new CudaGenerator(3, false, 1000).randn(600);
    assertEquals(large[511], wide[511]);
    assertEquals(false, large[512] == wide[512]);
  }

  @Test
  void allBitsOfTheSeedCount() {
    float[] low = new CudaGenerator(7).randn(16);
    float[] high = new CudaGenerator(7 + (5L << 32)).randn(16);
    assertEquals(false, Arrays.equals(low, high));
  }

  @Test
  void halfIsSingleRounded() {
    float[] single = new CudaGenerator(66).randn(3000);
    float[] half = GeneratorType.CUDA_F16.generator(66).randn(3000);
    for (int i = 0; i < single.length; i++) {
      assertEquals(Float.float16ToFloat(Float.floatToFloat16(single[i])), half[i], "value " + i);
    }
  }

  @Test
  void valuesAreStandardNormals() {
    float[] values = new CudaGenerator(1).randn(1 << 20);
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += (double) value * value;
    }
    assertEquals(0, sum / values.length, 0.005);
    assertEquals(1, squares / values.length, 0.01);
  }

  @Test
  void noBlocksAndARangeOutsideTheArrayAreRefused() {
    assertEquals(
        "[random] 0 blocks: use 1 or more.",
        assertThrows(IllegalArgumentException.class, () -> new CudaGenerator(0, false, 0))
            .getMessage());
    CudaGenerator generator = new CudaGenerator(0);
    assertThrows(IndexOutOfBoundsException.class, () -> generator.randn(new float[4], 2, 3));
    assertEquals(0, generator.randn(0).length);
  }
}
