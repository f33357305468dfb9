package io.github.kolors4j.tensor;

import static io.github.kolors4j.tensor.Values.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Products of two narrow matrices against the chain that defines them, whole and in parts. */
class LowRankTest {
  private static final int ROWS = 6;

  private static float[] values(int count, int seed) {
    float[] values = new float[count];
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return values;
  }

  /** Lengths around those of a panel, and parts that begin and end anywhere in one. */
  @Test
  void aValueIsAChainOverTheRankWhateverPartItIsAskedIn() {
    for (int length : new int[] {1, 63, 64, 65, 200}) {
      for (int rank : new int[] {1, 3, 17}) {
        float[] down = values(rank * length, 1);
        float[] up = values(ROWS * rank, 2);
        LowRank product = new LowRank(rank, down, up).times(0.75f);
        for (int from : new int[] {0, 1, 31, 64, length - 1}) {
          for (int count : new int[] {0, 1, 32, 63, 64, 130, length - from}) {
            if (from <= length && count >= 0 && from + count <= length) {
              assertPart(product, down, up, from, count);
            }
          }
        }
      }
    }
  }

  private static void assertPart(LowRank product, float[] down, float[] up, int from, int count) {
    int rank = product.rank();
    int length = product.rowLength();
    int stride = count + 3;
    float[] before = values(ROWS * stride + 1, 3);
    float[] together = before.clone();
    product.addTo(0, ROWS, from, count, together, 1, stride);
    for (int row = 0; row < ROWS; row++) {
      float[] alone = before.clone();
      product.addTo(row, from, count, alone, 1 + row * stride);
      for (int i = 0; i < stride; i++) {
        int at = 1 + row * stride + i;
        float expected = before[at];
        for (int k = 0; k < rank && i < count; k++) {
          expected = Math.fma(0.75f * up[row * rank + k], down[k * length + from + i], expected);
        }
        String where = product + ", row " + row + ", " + from + " + " + i;
        assertSameBits(expected, together[at], where);
        assertSameBits(expected, alone[at], where);
      }
    }
    assertSameBits(before[0], together[0], "before");
  }

  @Test
  void bothFactorsAreReadAsTheyWere() {
    float[] down = values(3 * 130, 1);
    float[] up = values(ROWS * 3, 2);
    LowRank product = new LowRank(3, down, up);
    float[] read = new float[100];
    product.readDown(2, 30, 99, read, 1);
    assertArrayEquals(Arrays.copyOfRange(down, 290, 389), Arrays.copyOfRange(read, 1, 100));
    product.readUp(4, 1, 2, read, 5);
    assertArrayEquals(Arrays.copyOfRange(up, 13, 15), Arrays.copyOfRange(read, 5, 7));
    assertThrows(IndexOutOfBoundsException.class, () -> product.readDown(3, 0, 1, read, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> product.readDown(0, 100, 31, read, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> product.readUp(ROWS, 0, 1, read, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> product.readUp(0, 2, 2, read, 0));
  }

  @Test
  void whatIsNotInsideIsRefused() {
    LowRank product = new LowRank(2, new float[10], new float[6]);
    assertEquals("rank 2, [3, 5]", product.toString());
    float[] target = new float[15];
    assertThrows(IndexOutOfBoundsException.class, () -> product.addTo(3, 0, 1, target, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> product.addTo(0, 1, 5, target, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> product.addTo(0, 3, 0, 5, target, 1, 5));
    assertThrows(IllegalArgumentException.class, () -> new LowRank(3, new float[10], new float[6]));
  }
}
