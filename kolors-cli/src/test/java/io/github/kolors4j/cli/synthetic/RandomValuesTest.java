package io.github.kolors4j.cli.synthetic;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Parameter;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RandomValuesTest {
  private static final Parameter WEIGHT = new Parameter("a.weight", List.of(1000L, 1000L));

  private static short[] values(long seed, String component, long from, int count) {
    short[] values = new short[count];
    new RandomValues(seed, component, WEIGHT, new Distribution(0.5f, 0.25f))
        .fill(from, count, values);
    return values;
  }

  @Test
  void meanAndDeviationAreThoseAskedFor() {
    short[] values = values(1, "unet", 0, 1 << 20);
    double sum = 0;
    double squares = 0;
    for (short each : values) {
      double value = Float.float16ToFloat(each);
      sum += value;
      squares += value * value;
    }
    double mean = sum / values.length;
    assertEquals(0.5, mean, 0.002);
    assertEquals(0.25, Math.sqrt(squares / values.length - mean * mean), 0.001);
  }

  @Test
  void aRangeIsAPartOfTheWhole() {
    short[] whole = values(1, "unet", 0, 1003);
    assertArrayEquals(Arrays.copyOfRange(whole, 400, 1003), values(1, "unet", 400, 603));
  }

  @Test
  void seedsComponentsAndNamesGiveOtherValues() {
    short[] values = values(1, "unet", 0, 64);
    assertFalse(Arrays.equals(values, values(2, "unet", 0, 64)));
    assertFalse(Arrays.equals(values, values(1, "vae", 0, 64)));
  }

  @Test
  void noBlockIsRepeated() {
    short[] values = values(7, "unet", 0, 1 << 18);
    Set<Integer> blocks = new HashSet<>();
    for (int i = 0; i < values.length; i += 16) {
      blocks.add(Arrays.hashCode(Arrays.copyOfRange(values, i, i + 16)));
    }
    assertTrue(blocks.size() > values.length / 16 - 16, "hashes: " + blocks.size());
  }

  @Test
  void branchesOfAChainAreScaledByItsLength() {
    Map<String, Distribution> of4 =
        Distribution.of(
            List.of(
                new Parameter("m.layers.0.dense.weight", List.of(10L, 100L)),
                new Parameter("m.layers.3.dense.weight", List.of(10L, 100L)),
                new Parameter("m.layers.3.norm.weight", List.of(10L))));
    assertEquals(0.05f, of4.get("m.layers.3.dense.weight").deviation(), 1e-6f);
    assertEquals(1, of4.get("m.layers.3.norm.weight").mean());
  }
}
