package io.github.kolors4j.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * How a model's weights are written in 8 bits: which ones, how many values share a scale, and what
 * is not written at all.
 *
 * @param group values of a row that share a scale; 0 where all of a row do
 * @param covers tells by a parameter's name whether it is written so; biases and the parameters of
 *     norms never are
 * @param leavesOut tells by its name whether a parameter is left out: one that the class defines
 *     and this library never reads
 */
public record Quantization(int group, Predicate<String> covers, Predicate<String> leavesOut) {
  static final String KEY = "quantization_config";

  /**
   * Groups of 32 values.
   *
   * @param covers which parameters
   * @return the quantization
   */
  public static Quantization inGroups(Predicate<String> covers) {
    return new Quantization(QuantizedTensor.GROUP, covers, _ -> false);
  }

  /**
   * Whole rows, as ChatGLM's own code has them.
   *
   * @param covers which parameters
   * @return the quantization
   */
  public static Quantization perRow(Predicate<String> covers) {
    return new Quantization(0, covers, _ -> false);
  }

  /**
   * The same without some parameters.
   *
   * @param names which ones
   * @return the quantization
   */
  public Quantization without(Predicate<String> names) {
    return new Quantization(group, covers, names);
  }

  /** What the configuration says of it. */
  Map<String, @Nullable Object> json() {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("quant_method", "kolors4j");
    json.put("bits", 8);
    json.put("group_size", group == 0 ? null : group);
    return json;
  }
}
