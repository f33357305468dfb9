package io.github.kolors4j.adapter;

import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.unet.UNetNames;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which module of a model a name in an adapter's file means. Names are never parsed: all spellings
 * of all modules are in one table, also those with dots as underscores, which cannot be undone.
 */
final class ModuleNames {
  private static final String WEIGHT = ".weight";

  /** What the checkpoints of trainers (Lightning, and torch.save of one's own) put before all. */
  private static final String STATE_DICT = "state_dict.";

  /** What a file may put before a name of the U-Net. */
  private static final List<String> UNET_PREFIXES =
      List.of(
          "",
          "unet.",
          "base_model.model.",
          "base_model.model.unet.",
          "diffusion_model.",
          "model.diffusion_model.",
          "lora_unet_",
          "lycoris_");

  /** What a file may put before a name of the text encoder. */
  private static final List<String> TEXT_ENCODER_PREFIXES =
      List.of(
          "",
          "text_encoder.",
          "base_model.model.",
          "base_model.model.text_encoder.",
          "base_model.model.transformer.",
          "transformer.",
          "lora_te_",
          "lycoris_text_encoder_");

  private static final Pattern BLOCK = Pattern.compile("(down_blocks|up_blocks)\\.\\d+|mid_block");

  private final Map<String, String> bySpelling = new HashMap<>();
  private final Map<String, Parameter> modules = new LinkedHashMap<>();
  private final List<String> prefixes;

  private ModuleNames(List<String> prefixes) {
    this.prefixes = prefixes;
  }

  static ModuleNames ofUnet(List<Parameter> parameters) {
    UNetNames names = UNetNames.of(parameters);
    ModuleNames modules = new ModuleNames(UNET_PREFIXES);
    modules.addAll(parameters);
    for (String module : modules.modules.keySet()) {
      names.sgm(module).ifPresent(spelling -> modules.add(spelling, module));
      names.diffSynth(module).ifPresent(spelling -> modules.add(spelling, module));
      if (module.endsWith(".to_out.0")) { // the processors of old diffusers, and DiffSynth
        String attention = module.substring(0, module.length() - ".0".length());
        modules.add(attention, module);
        names.diffSynth(attention).ifPresent(spelling -> modules.add(spelling, module));
      }
    }
    return modules;
  }

  static ModuleNames ofTextEncoder(List<Parameter> parameters) {
    ModuleNames modules = new ModuleNames(TEXT_ENCODER_PREFIXES);
    modules.addAll(parameters);
    return modules;
  }

  private void addAll(List<Parameter> parameters) {
    for (Parameter parameter : parameters) {
      String module = ofWeight(parameter.name());
      if (!module.isEmpty()) {
        modules.put(module, parameter);
        add(module, module);
      }
    }
  }

  /** The module that a weight belongs to; what is no weight belongs to none. */
  static String ofWeight(String name) {
    return name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : "";
  }

  private void add(String spelling, String module) {
    bySpelling.putIfAbsent(spelling, module);
    bySpelling.putIfAbsent(spelling.replace('.', '_'), module);
  }

  /** Whether a module of the model has a name or is below it. */
  boolean hasBelow(String name) {
    return hasBelow(modules.keySet(), name);
  }

  /** Whether one of some modules has a name or is below it. */
  static boolean hasBelow(Set<String> modules, String name) {
    return modules.stream().anyMatch(module -> isBelow(module, name));
  }

  /** The weight of one of the model's modules. */
  Parameter weightOf(String module) {
    return Objects.requireNonNull(modules.get(module), module);
  }

  private static boolean isBelow(String module, String name) {
    return module.startsWith(name)
        && (module.length() == name.length() || module.charAt(name.length()) == '.');
  }

  /** The names of the model's blocks, as {@code down_blocks.0}, in order. */
  List<String> blocks() {
    return modules.keySet().stream()
        .map(BLOCK::matcher)
        .filter(Matcher::lookingAt)
        .map(Matcher::group)
        .distinct()
        .sorted()
        .toList();
  }

  /** The module, by the checkpoint's name; empty where the model has none of that name. */
  Optional<String> find(String name) {
    String own = name.startsWith(STATE_DICT) ? name.substring(STATE_DICT.length()) : name;
    for (String prefix : prefixes) {
      if (own.startsWith(prefix)) {
        String module = bySpelling.get(own.substring(prefix.length()));
        if (module != null) {
          return Optional.of(module);
        }
      }
    }
    return Optional.empty();
  }
}
