package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How strong updates are that have no alpha of their own: what PEFT keeps beside its weights, in
 * {@code adapter_config.json} or in the metadata of diffusers' files. Without it a scale is 1.
 *
 * @param alpha what is divided by the rank; null where nothing is said
 * @param rank of modules whose tensors do not tell it
 * @param overRoot whether alpha is divided by the rank's root instead, as by rsLoRA
 * @param scalesWhole whether an update of LoKr without a rank has a scale too, as PEFT's have
 * @param alphas of single modules
 * @param ranks of single modules
 */
record ScaleRule(
    @Nullable Double alpha,
    double rank,
    boolean overRoot,
    boolean scalesWhole,
    ModulePatterns alphas,
    ModulePatterns ranks) {
  /** PEFT's own, of rank and alpha, where a configuration does not have them. */
  private static final double DEFAULT = 8;

  static final ScaleRule NONE =
      new ScaleRule(null, DEFAULT, false, false, ModulePatterns.NONE, ModulePatterns.NONE);

  private static final String LOKR = "LOKR";

  /** The kinds of PEFT whose updates are read here. */
  private static final List<String> KINDS = List.of("LORA", "LOHA", LOKR);

  /**
   * The rule of a configuration.
   *
   * @param json where it stands, for messages
   * @param text the configuration
   * @param prefix of the keys, as {@code unet.} in files of diffusers; may be empty
   */
  static ScaleRule of(JsonFile json, String text, String prefix) throws InvalidFileException {
    Map<String, ?> values = json.object(text);
    Object kind = values.get(prefix + "peft_type");
    if (kind != null && !KINDS.contains(kind)) {
      throw json.fault(
          "has the %speft_type %s: %s are read."
              .formatted(prefix, JsonWriter.abbreviated(kind), String.join(", ", KINDS)));
    }
    Double alpha = number(json, values, prefix + "lora_alpha");
    if (alpha == null) {
      alpha = number(json, values, prefix + "alpha"); // of LoHa and LoKr
    }
    if (alpha == null && kind != null) {
      alpha = DEFAULT;
    }
    Double rank = number(json, values, prefix + "r");
    return new ScaleRule(
        alpha,
        rank == null ? DEFAULT : rank,
        Boolean.TRUE.equals(values.get(prefix + "use_rslora")),
        LOKR.equals(kind),
        ModulePatterns.of(json, values, prefix + "alpha_pattern"),
        ModulePatterns.of(json, values, prefix + "rank_pattern"));
  }

  /** Null where the key is not there. */
  private static @Nullable Double number(JsonFile json, Map<String, ?> values, String key)
      throws InvalidFileException {
    if (!values.containsKey(key)) {
      return null;
    }
    if (values.get(key) instanceof JsonNumber number) {
      return number.doubleValue();
    }
    throw json.fault(
        "has the %s %s: a number is needed."
            .formatted(key, JsonWriter.abbreviated(values.get(key))));
  }

  /** What an update of a module is multiplied by. */
  double scale(String module, int rankOfModule) throws InvalidFileException {
    Double own = alphas.find(module);
    Double used = own == null ? alpha : own;
    return used == null ? 1 : used / (overRoot ? Math.sqrt(rankOfModule) : rankOfModule);
  }

  /**
   * What an update of LoKr is multiplied by that has no rank. LyCORIS, which writes no such
   * configuration, takes it as it is.
   */
  double scaleOfWhole(String module) throws InvalidFileException {
    if (!scalesWhole) {
      return 1;
    }
    Double own = ranks.find(module);
    double used = own == null ? rank : own;
    return scale(module, 1) / used;
  }

  /** What tells it from others; empty where there is no rule. */
  String identity() {
    return equals(NONE)
        ? ""
        : "%s %s %s %s %s %s".formatted(alpha, rank, overRoot, scalesWhole, alphas, ranks);
  }
}
