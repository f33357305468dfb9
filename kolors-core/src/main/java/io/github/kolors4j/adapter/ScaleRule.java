package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.json.JsonNumber;
import java.util.HashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * How strong updates are that have no alpha of their own: what PEFT keeps beside its weights, in
 * {@code adapter_config.json} or in the metadata of diffusers' files. Without it a scale is 1.
 *
 * @param alpha what is divided by the rank
 * @param overRoot whether it is divided by the rank's root instead, as by rsLoRA
 * @param alphaPattern alphas of single modules, by the ends of their names
 */
record ScaleRule(OptionalDouble alpha, boolean overRoot, Map<String, Double> alphaPattern) {
  static final ScaleRule NONE = new ScaleRule(OptionalDouble.empty(), false, Map.of());

  /**
   * The rule of a configuration.
   *
   * @param json where it stands, for messages
   * @param text the configuration
   * @param prefix of the keys, as {@code unet.} in files of diffusers; may be empty
   */
  static ScaleRule of(JsonFile json, String text, String prefix) throws InvalidFileException {
    Map<String, ?> values = json.object(text);
    Map<String, Double> pattern = new HashMap<>();
    if (values.get(prefix + "alpha_pattern") instanceof Map<?, ?> alphas) {
      for (Entry<?, ?> each : alphas.entrySet()) {
        if (each.getValue() instanceof JsonNumber number) {
          pattern.put(String.valueOf(each.getKey()), number.doubleValue());
        }
      }
    }
    OptionalDouble alpha = number(values.get(prefix + "lora_alpha"));
    if (alpha.isEmpty()) {
      alpha = number(values.get(prefix + "alpha")); // of LoHa and LoKr
    }
    boolean overRoot = Boolean.TRUE.equals(values.get(prefix + "use_rslora"));
    return new ScaleRule(alpha, overRoot, Map.copyOf(pattern));
  }

  private static OptionalDouble number(@Nullable Object value) {
    return value instanceof JsonNumber number
        ? OptionalDouble.of(number.doubleValue())
        : OptionalDouble.empty();
  }

  /** What an update of a module is multiplied by. */
  double scale(String module, int rank) {
    OptionalDouble own = alpha;
    for (Entry<String, Double> each : alphaPattern.entrySet()) {
      if (module.equals(each.getKey()) || module.endsWith("." + each.getKey())) {
        own = OptionalDouble.of(each.getValue());
      }
    }
    return own.isEmpty() ? 1 : own.getAsDouble() / (overRoot ? Math.sqrt(rank) : rank);
  }
}
