package io.github.kolors4j.safetensors.json;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON as Python's {@code json.dumps} does, with the letters as they are ({@code
 * ensure_ascii=False}).
 *
 * <p>Values are a {@code Map} (in its order; keys by their {@code toString}), a {@code List}, a
 * {@code String}, a {@code Boolean}, a {@code Number}, or null. A {@code double} is written with
 * the fewest digits that give it again, as {@code 0.0001} and {@code 1e-05}; where it is not
 * finite, with Python's words {@code Infinity}, {@code -Infinity} and {@code NaN}, which RFC 8259
 * does not know. Every other number is written by its {@code toString}.
 */
public final class JsonWriter {
  /** Longest value that {@link #abbreviated} writes, in characters. */
  private static final int ABBREVIATED_AT_MOST = 80;

  private static final String ELLIPSIS = "...";

  private final StringBuilder text = new StringBuilder();
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean indented;

  private JsonWriter(String itemSeparator, String keySeparator, boolean indented) {
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
    this.indented = indented;
  }

  /**
   * Writes a value without white space, as {@code {"a":[1,2]}}.
   *
   * @param value the value
   * @return one line
   * @throws IllegalArgumentException if JSON has no such value
   */
  public static String compact(@Nullable Object value) {
    return new JsonWriter(",", ":", false).write(value);
  }

  /**
   * Writes a value on one line, as {@code {"a": [1, 2]}}.
   *
   * @param value the value
   * @return one line
   * @throws IllegalArgumentException if JSON has no such value
   */
  public static String line(@Nullable Object value) {
    return new JsonWriter(", ", ": ", false).write(value);
  }

  /**
   * Writes a value with each item on a line of its own, two spaces further in than what it belongs
   * to.
   *
   * @param value the value
   * @return lines, without a newline at the end
   * @throws IllegalArgumentException if JSON has no such value
   */
  public static String indented(@Nullable Object value) {
    return new JsonWriter(",", ": ", true).write(value);
  }

  /**
   * Writes a value as messages show it: {@link #line}, cut short where it is long, and without
   * characters that steer a terminal.
   *
   * @param value the value
   * @return at most {@value #ABBREVIATED_AT_MOST} characters
   * @throws IllegalArgumentException if JSON has no such value
   */
  public static String abbreviated(@Nullable Object value) {
    String line = line(value).replaceAll("\\p{Cc}", "?");
    return line.length() <= ABBREVIATED_AT_MOST
        ? line
        : line.substring(0, ABBREVIATED_AT_MOST - ELLIPSIS.length()) + ELLIPSIS;
  }

  private String write(@Nullable Object value) {
    value(value, "\n");
    return text.toString();
  }

  /** Writes a value; {@code newline} also holds the indent of the line that it stands on. */
  private void value(@Nullable Object value, String newline) {
    switch (value) {
      case null -> text.append("null");
      case String string -> string(string);
      case Map<?, ?> map -> object(map, newline);
      case List<?> list -> array(list, newline);
      case Double number -> text.append(repr(number));
      case Float number -> text.append(repr(number));
      case Number _, Boolean _ -> text.append(value);
      default ->
          throw new IllegalArgumentException(
              "[json] a " + value.getClass().getName() + ": JSON has no such value.");
    }
  }

  private void object(Map<?, ?> map, String newline) {
    text.append('{');
    String separator = "";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      item(separator, newline);
      string(String.valueOf(entry.getKey()));
      text.append(keySeparator);
      value(entry.getValue(), newline + "  ");
      separator = itemSeparator;
    }
    close('}', map.isEmpty(), newline);
  }

  private void array(List<?> list, String newline) {
    text.append('[');
    String separator = "";
    for (Object item : list) {
      item(separator, newline);
      value(item, newline + "  ");
      separator = itemSeparator;
    }
    close(']', list.isEmpty(), newline);
  }

  private void item(String separator, String newline) {
    text.append(separator);
    if (indented) {
      text.append(newline).append("  ");
    }
  }

  private void close(char bracket, boolean empty, String newline) {
    if (indented && !empty) {
      text.append(newline);
    }
    text.append(bracket);
  }

  private void string(String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"', '\\' -> text.append('\\').append(c);
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          if (c < ' ') {
            text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }

  /**
   * Python's {@code repr} of a float: an exponent below 1e-4 and from 1e16 on. Java's digits are
   * the same since JDK 19, the fewest.
   */
  private static String repr(Number number) {
    String java = number.toString();
    double value = number.doubleValue();
    if (value == 0 || !Double.isFinite(value)) {
      return java;
    }
    BigDecimal decimal = new BigDecimal(java).stripTrailingZeros();
    int exponent = decimal.precision() - decimal.scale() - 1;
    if (exponent < -4 || exponent >= 16) {
      String mantissa = decimal.scaleByPowerOfTen(-exponent).toPlainString();
      return String.format(
          Locale.ROOT, "%se%s%02d", mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
    return decimal.scale() > 0 ? decimal.toPlainString() : decimal.toPlainString() + ".0";
  }
}
