package io.github.kolors4j.request;

import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tensor.FloatArray;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The values of a JSON object, each read once: what is left at the end is a key that nobody knows.
 * A value that is null counts as absent, as Python's {@code None} does.
 */
final class RequestJsonReader {
  private final Map<String, Object> left;
  private final Set<String> asked = new LinkedHashSet<>();

  RequestJsonReader(Map<String, Object> values) {
    left = new LinkedHashMap<>(values);
  }

  /** What makes a value of one that JSON has. */
  @FunctionalInterface
  interface Conversion<T> {
    T of(String key, Object value);
  }

  /** Refuses what nobody has asked for. */
  void end() {
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] no argument is called %s: use the names of diffusers' arguments."
              .formatted(String.join(", ", left.keySet())));
    }
  }

  /** The keys that somebody has asked for, whether they are there or not. */
  Set<String> asked() {
    return asked;
  }

  <T> Optional<T> value(String key, Conversion<T> conversion) {
    asked.add(key);
    return Optional.ofNullable(left.remove(key)).map(value -> conversion.of(key, value));
  }

  Optional<String> text(String key) {
    return value(key, RequestJsonReader::text);
  }

  Optional<Boolean> flag(String key) {
    return value(
        key,
        (_, value) -> {
          if (value instanceof Boolean flag) {
            return flag;
          }
          throw fault(key, value, "true or false");
        });
  }

  OptionalInt integer(String key) {
    return value(key, RequestJsonReader::integer).map(OptionalInt::of).orElse(OptionalInt.empty());
  }

  OptionalDouble number(String key) {
    return value(key, RequestJsonReader::number)
        .map(OptionalDouble::of)
        .orElse(OptionalDouble.empty());
  }

  /** Several values, or one by itself. */
  <T> Optional<List<T>> list(String key, Conversion<T> conversion) {
    return value(
        key,
        (_, value) -> {
          List<?> values = value instanceof List<?> list ? list : List.of(value);
          return values.stream().map(each -> conversion.of(key, present(key, each))).toList();
        });
  }

  Optional<float[]> floats(String key) {
    return list(key, RequestJsonReader::decimal)
        .map(
            numbers -> {
              float[] floats = new float[numbers.size()];
              for (int i = 0; i < floats.length; i++) {
                floats[i] = numbers.get(i).floatValue(); // of the digits: not through a double
              }
              return floats;
            });
  }

  Optional<int[]> pair(String key) {
    Optional<int[]> pair =
        list(key, RequestJsonReader::integer)
            .map(numbers -> numbers.stream().mapToInt(Integer::intValue).toArray());
    if (pair.isPresent() && pair.get().length != 2) {
      throw fault(key, Arrays.stream(pair.get()).boxed().toList(), "two whole numbers");
    }
    return pair;
  }

  /** An object of numbers; an empty one where there is none. */
  Map<String, Double> numbers(String key) {
    return value(
            key,
            (_, value) -> {
              if (!(value instanceof Map<?, ?> object)) {
                throw fault(key, value, "an object of numbers");
              }
              Map<String, Double> numbers = new LinkedHashMap<>();
              object.forEach(
                  (name, number) ->
                      numbers.put(String.valueOf(name), number(key, present(key, number))));
              return numbers;
            })
        .orElse(Map.of());
  }

  Optional<FloatArray> array(String key) {
    return value(key, RequestJson::arrayOf);
  }

  <T> Optional<T> one(String key, T[] choices, Function<T, String> name) {
    return text(key)
        .map(
            text ->
                Arrays.stream(choices)
                    .filter(choice -> name.apply(choice).equals(text))
                    .findFirst()
                    .orElseThrow(
                        () ->
                            fault(
                                key,
                                text,
                                Arrays.stream(choices)
                                    .map(name)
                                    .collect(Collectors.joining(" or ")))));
  }

  static String text(String key, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw fault(key, value, "text");
  }

  static long whole(String key, Object value) {
    if (value instanceof JsonNumber number && number.isInteger()) {
      try {
        return Long.parseLong(number.toString());
      } catch (NumberFormatException _) {
        // beyond 64 bits
      }
    }
    throw fault(key, value, "a whole number of 64 bits");
  }

  static int integer(String key, @Nullable Object value) {
    long whole = whole(key, present(key, value));
    if (whole != (int) whole) {
      throw fault(key, whole, "a whole number of 32 bits");
    }
    return (int) whole;
  }

  private static double number(String key, Object value) {
    return decimal(key, value).doubleValue();
  }

  private static JsonNumber decimal(String key, Object value) {
    if (value instanceof JsonNumber number) {
      return number;
    }
    throw fault(key, value, "a number");
  }

  static byte[] bytes(String key, String base64) {
    try {
      return Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "[request] %s is not Base64 (%s).".formatted(key, e.getMessage()), e);
    }
  }

  private static Object present(String key, @Nullable Object value) {
    if (value == null) {
      throw new IllegalArgumentException(
          "[request] %s has a null in it: leave it out.".formatted(key));
    }
    return value;
  }

  static IllegalArgumentException fault(String key, Object value, String needed) {
    return new IllegalArgumentException(
        "[request] %s is %s: use %s.".formatted(key, JsonWriter.abbreviated(value), needed));
  }
}
