package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The JSON object of one configuration file, as {@code unet/config.json}. Every fault is named with
 * file, key, value and rule.
 *
 * <p>Getters take the value that the model's class has where the file is silent. A key that a class
 * defines is read by a getter or checked by {@link #only}; the others are left, and can be reported
 * with {@link #warnAboutUnknownKeys}.
 */
public final class JsonConfig {
  private static final Logger LOG = LoggerFactory.getLogger(JsonConfig.class);

  /** Longest list of unknown keys that a warning repeats, in characters. */
  private static final int UNKNOWN_AT_MOST = 400;

  private final JsonFile file;
  private final String text;
  private final Map<String, Object> values;
  private final Set<String> read = new HashSet<>();

  private JsonConfig(JsonFile file, String text, Map<String, Object> values) {
    this.file = file;
    this.text = text;
    this.values = values;
  }

  /**
   * Reads a file.
   *
   * @param path the file
   * @return its object
   * @throws InvalidFileException if the file is missing or is not one JSON object, by the strict
   *     grammar and without a key twice
   */
  public static JsonConfig read(Path path) throws InvalidFileException {
    JsonFile file = new JsonFile("config", shortName(path));
    return parse(file, file.text(path, JsonFile.MAX_CONFIG_BYTES));
  }

  /**
   * Reads a text.
   *
   * @param file the name that messages give it
   * @param text the JSON
   * @return its object
   * @throws InvalidFileException if the text is not one JSON object, by the strict grammar and
   *     without a key twice
   */
  public static JsonConfig parse(String file, String text) throws InvalidFileException {
    return parse(new JsonFile("config", file), text);
  }

  private static JsonConfig parse(JsonFile file, String text) throws InvalidFileException {
    return new JsonConfig(file, text, file.object(text));
  }

  /**
   * The name that messages give the file.
   *
   * @return folder and file, as {@code unet/config.json}
   */
  public String file() {
    return file.name();
  }

  /**
   * The file's text, with all keys, also those that nobody asks for.
   *
   * @return as it was read
   */
  public String text() {
    return text;
  }

  /**
   * Whether the file says nothing about a key, or null.
   *
   * @param key the key
   * @return true if the key is absent or null
   */
  public boolean isNull(String key) {
    read.add(key);
    return values.get(key) == null;
  }

  /**
   * An integer.
   *
   * @param key the key
   * @param absent the value where the file is silent
   * @param min the least that is sensible
   * @param max the most that is sensible
   * @return the value
   * @throws InvalidFileException if the value is no integer from min to max
   */
  public int integer(String key, int absent, int min, int max) throws InvalidFileException {
    return has(key) ? integer(key, values.get(key), min, max) : absent;
  }

  /**
   * An integer that the file must give.
   *
   * @param key the key
   * @param min the least that is sensible
   * @param max the most that is sensible
   * @return the value
   * @throws InvalidFileException if the key is absent or null, or its value no integer from min to
   *     max
   */
  public int integer(String key, int min, int max) throws InvalidFileException {
    if (isNull(key)) {
      throw fault(key, "an integer from %s to %s is needed".formatted(min, max));
    }
    return integer(key, values.get(key), min, max);
  }

  /**
   * An integer that may be left open.
   *
   * @param key the key
   * @param min the least that is sensible
   * @param max the most that is sensible
   * @return the value, or nothing where the key is absent or null
   * @throws InvalidFileException if there is a value that is no integer from min to max
   */
  public OptionalInt optionalInteger(String key, int min, int max) throws InvalidFileException {
    return isNull(key)
        ? OptionalInt.empty()
        : OptionalInt.of(integer(key, values.get(key), min, max));
  }

  /**
   * One integer for each of several blocks, given as a list or as one integer for all.
   *
   * @param key the key
   * @param absent the value of all where the file is silent
   * @param count how many blocks
   * @param min the least that is sensible
   * @param max the most that is sensible
   * @return as many values as blocks
   * @throws InvalidFileException if the value is neither an integer nor a list of {@code count}
   *     integers
   */
  public List<Integer> integerForEach(String key, int absent, int count, int min, int max)
      throws InvalidFileException {
    if (has(key) && values.get(key) instanceof List<?>) {
      List<Integer> list = integers(key, min, max);
      if (list.size() != count) {
        throw fault(key, "a list must have %s values, one a block".formatted(count));
      }
      return list;
    }
    return Collections.nCopies(count, integer(key, absent, min, max));
  }

  /**
   * A list of integers that the file must give.
   *
   * @param key the key
   * @param min the least that is sensible
   * @param max the most that is sensible
   * @return the values, at least one
   * @throws InvalidFileException if the value is no list of integers from min to max
   */
  public List<Integer> integers(String key, int min, int max) throws InvalidFileException {
    List<Integer> result = new ArrayList<>();
    for (Object element : list(key, "integers")) {
      result.add(integer(key, element, min, max));
    }
    return List.copyOf(result);
  }

  /**
   * A list of strings that the file must give.
   *
   * @param key the key
   * @param supported the strings that may occur
   * @return the values, at least one
   * @throws InvalidFileException if the value is no list of supported strings
   */
  public List<String> strings(String key, String... supported) throws InvalidFileException {
    List<String> result = new ArrayList<>();
    for (Object element : list(key, "strings")) {
      if (!(element instanceof String text) || !Arrays.asList(supported).contains(text)) {
        throw file.fault(
            "%s has %s; only %s."
                .formatted(key, JsonWriter.abbreviated(element), supportedText(supported)));
      }
      result.add(text);
    }
    return List.copyOf(result);
  }

  /**
   * A number.
   *
   * @param key the key
   * @param absent the value where the file is silent
   * @return the value in F32
   * @throws InvalidFileException if the value is no number, or none that F32 can hold
   */
  public float number(String key, double absent) throws InvalidFileException {
    if (!has(key)) {
      return (float) absent;
    }
    if (values.get(key) instanceof JsonNumber number && Float.isFinite(number.floatValue())) {
      return number.floatValue();
    }
    throw fault(key, "a number is needed");
  }

  /**
   * A positive number.
   *
   * @param key the key
   * @param absent the value where the file is silent
   * @return the value in F32
   * @throws InvalidFileException if the value is no number above 0
   */
  public float positive(String key, double absent) throws InvalidFileException {
    float number = number(key, absent);
    if (!(number > 0)) {
      throw fault(key, "a number above 0 is needed");
    }
    return number;
  }

  /**
   * A truth value.
   *
   * @param key the key
   * @param absent the value where the file is silent
   * @return the value
   * @throws InvalidFileException if the value is neither true nor false
   */
  public boolean bool(String key, boolean absent) throws InvalidFileException {
    if (!has(key)) {
      return absent;
    }
    if (values.get(key) instanceof Boolean value) {
      return value;
    }
    throw fault(key, "true or false is needed");
  }

  /**
   * A string that may be left open.
   *
   * @param key the key
   * @return the value, or nothing where the key is absent or null
   * @throws InvalidFileException if there is a value that is no string
   */
  public Optional<String> string(String key) throws InvalidFileException {
    if (isNull(key)) {
      return Optional.empty();
    }
    if (values.get(key) instanceof String value) {
      return Optional.of(value);
    }
    throw fault(key, "a string is needed");
  }

  /**
   * An object within this one, as a configuration of its own.
   *
   * @param key the key
   * @return the object, or nothing where the key is absent or null
   * @throws InvalidFileException if there is a value that is no object
   */
  public Optional<JsonConfig> object(String key) throws InvalidFileException {
    if (isNull(key)) {
      return Optional.empty();
    }
    if (values.get(key) instanceof Map<?, ?> object) {
      return Optional.of(parse(file, JsonWriter.indented(object) + "\n"));
    }
    throw fault(key, "an object is needed");
  }

  /**
   * Refuses every value of a key but those given; an absent key stands for the first.
   *
   * @param key the key
   * @param supported strings, truth values or integers
   * @throws InvalidFileException if the file has another value
   */
  public void only(String key, Object... supported) throws InvalidFileException {
    if (has(key)) {
      onlyStated(key, supported);
    }
  }

  /**
   * Refuses every value of a key but those given, and its absence.
   *
   * @param key the key
   * @param supported strings, truth values or integers
   * @throws InvalidFileException if the file has another value, or none
   */
  public void onlyStated(String key, Object... supported) throws InvalidFileException {
    read.add(key);
    for (Object each : supported) {
      if (each instanceof Integer number
          ? values.get(key) instanceof JsonNumber stated && stated.doubleValue() == number
          : each.equals(values.get(key))) {
        return;
      }
    }
    throw fault(key, "only " + supportedText(supported));
  }

  /**
   * Refuses every value of a key but null.
   *
   * @param keys the keys
   * @throws InvalidFileException if the file has a value
   */
  public void onlyNull(String... keys) throws InvalidFileException {
    for (String key : keys) {
      if (!isNull(key)) {
        throw fault(key, "only null is supported");
      }
    }
  }

  /**
   * Notes keys that the class defines and whose value changes nothing here.
   *
   * @param keys the keys
   */
  public void withoutEffect(String... keys) {
    read.addAll(Arrays.asList(keys));
  }

  /**
   * This configuration with another value.
   *
   * @param key which one
   * @param value a number, a text, a truth value or a list of them
   * @return the configuration, whose text has it too
   * @throws InvalidFileException never, as the text was read before
   */
  public JsonConfig with(String key, Object value) throws InvalidFileException {
    Map<String, Object> changed = new LinkedHashMap<>(values);
    changed.put(key, value);
    return parse(file, JsonWriter.indented(changed) + "\n");
  }

  /**
   * A fault of this file.
   *
   * @param key the key
   * @param rule what its value should be
   * @return the exception, to be thrown
   */
  public InvalidFileException fault(String key, String rule) {
    String found =
        values.containsKey(key) ? "is " + JsonWriter.abbreviated(values.get(key)) : "is missing";
    return file.fault("%s %s; %s.".formatted(key, found, rule));
  }

  /**
   * Logs one warning with the keys that nobody asked for: as in diffusers they change nothing. Keys
   * that start with an underscore are notes, and pass.
   *
   * @param model the class that does not know them
   */
  public void warnAboutUnknownKeys(String model) {
    String unknown =
        values.keySet().stream()
            .filter(key -> !key.startsWith("_") && !read.contains(key))
            .collect(Collectors.joining(", "));
    if (!unknown.isEmpty()) {
      LOG.warn(
          "[config] {}: keys that {} does not know are ignored: {}",
          file.name(),
          model,
          ForeignText.oneLine(unknown, UNKNOWN_AT_MOST));
    }
  }

  private boolean has(String key) {
    read.add(key);
    return values.containsKey(key);
  }

  private int integer(String key, @Nullable Object value, int min, int max)
      throws InvalidFileException {
    if (value instanceof JsonNumber number
        && number.isInteger()
        && number.longValue() >= min
        && number.longValue() <= max) {
      return number.intValue();
    }
    throw fault(key, "an integer from %s to %s is needed".formatted(min, max));
  }

  private List<?> list(String key, String of) throws InvalidFileException {
    read.add(key);
    if (values.get(key) instanceof List<?> list && !list.isEmpty()) {
      return list;
    }
    throw fault(key, "a list of " + of + " is needed");
  }

  private static String supportedText(Object[] supported) {
    String all =
        Arrays.stream(supported).map(JsonWriter::abbreviated).collect(Collectors.joining(", "));
    return all + (supported.length == 1 ? " is supported" : " are supported");
  }

  private static String shortName(Path path) {
    Path folder = path.toAbsolutePath().normalize().getParent();
    return folder == null || folder.getFileName() == null
        ? path.getFileName().toString()
        : folder.getFileName() + "/" + path.getFileName();
  }
}
