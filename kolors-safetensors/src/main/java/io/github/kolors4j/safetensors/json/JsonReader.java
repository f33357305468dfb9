package io.github.kolors4j.safetensors.json;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads one JSON document by the letter of RFC 8259: what two readers could understand differently
 * is refused, as a key that comes twice or half a surrogate pair.
 *
 * <p>Either the whole document as plain values, or token by token, with methods that follow the
 * document's own structure:
 *
 * <pre>{@code
 * Map<String, String> metadata = new LinkedHashMap<>();
 * JsonReader.of(utf8).document(
 *     json -> json.object(key -> metadata.put(key, json.string())));
 * }</pre>
 *
 * <p>A document may be nested {@value #NESTING_LIMIT} levels deep. For one thread, and for one
 * reading.
 */
public final class JsonReader {
  /** Deeper than any file of a checkpoint; a document cannot make the stack grow without bound. */
  private static final int NESTING_LIMIT = 64;

  /** Longest piece of the document that a message repeats, in characters. */
  private static final int QUOTED_AT_MOST = 200;

  private static final int END = -1;

  /** Reads the value that comes next. */
  @FunctionalInterface
  public interface Body {
    /**
     * Reads it.
     *
     * @param json stands before the value
     * @throws IOException if it is not what it should be
     */
    void read(JsonReader json) throws IOException;
  }

  /** Reads the value that follows a key. */
  @FunctionalInterface
  public interface Member {
    /**
     * Reads it.
     *
     * @param key the key
     * @throws IOException if the value is not what it should be
     */
    void read(String key) throws IOException;
  }

  private final byte[] utf8;
  private int position;
  private boolean infinity;

  /** The way to what is read: at each level a key, or null and an index. */
  private final String[] keys = new String[NESTING_LIMIT];

  private final int[] indices = new int[NESTING_LIMIT];
  private int depth;

  private JsonReader(byte[] utf8) {
    this.utf8 = utf8;
  }

  /**
   * A reader of bytes.
   *
   * @param utf8 the document; not copied
   * @return stands at its beginning
   */
  public static JsonReader of(byte[] utf8) {
    return new JsonReader(utf8);
  }

  /**
   * A reader of a text.
   *
   * @param text the document
   * @return stands at its beginning
   * @throws JsonException if the text is not valid Unicode
   */
  public static JsonReader of(String text) throws JsonException {
    try {
      ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      byte[] utf8 = new byte[encoded.remaining()];
      encoded.get(utf8);
      return new JsonReader(utf8);
    } catch (CharacterCodingException e) {
      throw new JsonException("has half a surrogate pair.");
    }
  }

  /**
   * Lets {@code Infinity} and {@code -Infinity} stand for numbers, as Python's {@code json} module
   * writes and reads them.
   *
   * @return this reader
   */
  public JsonReader withInfinity() {
    infinity = true;
    return this;
  }

  /**
   * Reads the whole document.
   *
   * @return as {@link #value} gives it
   * @throws JsonException if it is not one valid value
   */
  public @Nullable Object document() throws JsonException {
    @Nullable Object value = value();
    end();
    return value;
  }

  /**
   * Reads the whole document.
   *
   * @param body reads its one value
   * @throws JsonException if the document is not valid, or not what {@code body} reads
   * @throws IOException if {@code body} throws it
   */
  public void document(Body body) throws IOException {
    body.read(this);
    end();
  }

  /**
   * Makes sure that nothing follows.
   *
   * @throws JsonException if there is more than white space
   */
  public void end() throws JsonException {
    if (peek() != END) {
      throw malformed("nothing may follow the value");
    }
  }

  /**
   * Reads an object with all that is in it.
   *
   * @return in the order of the document, with values as {@link #value} gives them; unmodifiable
   * @throws JsonException if what comes is no valid object, or has a key twice
   */
  public Map<String, Object> object() throws JsonException {
    Map<String, Object> map = new LinkedHashMap<>();
    Set<String> seen = new HashSet<>();
    for (boolean more = begin('{', '}', "an object"); more; more = another('}')) {
      map.put(key(seen), value());
    }
    return Collections.unmodifiableMap(map);
  }

  /**
   * Reads an object.
   *
   * @param member called with each key, to read its value
   * @throws JsonException if what comes is no valid object, or has a key twice
   * @throws IOException if {@code member} throws it
   */
  public void object(Member member) throws IOException {
    Set<String> seen = new HashSet<>();
    for (boolean more = begin('{', '}', "an object"); more; more = another('}')) {
      member.read(key(seen));
    }
  }

  /**
   * Reads an array.
   *
   * @param element called for each element, to read it
   * @throws JsonException if what comes is no valid array
   * @throws IOException if {@code element} throws it
   */
  public void array(Body element) throws IOException {
    for (boolean more = begin('[', ']', "an array"); more; more = another(']')) {
      element.read(this);
      indices[depth - 1]++;
    }
  }

  /** Passes over an opening bracket; whether something is inside. */
  private boolean begin(char opening, char closing, String kind) throws JsonException {
    expect(opening, kind);
    if (depth == NESTING_LIMIT) {
      throw new JsonException(
          "is nested deeper than " + NESTING_LIMIT + " levels, at " + place() + ".");
    }
    keys[depth] = null;
    indices[depth] = 0;
    depth++;
    position++;
    return peek() != closing || close();
  }

  /** Passes over a comma, after which another value comes, or over the closing bracket. */
  private boolean another(char closing) throws JsonException {
    int next = peek();
    if (next == ',') {
      position++;
      return true;
    }
    if (next != closing) {
      throw malformed("a ',' or '" + closing + "' belongs there");
    }
    return close();
  }

  private boolean close() {
    depth--;
    position++;
    return false;
  }

  /** A key and the colon after it. */
  private String key(Set<String> seen) throws JsonException {
    if (peek() != '"') {
      throw malformed("a key in double quotes belongs there");
    }
    String key = quoted();
    if (!seen.add(key)) {
      throw new JsonException("has the key " + ForeignText.quoted(key) + " twice.");
    }
    if (peek() != ':') {
      throw malformed("a ':' belongs after a key");
    }
    position++;
    keys[depth - 1] = key;
    return key;
  }

  /**
   * Passes over {@code null}, if it comes.
   *
   * @return whether it came; otherwise nothing is read
   * @throws JsonException if a word comes that begins like it
   */
  public boolean isNull() throws JsonException {
    if (peek() != 'n') {
      return false;
    }
    word("null", null);
    return true;
  }

  /**
   * Reads a string.
   *
   * @return its text, which is valid Unicode
   * @throws JsonException if what comes is no valid string
   */
  public String string() throws JsonException {
    expect('"', "a string");
    return quoted();
  }

  /**
   * Reads an integer from 0 to 2⁶³−1, written as one.
   *
   * @return the integer
   * @throws JsonException if what comes is no such number
   */
  public long natural() throws JsonException {
    expect('0', "a number");
    int begin = position;
    String digits = numeral();
    try {
      if (digits.chars().allMatch(c -> '0' <= c && c <= '9')) {
        return Long.parseLong(digits);
      }
    } catch (NumberFormatException e) {
      // past 2⁶³−1
    }
    position = begin;
    throw new JsonException(
        "has %s at %s: only whole numbers from 0 to 2^63-1 are allowed."
            .formatted(digits.length() > 40 ? digits.substring(0, 40) + "…" : digits, path()));
  }

  /**
   * Reads a value of any kind.
   *
   * @return a {@code Map} in the order of the document, a {@code List}, a {@code String}, a {@link
   *     JsonNumber}, a {@code Boolean}, or null; maps and lists are unmodifiable
   * @throws JsonException if what comes is no valid value
   */
  public @Nullable Object value() throws JsonException {
    int next = peek();
    return switch (next) {
      case '{' -> object();
      case '[' -> list();
      case '"' -> quoted();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", null);
      default -> {
        if (infinity && next == 'I') {
          yield word("Infinity", new JsonNumber("Infinity"));
        }
        if (infinity && next == '-' && byteAt(position + 1) == 'I') {
          yield word("-Infinity", new JsonNumber("-Infinity"));
        }
        if (!startsNumber(next)) {
          throw malformed("a value belongs there");
        }
        yield new JsonNumber(numeral());
      }
    };
  }

  private List<Object> list() throws JsonException {
    List<Object> list = new ArrayList<>();
    for (boolean more = begin('[', ']', "an array"); more; more = another(']')) {
      list.add(value());
      indices[depth - 1]++;
    }
    return Collections.unmodifiableList(list);
  }

  private @Nullable Object word(String word, @Nullable Object value) throws JsonException {
    for (int i = 0; i < word.length(); i++) {
      if (byteAt(position) != word.charAt(i)) {
        throw malformed("a value belongs there");
      }
      position++;
    }
    return value;
  }

  /** What comes after white space, without passing over it. */
  private int peek() {
    while (position < utf8.length) {
      byte next = utf8[position];
      if (next != ' ' && next != '\n' && next != '\r' && next != '\t') {
        break;
      }
      position++;
    }
    return byteAt(position);
  }

  /** A byte, 0 to 255, or {@link #END} after the last. */
  private int byteAt(int index) {
    return index < utf8.length ? utf8[index] & 0xFF : END;
  }

  private static boolean startsNumber(int next) {
    return next == '-' || isDigit(next);
  }

  private static boolean isDigit(int next) {
    return '0' <= next && next <= '9';
  }

  /** Refuses what comes if it is of another kind; '0' stands for all numbers. */
  private void expect(char first, String kind) throws JsonException {
    int next = peek();
    if (next == first || (first == '0' && startsNumber(next))) {
      return;
    }
    String found =
        switch (next) {
          case '{' -> "an object";
          case '[' -> "an array";
          case '"' -> "a string";
          case 't', 'f' -> "a truth value";
          case 'n' -> "null";
          default -> startsNumber(next) ? "a number" : null;
        };
    if (found == null) {
      throw malformed(kind + " belongs there");
    }
    throw new JsonException("has %s at %s where %s belongs.".formatted(found, path(), kind));
  }

  /** A number as it is written, by the grammar. */
  private String numeral() throws JsonException {
    int from = position;
    if (byteAt(position) == '-') {
      position++;
    }
    if (byteAt(position) == '0') {
      position++;
    } else {
      digits();
    }
    if (byteAt(position) == '.') {
      position++;
      digits();
    }
    if (byteAt(position) == 'e' || byteAt(position) == 'E') {
      position++;
      if (byteAt(position) == '+' || byteAt(position) == '-') {
        position++;
      }
      digits();
    }
    return ascii(from);
  }

  private void digits() throws JsonException {
    if (!isDigit(byteAt(position))) {
      throw malformed("a digit belongs there");
    }
    while (isDigit(byteAt(position))) {
      position++;
    }
  }

  private String ascii(int from) {
    return new String(utf8, from, position - from, StandardCharsets.ISO_8859_1);
  }

  /** A string whose opening quote comes: most are plain ASCII and are copied at once. */
  private String quoted() throws JsonException {
    int from = ++position;
    skipAscii();
    if (byteAt(position) == '"') {
      String text = ascii(from);
      position++;
      return text;
    }
    position = from;
    return wellFormed(unescaped());
  }

  /** Passes over characters of one byte that stand for themselves. */
  private void skipAscii() {
    while (position < utf8.length) {
      byte next = utf8[position];
      // longer characters are of negative bytes
      if (next < ' ' || next == '"' || next == '\\') {
        return;
      }
      position++;
    }
  }

  private String unescaped() throws JsonException {
    StringBuilder text = new StringBuilder();
    while (true) {
      int from = position;
      skipAscii();
      while (byteAt(position) >= 0x80) {
        position++;
        skipAscii();
      }
      text.append(decoded(from));
      switch (byteAt(position)) {
        case '"' -> {
          position++;
          return text.toString();
        }
        case '\\' -> text.append(escape());
        default -> throw malformed("a control character must be escaped");
      }
    }
  }

  private CharBuffer decoded(int from) throws JsonException {
    try {
      // which reports what is malformed
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(utf8, from, position - from));
    } catch (CharacterCodingException e) {
      throw new JsonException("is not valid UTF-8.");
    }
  }

  private char escape() throws JsonException {
    position++;
    int escaped = byteAt(position);
    char c =
        switch (escaped) {
          case '"', '\\', '/' -> (char) escaped;
          case 'b' -> '\b';
          case 'f' -> '\f';
          case 'n' -> '\n';
          case 'r' -> '\r';
          case 't' -> '\t';
          case 'u' -> hexadecimal();
          default -> throw malformed("there is no such escape");
        };
    position++;
    return c;
  }

  private char hexadecimal() throws JsonException {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      position++;
      int digit = Character.digit(Math.max(byteAt(position), 0), 16);
      if (digit < 0) {
        throw malformed("four hexadecimal digits belong after \\u");
      }
      value = 16 * value + digit;
    }
    return (char) value;
  }

  /** UTF-16 can escape half a character, which no UTF-8 can hold: two such names might collide. */
  private String wellFormed(String text) throws JsonException {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isSurrogatePair(
            text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : 0)) {
          throw new JsonException("has half a surrogate pair in a string at " + path() + ".");
        }
        i++;
      }
    }
    return text;
  }

  /** The fault of what comes, or that nothing comes. */
  private JsonException malformed(String rule) {
    boolean incomplete = position >= utf8.length;
    return new JsonException(
        incomplete
            ? "ends in the middle, at " + place() + "."
            : "is not valid JSON at " + place() + ": " + rule + ".",
        incomplete);
  }

  /** Line and column of what comes, counted from 1 in characters. */
  private String place() {
    int line = 1;
    int column = 1;
    for (int i = 0; i < position; i++) {
      if (utf8[i] == '\n') {
        line++;
        column = 1;
      } else if ((utf8[i] & 0xC0) != 0x80) {
        column++;
      }
    }
    return "line " + line + " column " + column;
  }

  /** The way to what comes, as {@code "$.weight_map.a"}. */
  private String path() {
    StringBuilder path = new StringBuilder("$");
    for (int level = 0; level < depth && path.length() <= QUOTED_AT_MOST; level++) {
      if (keys[level] == null) {
        path.append('[').append(indices[level]).append(']');
      } else {
        path.append('.').append(keys[level]);
      }
    }
    return ForeignText.quoted(path.toString());
  }
}
