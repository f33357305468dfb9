package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.json.ForeignText;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An adapter as command lines and tables name it: {@code FILE}, {@code FILE=0.8}, or with weights
 * of its parts {@code FILE=0.8,text_encoder=1,up_blocks.0=0.5}.
 *
 * @param file the file, or the folder of one
 * @param weight as of {@link Adapters#at}; 1 where nothing is said
 * @param parts weights by {@code text_encoder}, as of {@link Adapters#textEncoderAt}, or by the
 *     name of a block, as of {@link Adapters#atBlock}
 */
public record AdapterArgument(String file, double weight, Map<String, Double> parts) {
  private static final String TEXT_ENCODER = "text_encoder";

  /** The shortest file whose rest is weights: a file may have equals signs in its name. */
  private static final Pattern WITH_WEIGHTS =
      Pattern.compile("(?<file>.+?)=(?<weight>[^=,]*)(?<parts>(?:,[^=,]+=[^=,]*)*)");

  /** Keeps a copy of the map, in its order. */
  public AdapterArgument {
    parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
  }

  /**
   * Reads an argument.
   *
   * @param text what was given
   * @return the file and its weights
   * @throws IllegalArgumentException if what is behind an equals sign is no number, or a part has
   *     no weight of its own, or two
   */
  public static AdapterArgument parse(String text) {
    if (text.indexOf('=') < 0) {
      return new AdapterArgument(text, 1, Map.of());
    }
    Matcher matcher = WITH_WEIGHTS.matcher(text);
    if (!matcher.matches()) {
      throw noWeight(text, text.substring(text.indexOf('=') + 1));
    }
    Map<String, Double> parts = new LinkedHashMap<>();
    String list = matcher.group("parts");
    for (String part : list.isEmpty() ? new String[0] : list.substring(1).split(",", -1)) {
      int equals = part.indexOf('=');
      String name = part.substring(0, equals);
      if (parts.put(name, number(text, part.substring(equals + 1))) != null) {
        throw new IllegalArgumentException(
            "[adapter] %s: %s has two weights. Leave one out."
                .formatted(ForeignText.oneLine(text), ForeignText.oneLine(name)));
      }
    }
    return new AdapterArgument(matcher.group("file"), number(text, matcher.group("weight")), parts);
  }

  private static double number(String text, String weight) {
    try {
      return Double.parseDouble(weight);
    } catch (NumberFormatException e) {
      throw noWeight(text, weight);
    }
  }

  private static IllegalArgumentException noWeight(String text, String weight) {
    return new IllegalArgumentException(
        "[adapter] %s: \"%s\" is no weight: use FILE, FILE=0.8 or FILE=0.8,text_encoder=1,up_blocks.0=0.5."
            .formatted(ForeignText.oneLine(text), ForeignText.oneLine(weight)));
  }

  /**
   * The adapter with the weights.
   *
   * @param adapter what {@link #file} has
   * @return it, at the weight and its parts at theirs
   * @throws IllegalArgumentException if a weight is no finite number
   */
  public Adapters of(Adapter adapter) {
    Adapters adapters = Adapters.of(adapter).at(weight);
    for (Map.Entry<String, Double> part : parts.entrySet()) {
      adapters =
          part.getKey().equals(TEXT_ENCODER)
              ? adapters.textEncoderAt(part.getValue())
              : adapters.atBlock(part.getKey(), part.getValue());
    }
    return adapters;
  }
}
