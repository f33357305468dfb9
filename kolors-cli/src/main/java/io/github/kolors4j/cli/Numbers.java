package io.github.kolors4j.cli;

import io.github.kolors4j.request.MicroConditioning.Crop;
import io.github.kolors4j.request.MicroConditioning.Size;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of the command line, without what Java would also take for one. */
final class Numbers {
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");
  private static final Pattern WHOLE = Pattern.compile("[0-9]+");

  private Numbers() {}

  /** A decimal number that a float can hold too: no NaN, no infinity, no {@code 1f}. */
  static final class Decimal implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      double value = decimal(text, DECIMAL);
      if (!Double.isFinite(value)) {
        throw new TypeConversionException("'" + text + "' is not a finite number");
      }
      return value;
    }
  }

  /** NaN where the text has not the form, or its number is beyond a float. */
  private static double decimal(String text, Pattern form) {
    double value = form.matcher(text).matches() ? Double.parseDouble(text) : Double.NaN;
    return Float.isFinite((float) value) ? value : Double.NaN;
  }

  /** A size as {@code 1024x768}, width first. */
  static final class PixelSize implements ITypeConverter<Size> {
    private static final Pattern FORM = Pattern.compile("([0-9]+)[xX]([0-9]+)");

    @Override
    public Size convert(String text) {
      try {
        Matcher form = FORM.matcher(text);
        if (form.matches()) {
          return new Size(Integer.parseInt(form.group(2)), Integer.parseInt(form.group(1)));
        }
      } catch (IllegalArgumentException _) {
        // 0, or more than 2^31 - 1
      }
      throw new TypeConversionException(
          "'" + text + "' is not a size: write WIDTHxHEIGHT in pixels, as 1024x768");
    }
  }

  /** A corner as {@code 0,16}, the top first. */
  static final class TopLeft implements ITypeConverter<Crop> {
    private static final Pattern FORM = Pattern.compile("([+-]?[0-9]+) *, *([+-]?[0-9]+)");

    @Override
    public Crop convert(String text) {
      try {
        Matcher form = FORM.matcher(text);
        if (form.matches()) {
          return new Crop(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
        }
      } catch (NumberFormatException _) {
        // beyond 32 bits
      }
      throw new TypeConversionException(
          "'" + text + "' is not a corner: write TOP,LEFT in pixels, as 0,16");
    }
  }

  /** Whole numbers as {@code 999,500,1}, 0 or more. */
  static double[] wholes(String option, String text) {
    return list(option, text, WHOLE, "a whole number, 0 or more; write 999,500,1");
  }

  /** Decimal numbers as {@code 14.6,2,0.5,0}. */
  static double[] decimals(String option, String text) {
    return list(option, text, DECIMAL, "a finite number; write 14.6,2,0.5,0");
  }

  private static double[] list(String option, String text, Pattern form, String rule) {
    String[] parts = text.split(",", -1);
    double[] values = new double[parts.length];
    for (int i = 0; i < parts.length; i++) {
      String part = parts[i].strip();
      values[i] = decimal(part, form);
      if (Double.isNaN(values[i])) {
        throw new UsageException(
            "[arguments] %s %s: \"%s\" is not %s.".formatted(option, text, part, rule));
      }
    }
    return values;
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
      return seed(part);
    } catch (NumberFormatException _) {
      throw new UsageException(
          ("[arguments] --seed %s: \"%s\" is not a whole number of 64 bits, 0 to 2^64-1; write 7 or"
                  + " 1,2,3.")
              .formatted(text, part));
    }
  }

  /** As in PyTorch: 0 to 2⁶⁴−1, and the negative ones down to −2⁶³ for those counted from 2⁶⁴. */
  private static long seed(String text) {
    return text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
  }

  /** A seed as a number from 0 to 2⁶⁴−1. */
  static BigInteger unsigned(long seed) {
    return new BigInteger(Long.toUnsignedString(seed));
  }

  /** One seed. */
  static final class Seed implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return seed(text);
      } catch (NumberFormatException _) {
        throw new TypeConversionException(
            "'" + text + "' is not a whole number of 64 bits, 0 to 2^64-1");
      }
    }
  }
}
