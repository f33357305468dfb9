package io.github.kolors4j.safetensors.json;

import java.util.regex.Pattern;

/**
 * Text out of a file, or from whoever else, made fit for a message: it may be of any length and
 * have lines of its own. In this package, since what reads files and knows of nothing else is here.
 */
public final class ForeignText {
  /** Longest text that a message repeats as a rule, in characters. */
  private static final int AT_MOST = 200;

  private static final Pattern NOT_OF_A_LINE = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]");

  private ForeignText() {}

  /**
   * A text on one line and not too long.
   *
   * @param text any
   * @return at most 200 characters of it, and "…" where there are more; a question mark for each
   *     control character
   */
  public static String oneLine(String text) {
    return oneLine(text, AT_MOST);
  }

  /**
   * A text on one line.
   *
   * @param text any
   * @param most how many characters of it
   * @return these, and "…" where there are more; a question mark for each control character
   */
  public static String oneLine(String text, int most) {
    String begin = text;
    if (text.length() > most) {
      int end = Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most;
      begin = text.substring(0, end) + "…";
    }
    return NOT_OF_A_LINE.matcher(begin).replaceAll("?");
  }

  /**
   * As {@link #oneLine(String)}, in double quotes.
   *
   * @param text any
   * @return in quotes
   */
  public static String quoted(String text) {
    return quoted(text, AT_MOST);
  }

  /**
   * As {@link #oneLine(String, int)}, in double quotes.
   *
   * @param text any
   * @param most how many characters of it
   * @return in quotes
   */
  public static String quoted(String text, int most) {
    return "\"" + oneLine(text, most) + "\"";
  }
}
