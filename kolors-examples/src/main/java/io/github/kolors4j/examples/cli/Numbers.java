package io.github.kolors4j.examples.cli;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of the command line, without what Java would also take for one. */
final class Numbers {
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");

  private Numbers() {}

  /** A decimal number that a float can hold: no NaN, no infinity, no {@code 1f}. */
  static final class Decimal implements ITypeConverter<Float> {
    @Override
    public Float convert(String text) {
      float value = DECIMAL.matcher(text).matches() ? Float.parseFloat(text) : Float.NaN;
      if (!Float.isFinite(value)) {
        throw new TypeConversionException("'" + text + "' is not a finite number");
      }
      return value;
    }
  }

  /** {@code 7} or {@code 1,2,3}; none for null. */
  static List<Long> seeds(String text) {
    if (text == null) {
      return List.of();
    }
    return Arrays.stream(text.split(",", -1)).map(part -> seed(part.strip(), text)).toList();
  }

  private static long seed(String part, String text) {
    try {
      return Long.parseLong(part);
    } catch (NumberFormatException _) {
      throw new UsageException(
          "[arguments] --seed %s: \"%s\" is not a whole number of 64 bits; write 7 or 1,2,3."
              .formatted(text, part));
    }
  }
}
