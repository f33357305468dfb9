package io.github.kolors4j.safetensors;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One JSON document, read token by token and by the letter of RFC 8259: a file that two readers
 * could understand differently is refused. Every fault is a {@link SafetensorsException} that names
 * the file and the place.
 */
final class StrictJson {

  /** Deeper than any header (3) or index; a document cannot make the parser grow without bound. */
  private static final int NESTING_LIMIT = 16;

  private static final String HALF_PAIR = "has half a surrogate pair in a string at ";

  private static final Pattern PLACE = Pattern.compile("line \\d+ column \\d+");

  /** Reads a value, or what follows a key. */
  @FunctionalInterface
  interface Body<T> {
    void read(T from) throws IOException;
  }

  private final Path file;
  private final String document;
  private final JsonReader reader;

  private StrictJson(Path file, String document, JsonReader reader) {
    this.file = file;
    this.document = document;
    this.reader = reader;
  }

  /**
   * Reads a whole document.
   *
   * @param file to be named in errors
   * @param document what it is, to be named in errors
   * @param utf8 the document
   * @param body reads the one value of the document
   */
  static void parse(Path file, String document, byte[] utf8, Body<StrictJson> body)
      throws IOException {
    var decoder = StandardCharsets.UTF_8.newDecoder(); // which reports what is malformed
    var reader = new JsonReader(new InputStreamReader(new ByteArrayInputStream(utf8), decoder));
    reader.setStrictness(Strictness.STRICT);
    reader.setNestingLimit(NESTING_LIMIT);
    var json = new StrictJson(file, document, reader);
    try {
      body.read(json);
      json.expect(JsonToken.END_DOCUMENT);
    } catch (CharacterCodingException e) {
      throw json.fault("is not valid UTF-8.");
    } catch (EOFException e) {
      throw json.fault("ends in the middle, at " + json.place(e) + ".");
    } catch (MalformedJsonException e) {
      boolean half = String.valueOf(e.getMessage()).contains("surrogate");
      throw json.fault((half ? HALF_PAIR : "is not valid JSON at ") + json.place(e) + ".");
    }
  }

  /** Reads an object, calling {@code member} with each key to read its value. */
  void object(Body<String> member) throws IOException {
    expect(JsonToken.BEGIN_OBJECT);
    reader.beginObject();
    Set<String> keys = new HashSet<>();
    while (reader.hasNext()) {
      String key = wellFormed(reader.nextName());
      if (!keys.add(key)) {
        throw fault("has the key " + SafetensorsException.quote(key) + " twice.");
      }
      member.read(key);
    }
    reader.endObject();
  }

  /** Reads an array, calling {@code element} to read each value. */
  void array(Body<StrictJson> element) throws IOException {
    expect(JsonToken.BEGIN_ARRAY);
    reader.beginArray();
    while (reader.hasNext()) {
      element.read(this);
    }
    reader.endArray();
  }

  String string() throws IOException {
    expect(JsonToken.STRING);
    return wellFormed(reader.nextString());
  }

  /** An integer from 0 to 2⁶³−1, written as one. */
  long natural() throws IOException {
    expect(JsonToken.NUMBER);
    String where = where();
    String digits = reader.nextString();
    try {
      if (digits.chars().allMatch(c -> '0' <= c && c <= '9')) {
        return Long.parseLong(digits);
      }
    } catch (NumberFormatException e) {
      // Past 2⁶³−1.
    }
    throw fault(
        "has %s at %s: only whole numbers from 0 to 2^63-1 are allowed."
            .formatted(digits.length() > 40 ? digits.substring(0, 40) + "…" : digits, where));
  }

  /** Passes over one value of any kind. */
  void skip() throws IOException {
    reader.skipValue();
  }

  SafetensorsException fault(String what) {
    return SafetensorsException.of(file, document + " " + what);
  }

  private void expect(JsonToken wanted) throws IOException {
    JsonToken found = reader.peek();
    if (found != wanted) {
      throw fault(
          "has %s at %s where %s belongs.".formatted(described(found), where(), described(wanted)));
    }
  }

  /**
   * UTF-16 can escape half a character, which no UTF-8 can hold: two such names might collide. Gson
   * refuses it too, from 2.15 on; an application may bring an older one.
   */
  private String wellFormed(String text) throws SafetensorsException {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isSurrogatePair(
            text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : 0)) {
          throw fault(HALF_PAIR + where() + ".");
        }
        i++;
      }
    }
    return text;
  }

  private String where() {
    String path = reader.getPath();
    return SafetensorsException.quote(path);
  }

  /** The parser tells lines and columns only within its messages. */
  private String place(IOException e) {
    Matcher place = PLACE.matcher(String.valueOf(e.getMessage()));
    return place.find() ? place.group() : where();
  }

  private static String described(JsonToken token) {
    return switch (token) {
      case BEGIN_ARRAY -> "an array";
      case BEGIN_OBJECT -> "an object";
      case STRING -> "a string";
      case NUMBER -> "a number";
      case BOOLEAN -> "a truth value";
      case NULL -> "null";
      case END_DOCUMENT -> "the end";
      case END_ARRAY, END_OBJECT, NAME -> "something else";
    };
  }
}
