package io.github.kolors4j.safetensors.json;

import java.io.Serial;

/**
 * A number as it is written, so that nothing is rounded or made large before somebody asks. Two are
 * equal if they are written alike.
 */
public final class JsonNumber extends Number {
  @Serial private static final long serialVersionUID = 1;

  /** As in the document. */
  private final String text;

  JsonNumber(String text) {
    this.text = text;
  }

  /**
   * Whether it is written as an integer: digits, perhaps after a minus, without a fraction or an
   * exponent.
   *
   * @return false also for {@code 1.0} and {@code 1e3}
   */
  public boolean isInteger() {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && c != '-') {
        return false;
      }
    }
    return true;
  }

  /** The nearest {@code double}; infinite where none comes near. */
  @Override
  public double doubleValue() {
    return Double.parseDouble(text);
  }

  /** The nearest {@code float}; infinite where none comes near. */
  @Override
  public float floatValue() {
    return Float.parseFloat(text);
  }

  /**
   * The value as a {@code long}, without its fraction.
   *
   * @return the least or the greatest {@code long} where the value is beyond it
   */
  @Override
  public long longValue() {
    if (!isInteger()) {
      return (long) doubleValue();
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException beyond) {
      return text.startsWith("-") ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }

  /**
   * The value as an {@code int}, without its fraction.
   *
   * @return the least or the greatest {@code int} where the value is beyond it
   */
  @Override
  public int intValue() {
    return Math.clamp(longValue(), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JsonNumber number && text.equals(number.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  /** As it is written. */
  @Override
  public String toString() {
    return text;
  }
}
