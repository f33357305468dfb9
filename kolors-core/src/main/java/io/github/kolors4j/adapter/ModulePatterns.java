package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of modules by regular expressions, as PEFT's {@code alpha_pattern}: an expression is for
 * a module whose name it matches, or the end of it from a dot on; the first one counts.
 */
final class ModulePatterns {
  static final ModulePatterns NONE = new ModulePatterns(List.of());

  /** What PEFT puts before the names of a model. */
  private static final Pattern PREFIX =
      Pattern.compile("(?:base_model\\.model\\.)?(?:(?:unet|text_encoder|transformer)\\.)?");

  /**
   * How often expressions may look at characters of names, in all: half a second. A hundred usual
   * ones and a thousand modules take a fifth of it.
   */
  private static final int MOST_LOOKS = 100_000_000;

  private final List<Entry> entries;
  private int looks;

  /** One of them; where it stands, for messages. */
  private record Entry(JsonFile json, String key, Pattern pattern, double value) {
    @Override
    public String toString() {
      return pattern + "=" + value;
    }
  }

  private ModulePatterns(List<Entry> entries) {
    this.entries = List.copyOf(entries);
  }

  /** Those of a key of a configuration; none where it has not got it. */
  static ModulePatterns of(JsonFile json, Map<String, ?> config, String key)
      throws InvalidFileException {
    Object value = config.get(key);
    if (value == null) {
      return NONE;
    }
    if (!(value instanceof Map<?, ?> patterns)) {
      throw json.fault(
          "has the %s %s: an object of names and numbers is needed."
              .formatted(key, JsonWriter.abbreviated(value)));
    }
    List<Entry> entries = new ArrayList<>();
    for (Map.Entry<?, ?> each : patterns.entrySet()) {
      String expression = String.valueOf(each.getKey());
      if (!(each.getValue() instanceof JsonNumber number)) {
        throw json.fault(
            "has %s for %s in its %s: a number is needed."
                .formatted(
                    JsonWriter.abbreviated(each.getValue()), ForeignText.oneLine(expression), key));
      }
      try {
        Pattern pattern = Pattern.compile("(?:.*\\.)?(?:" + expression + ")");
        entries.add(new Entry(json, key, pattern, number.doubleValue()));
      } catch (PatternSyntaxException e) {
        throw json.fault(
            "has the %s %s, which is no regular expression: %s."
                .formatted(key, ForeignText.oneLine(expression), e.getDescription()));
      }
    }
    return new ModulePatterns(entries);
  }

  /** The number of a module, by the file's name of it; null where no expression is for it. */
  @Nullable Double find(String module) throws InvalidFileException {
    String name = PREFIX.matcher(module).replaceFirst("");
    for (Entry entry : entries) {
      try {
        if (entry.pattern.matcher(new Watched(name)).matches()) {
          return entry.value;
        }
      } catch (TooManyLooksException | StackOverflowError _) {
        throw entry.json.fault(
            "has the %s %s, which takes too long to match: write it without nested repetitions."
                .formatted(entry.key, ForeignText.oneLine(entry.pattern.pattern())));
      }
    }
    return null;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ModulePatterns patterns && toString().equals(patterns.toString());
  }

  @Override
  public int hashCode() {
    return toString().hashCode();
  }

  @Override
  public String toString() {
    return entries.toString();
  }

  /** An expression of a stranger may run for years on a name. */
  private static final class TooManyLooksException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /** A name, of which it is counted how often it is looked at. */
  private final class Watched implements CharSequence {
    private final String name;

    Watched(String name) {
      this.name = name;
    }

    @Override
    public char charAt(int index) {
      if (++looks > MOST_LOOKS) {
        throw new TooManyLooksException();
      }
      return name.charAt(index);
    }

    @Override
    public int length() {
      return name.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return name.subSequence(start, end);
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
