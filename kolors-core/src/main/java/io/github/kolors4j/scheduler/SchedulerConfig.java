package io.github.kolors4j.scheduler;

import com.google.gson.JsonParseException;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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
  private static final Pattern POSITION = Pattern.compile("line \\d+ column \\d+");

  private final Map<String, Object> values;
  private final Set<String> defaults;

  SchedulerConfig(Map<String, Object> values, Set<String> defaults) {
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
    Map<String, Object> plain = new LinkedHashMap<>();
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
    try {
      if (Json.read(Files.readString(file)) instanceof Map<?, ?> map) {
        Map<String, Object> values = new LinkedHashMap<>();
        map.forEach((key, value) -> values.put((String) key, value));
        return of(values);
      }
      throw new InvalidFileException(
          "[config] " + file + ": no JSON object, which starts with '{'.");
    } catch (JsonParseException e) {
      Matcher position = POSITION.matcher(String.valueOf(e.getMessage()));
      String where = position.find() ? " at " + position.group() : " (more follows its end)";
      throw new InvalidFileException(
          "[config] " + file + ": not valid JSON" + where + ". Damaged or cut short?", e);
    } catch (NoSuchFileException e) {
      throw new InvalidFileException("[config] " + file + ": no such file.", e);
    } catch (CharacterCodingException e) {
      throw new InvalidFileException("[config] " + file + ": not UTF-8 text. Damaged?", e);
    } catch (InvalidFileException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidFileException("[config] " + file + ": cannot be read (" + e + ").", e);
    }
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
      return Json.read(text);
    } catch (JsonParseException notJson) {
      return text;
    }
  }

  /**
   * The text that stands for a value on a command line: {@link #parseValue} gives the value again.
   *
   * @param value of an option, as {@link #get} gives it; may be null
   * @return as {@code true}, {@code 3}, {@code null}, {@code -Infinity} or {@code karras}
   */
  public static String formatValue(@Nullable Object value) {
    return value instanceof String text && text.equals(parseValue(text)) ? text : Json.write(value);
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
   * @return a {@code Boolean}, {@code Long}, {@code Double}, {@code String}, {@code List}, {@code
   *     Map}, or null where it is null or absent
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
    return switch (get(key)) {
      case null -> false;
      case Boolean flag -> flag;
      case Object other -> throw new OptionException(key, other, "use true or false.");
    };
  }

  /**
   * A whole number.
   *
   * @param key of the option
   * @return the number
   * @throws IllegalArgumentException if the value is no whole number that fits an {@code int}
   */
  public int integer(String key) {
    if (get(key) instanceof Number number && number.doubleValue() == number.intValue()) {
      return number.intValue();
    }
    throw new OptionException(key, get(key), "use a whole number.");
  }

  /**
   * A number.
   *
   * @param key of the option
   * @return the number, which may be infinite
   * @throws IllegalArgumentException if the value is no number
   */
  public double number(String key) {
    if (get(key) instanceof Number number) {
      return number.doubleValue();
    }
    throw new OptionException(key, get(key), "use a number.");
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
    Object value = get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof List<?> list && list.stream().allMatch(Number.class::isInstance)) {
      return Optional.of(
          list.stream().mapToDouble(item -> ((Number) item).doubleValue()).toArray());
    }
    throw new OptionException(key, value, "use a list of numbers.");
  }

  /**
   * A text.
   *
   * @param key of the option
   * @return the text
   * @throws IllegalArgumentException if the value is no text
   */
  public String text(String key) {
    if (get(key) instanceof String text) {
      return text;
    }
    throw new OptionException(key, get(key), "use a text.");
  }

  /** One of an enum's constants, by the name that its {@code toString} gives. */
  <E extends Enum<E>> E choice(String key, Class<E> type) {
    return choice(key, EnumSet.allOf(type));
  }

  /** One of some constants, by the name that their {@code toString} gives. */
  <E extends Enum<E>> E choice(String key, Set<E> allowed) {
    List<String> names = new ArrayList<>();
    for (E constant : allowed) {
      if (constant.toString().equals(get(key))) {
        return constant;
      }
      names.add(constant.toString());
    }
    throw new OptionException(key, get(key), "use one of " + String.join(", ", names) + ".");
  }

  /** The values that somebody set. */
  Map<String, Object> withoutDefaults() {
    Map<String, Object> set = new LinkedHashMap<>(values);
    set.keySet().removeAll(defaults);
    return set;
  }

  /** This configuration with one value in the place of any of some others. */
  SchedulerConfig renamed(String key, List<String> others, String value) {
    return get(key) instanceof String text && others.contains(text) ? with(key, value) : this;
  }

  /** This configuration with another value, set by whoever set the old one. */
  SchedulerConfig with(String key, @Nullable Object value) {
    Map<String, Object> changed = new LinkedHashMap<>(values);
    changed.put(key, value);
    return new SchedulerConfig(changed, defaults);
  }

  static @Nullable Object plain(String key, @Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Boolean flag -> flag;
      case String text -> text;
      case Byte _, Short _, Integer _, Long _ -> ((Number) value).longValue();
      // through text, so that 0.1f means 0.1
      case Float number -> Double.valueOf(number.toString());
      case Number number -> number.doubleValue();
      case float[] array -> {
        List<Object> list = new ArrayList<>();
        for (float item : array) {
          list.add(plain(key, item));
        }
        yield Collections.unmodifiableList(list);
      }
      case double[] array -> {
        List<Object> list = new ArrayList<>();
        for (double item : array) {
          list.add(item);
        }
        yield Collections.unmodifiableList(list);
      }
      case List<?> items -> {
        List<Object> list = new ArrayList<>();
        items.forEach(item -> list.add(plain(key, item)));
        yield Collections.unmodifiableList(list);
      }
      case Map<?, ?> entries -> {
        Map<String, Object> map = new LinkedHashMap<>();
        entries.forEach((name, item) -> map.put(String.valueOf(name), plain(key, item)));
        yield Collections.unmodifiableMap(map);
      }
      default ->
          throw new OptionException(
              key + " is a " + value.getClass().getName() + ": use a value that JSON can hold.");
    };
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
    return values.entrySet().stream()
        .map(entry -> "  " + Json.write(entry.getKey()) + ": " + Json.write(entry.getValue()))
        .collect(Collectors.joining(",\n", "{\n", "\n}"));
  }
}
