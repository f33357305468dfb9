package io.github.kolors4j.scheduler;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.math.BigInteger;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An option of schedulers: reading, checking, saving and documentation follow from it. A class of
 * schedulers lists its own, each with its default, in the order of diffusers' {@code __init__}.
 *
 * <p>A raw value is one of JSON, as {@link SchedulerConfig#get} gives it; a typed one is what the
 * code of a scheduler works with.
 *
 * @param <T> the type of the typed value
 * @param key in {@code scheduler_config.json}
 * @param meaning what it says, in words
 * @param values which it takes, in words
 * @param reader makes a typed value of a raw one; empty where it is none
 * @param renamed names that other schedulers have for it, and the names that take their places
 */
record Option<T>(
    String key,
    String meaning,
    String values,
    Function<@Nullable Object, Optional<T>> reader,
    Map<Object, Object> renamed) {

  private static <T> Option<T> of(
      String key, String meaning, String values, Function<@Nullable Object, Optional<T>> reader) {
    return new Option<>(key, meaning, values, reader, Collections.emptyMap());
  }

  private static <T> Optional<T> as(Class<T> type, @Nullable Object raw) {
    return type.isInstance(raw) ? Optional.of(type.cast(raw)) : Optional.empty();
  }

  /** A yes or no; null is a no. */
  static Option<Boolean> flag(String key, String meaning) {
    Option<Boolean> given = of(key, meaning, "true or false", raw -> as(Boolean.class, raw));
    return given.alias(null, false);
  }

  /** A whole number that fits an {@code int}. */
  static Option<Integer> integer(String key, String meaning) {
    return of(
        key,
        meaning,
        "a whole number",
        raw ->
            as(Number.class, raw)
                .filter(number -> number.doubleValue() == number.intValue())
                .map(Number::intValue));
  }

  /** A seed of 64 bits, which are unsigned. */
  static Option<Long> seed(String key, String meaning) {
    return of(
        key,
        meaning,
        "a whole number from 0 to 2^64-1",
        raw ->
            as(BigInteger.class, raw)
                .or(() -> as(Long.class, raw).map(BigInteger::valueOf))
                .filter(seed -> seed.signum() >= 0 && seed.bitLength() <= Long.SIZE)
                .map(BigInteger::longValue));
  }

  /** A number, which may be infinite. */
  static Option<Double> number(String key, String meaning) {
    return of(key, meaning, "a number", raw -> as(Number.class, raw).map(Number::doubleValue));
  }

  /** A list of numbers. */
  static Option<List<Double>> numbers(String key, String meaning) {
    return of(
        key,
        meaning,
        "a list of numbers",
        raw ->
            raw instanceof List<?> list && list.stream().allMatch(Number.class::isInstance)
                ? Optional.of(list.stream().map(each -> ((Number) each).doubleValue()).toList())
                : Optional.empty());
  }

  /** A text. */
  static Option<String> text(String key, String meaning) {
    return of(key, meaning, "a text", raw -> as(String.class, raw));
  }

  /** One of an enum's constants, by their {@linkplain #name names}. */
  static <E extends Enum<E>> Option<E> choice(String key, String meaning, Class<E> type) {
    Map<Object, E> byName = new HashMap<>();
    for (E constant : type.getEnumConstants()) {
      byName.put(name(constant), constant);
    }
    return of(
        key, meaning, oneOf(EnumSet.allOf(type)), raw -> Optional.ofNullable(byName.get(raw)));
  }

  /** What can only be left as it is; the rule says why. */
  static Option<Boolean> fixed(String key, String meaning, @Nullable Object value, String rule) {
    return of(
        key,
        meaning,
        JsonWriter.line(value) + " alone",
        raw -> {
          boolean same =
              (raw instanceof Number number && value instanceof Number fixed)
                  ? number.doubleValue() == fixed.doubleValue()
                  : Objects.equals(value, raw);
          if (!same) {
            throw new OptionException(key, raw, rule);
          }
          return Optional.of(true);
        });
  }

  private Option<T> taking(String values, Function<@Nullable Object, Optional<T>> reader) {
    return new Option<>(key, meaning, values, reader, renamed);
  }

  /** This option where not all values of its type will do. */
  Option<T> where(String narrower, Predicate<T> rule) {
    return taking(narrower, raw -> Optional.of(read(raw)).filter(rule));
  }

  /** This option where only some of its constants will do. */
  @SafeVarargs
  final Option<T> only(T... constants) {
    Set<T> allowed = new LinkedHashSet<>();
    for (T constant : constants) {
      allowed.add(constant);
    }
    return taking(oneOf(allowed), raw -> reader.apply(raw).filter(allowed::contains));
  }

  /** This option where one of its values gives no picture. */
  Option<T> refusing(Object value, String rule) {
    return taking(
        values,
        raw -> {
          if (value.equals(raw)) {
            throw new OptionException(key, raw, rule);
          }
          return reader.apply(raw);
        });
  }

  /** This option where another raw value stands for a typed one too. */
  Option<T> alias(@Nullable Object alias, T value) {
    return taking(
        values, raw -> Objects.equals(alias, raw) ? Optional.of(value) : reader.apply(raw));
  }

  /** This option where it need not be there. */
  @SuppressWarnings(
      "OptionalMapToOptional") // outer: whether it is allowed; inner: whether it is there
  Option<Optional<T>> optional() {
    return new Option<>(
        key,
        meaning,
        values,
        raw -> raw == null ? Optional.of(Optional.empty()) : reader.apply(raw).map(Optional::of),
        renamed);
  }

  /** This option where names that other schedulers have for it become the nearest of its own. */
  Option<T> renaming(T constant, String... names) {
    Option<T> known = this;
    Map<Object, Object> all = new HashMap<>(renamed);
    for (String name : names) {
      known = known.alias(name, constant);
      all.put(name, name(constant));
    }
    return new Option<>(key, meaning, values, known.reader, all);
  }

  /**
   * The typed value of a raw one.
   *
   * @throws OptionException if the option does not take it
   */
  T read(@Nullable Object raw) {
    return reader
        .apply(raw)
        .orElseThrow(() -> new OptionException(key, raw, "use " + values + "."));
  }

  /** The name of a constant in {@code scheduler_config.json}. */
  static String name(Object constant) {
    return constant.toString().toLowerCase(Locale.ROOT);
  }

  private static String oneOf(Set<?> constants) {
    return constants.stream().map(Option::name).collect(Collectors.joining(", ", "one of ", ""));
  }
}
