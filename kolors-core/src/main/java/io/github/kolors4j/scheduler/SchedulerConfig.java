package io.github.kolors4j.scheduler;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The options of a scheduler under the names of {@code scheduler_config.json}, in order. Immutable.
 *
 * <p>Keys that one scheduler does not know are kept for the next that is made from its
 * configuration. Values that nobody set but were only a scheduler's defaults are marked as such and
 * not handed on, since another scheduler has defaults of its own.
 */
public final class SchedulerConfig {
  static final String CLASS_NAME = "_class_name";
  private static final String USE_DEFAULT_VALUES = "_use_default_values";

  /** Whole numbers of more digits are as good as infinite. */
  private static final int MOST_DIGITS = 40;

  private final Map<String, @Nullable Object> values;
  private final Set<String> defaults;

  SchedulerConfig(Map<String, @Nullable Object> values, Set<String> defaults) {
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    this.defaults = Set.copyOf(defaults);
  }

  /**
   * A configuration of the given values.
   *
   * @param values {@code Boolean}, {@code Number}, {@code String}, null, {@code List} or {@code
   *     Map} of these, or an array of {@code float} or {@code double}; all count as set by
   *     somebody, except those that a key {@code _use_default_values} lists
   * @return the configuration
   * @throws IllegalArgumentException if a value is of another type
   */
  public static SchedulerConfig of(Map<String, ?> values) {
    Map<String, @Nullable Object> plain = new LinkedHashMap<>();
    values.forEach((key, value) -> plain.put(key, plain(key, value)));
    Set<String> defaults = new LinkedHashSet<>();
    if (plain.remove(USE_DEFAULT_VALUES) instanceof List<?> keys) {
      keys.forEach(key -> defaults.add(String.valueOf(key)));
    }
    defaults.retainAll(plain.keySet());
    return new SchedulerConfig(plain, defaults);
  }

  /**
   * Reads a JSON file.
   *
   * @param file as {@code scheduler/scheduler_config.json}
   * @return its values
   * @throws InvalidFileException if it cannot be read or is no JSON object
   */
  public static SchedulerConfig read(Path file) throws InvalidFileException {
    JsonFile json = new JsonFile("config", file.toString());
    String text = json.text(file, JsonFile.MAX_CONFIG_BYTES);
    return of(json.object(text, JsonReader::withInfinity));
  }

  /**
   * The value that a text stands for on a command line: that of the JSON if it is such, else the
   * text itself.
   *
   * @param text as {@code true}, {@code 3}, {@code [0.1, 0.2]} or {@code karras}
   * @return a value for an option; may be null
   */
  public static @Nullable Object parseValue(String text) {
    try {
      return plain(text, JsonReader.of(text).withInfinity().document());
    } catch (JsonException notJson) {
      return text;
    }
  }

  /**
   * Options from where all values are text, such as properties: each text becomes what {@link
   * #parseValue} makes of it, and all else stays.
   *
   * @param options by their names
   * @return the options with their values, in the same order
   */
  public static Map<String, @Nullable Object> parseTexts(Map<String, ?> options) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    options.forEach(
        (key, value) -> values.put(key, value instanceof String text ? parseValue(text) : value));
    return values;
  }

  /**
   * The text that stands for a value on a command line: {@link #parseValue} gives the value again.
   *
   * @param value of an option, as {@link #get} gives it; may be null
   * @return as {@code true}, {@code 3}, {@code null}, {@code -Infinity} or {@code karras}
   */
  public static String formatValue(@Nullable Object value) {
    return value instanceof String text && text.equals(parseValue(text))
        ? text
        : JsonWriter.line(value);
  }

  /**
   * All keys.
   *
   * @return in order
   */
  public Set<String> keys() {
    return values.keySet();
  }

  /**
   * Whether a value is only a default, set by nobody.
   *
   * @param key of the option
   * @return false also where there is no such key
   */
  public boolean isDefault(String key) {
    return defaults.contains(key);
  }

  /**
   * A value as it stands in the JSON.
   *
   * @param key of the option
   * @return a {@code Boolean}, {@code Long} (beyond it {@code BigInteger}), {@code Double}, {@code
   *     String}, {@code List}, {@code Map}, or null where it is null or absent
   */
  public @Nullable Object get(String key) {
    return values.get(key);
  }

  /**
   * A yes or no.
   *
   * @param key of the option
   * @return false where it is null or absent
   * @throws IllegalArgumentException if the value is no boolean
   */
  public boolean flag(String key) {
    return Option.flag(key, "").read(get(key));
  }

  /**
   * A whole number.
   *
   * @param key of the option
   * @return the number
   * @throws IllegalArgumentException if the value is no whole number that fits an {@code int}
   */
  public int integer(String key) {
    return Option.integer(key, "").read(get(key));
  }

  /**
   * A number.
   *
   * @param key of the option
   * @return the number, which may be infinite
   * @throws IllegalArgumentException if the value is no number
   */
  public double number(String key) {
    return Option.number(key, "").read(get(key));
  }

  /**
   * A number that need not be there.
   *
   * @param key of the option
   * @return empty where it is null or absent
   * @throws IllegalArgumentException if the value is there and no number
   */
  public OptionalDouble optionalNumber(String key) {
    return get(key) == null ? OptionalDouble.empty() : OptionalDouble.of(number(key));
  }

  /**
   * A list of numbers that need not be there.
   *
   * @param key of the option
   * @return empty where it is null or absent
   * @throws IllegalArgumentException if the value is there and no list of numbers
   */
  public Optional<double[]> optionalNumbers(String key) {
    return Option.numbers(key, "").optional().read(get(key)).map(SchedulerConfig::array);
  }

  private static double[] array(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /**
   * A text.
   *
   * @param key of the option
   * @return the text
   * @throws IllegalArgumentException if the value is no text
   */
  public String text(String key) {
    return Option.text(key, "").read(get(key));
  }

  /** The values that somebody set. */
  Map<String, @Nullable Object> withoutDefaults() {
    Map<String, @Nullable Object> set = new LinkedHashMap<>(values);
    set.keySet().removeAll(defaults);
    return set;
  }

  /** This configuration with other values, each set by whoever set the old one. */
  SchedulerConfig map(BiFunction<String, @Nullable Object, @Nullable Object> change) {
    Map<String, @Nullable Object> changed = new LinkedHashMap<>();
    values.forEach((key, value) -> changed.put(key, change.apply(key, value)));
    return new SchedulerConfig(changed, defaults);
  }

  static @Nullable Object plain(String key, @Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Boolean flag -> flag;
      case String text -> text;
      case Byte _, Short _, Integer _, Long _ -> ((Number) value).longValue();
      case JsonNumber number when number.isInteger() -> whole(number);
      case BigInteger number -> number;
      // through text, so that 0.1f means 0.1
      case Float number -> Double.valueOf(number.toString());
      case Number number -> number.doubleValue();
      case float[] array -> {
        List<@Nullable Object> list = new ArrayList<>();
        for (float item : array) {
          list.add(plain(key, item));
        }
        yield Collections.unmodifiableList(list);
      }
      case double[] array -> Arrays.stream(array).boxed().toList();
      case List<?> items -> {
        List<@Nullable Object> list = new ArrayList<>();
        items.forEach(item -> list.add(plain(key, item)));
        yield Collections.unmodifiableList(list);
      }
      case Map<?, ?> entries -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        entries.forEach((name, item) -> map.put(String.valueOf(name), plain(key, item)));
        yield Collections.unmodifiableMap(map);
      }
      default ->
          throw new OptionException(
              key + " is a " + value.getClass().getName() + ": use a value that JSON can hold.");
    };
  }

  /** A number that is written as an integer. */
  private static Number whole(JsonNumber number) {
    try {
      return Long.valueOf(number.toString());
    } catch (NumberFormatException beyond) {
      String digits = number.toString();
      return digits.length() <= MOST_DIGITS ? new BigInteger(digits) : number.doubleValue();
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SchedulerConfig config
        && values.equals(config.values)
        && defaults.equals(config.defaults);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  /** The JSON that diffusers would write, in the order of the keys. */
  @Override
  public String toString() {
    return JsonWriter.indented(values);
  }
}
