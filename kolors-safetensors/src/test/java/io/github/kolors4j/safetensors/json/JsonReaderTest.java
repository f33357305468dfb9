package io.github.kolors4j.safetensors.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {
  private static Object read(String text) throws JsonException {
    return JsonReader.of(text).document();
  }

  private static void assertFails(String reason, String text) {
    JsonException e = assertThrows(JsonException.class, () -> read(text), text);
    assertEquals(reason, e.reason());
    assertEquals("[json] the text " + reason, e.getMessage());
  }

  // ---- values

  @Test
  void eachKindOfValueIsAPlainOne() throws JsonException {
    Map<String, Object> expected = new LinkedHashMap<>();
    expected.put("text", "a\"b\\c/d\b\f\n\r\té中😀");
    expected.put("list", Arrays.asList(true, false, null, List.of(), Map.of()));
    expected.put("number", new JsonNumber("-12.50e+3"));
    expected.put("", "");
    Object read =
        read(
            """
             {"text": "a\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u00e9中\\uD83D\\ude00",
            \t"list":[true ,false,null,[],{}], "number" : -12.50e+3,"":""}\r
            """);
    assertEquals(expected, read);
    assertEquals(List.copyOf(expected.keySet()), List.copyOf(((Map<?, ?>) read).keySet()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0", "-0", "1e999999999", "2147483648", "0.10", "1E-5", "0e0", "-1.0e+00"})
  void numbersAreKeptAsWritten(String number) throws JsonException {
    assertEquals(number, read(number).toString());
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          7, true, 7, 7, 7.0
          -0, true, 0, 0, -0.0
          2.9, false, 2, 2, 2.9
          -1e-5, false, 0, 0, -1e-5
          1e3, false, 1000, 1000, 1000.0
          2147483648, true, 2147483648, 2147483647, 2147483648.0
          -9223372036854775809, true, -9223372036854775808, -2147483648, -9223372036854775808.0
          99999999999999999999, true, 9223372036854775807, 2147483647, 1e20
          1e999999999, false, 9223372036854775807, 2147483647, Infinity
          """)
  void aNumberBeyondATypeIsItsEnd(String text, boolean integer, long l, int i, double d)
      throws JsonException {
    JsonNumber number = (JsonNumber) read(text);
    assertEquals(integer, number.isInteger());
    assertEquals(l, number.longValue());
    assertEquals(i, number.intValue());
    assertEquals(d, number.doubleValue());
    assertEquals((float) d, number.floatValue());
  }

  @Test
  void infinityIsReadOnlyWhereItIsAllowed() throws JsonException {
    Object read = JsonReader.of("[Infinity, -Infinity, -1]").withInfinity().document();
    List<?> numbers = (List<?>) read;
    assertEquals(Double.POSITIVE_INFINITY, ((JsonNumber) numbers.get(0)).doubleValue());
    assertEquals(Double.NEGATIVE_INFINITY, ((JsonNumber) numbers.get(1)).doubleValue());
    assertFalse(((JsonNumber) numbers.get(1)).isInteger());
    assertFails("is not valid JSON at line 1 column 2: a value belongs there.", "[Infinity]");
    assertFails("is not valid JSON at line 1 column 2: a digit belongs there.", "-Infinity");
    for (String other : List.of("NaN", "Inf", "-Inf", "+Infinity", "infinity", "-Infinityx")) {
      assertThrows(JsonException.class, () -> JsonReader.of(other).withInfinity().document());
    }
  }

  @Test
  void valuesCannotBeChanged() throws JsonException {
    assertThrows(
        UnsupportedOperationException.class, () -> ((Map<?, ?>) read("{\"a\": 1}")).remove("a"));
    assertThrows(UnsupportedOperationException.class, () -> ((List<?>) read("[1]")).remove(0));
  }

  // ---- token by token

  @Test
  void aDocumentIsReadTokenByToken() throws IOException {
    List<Object> read = new ArrayList<>();
    JsonReader.of("{\"a\": [1, 9223372036854775807], \"b\": {\"c\": \"d\"}, \"e\": [[]]}")
        .document(
            json ->
                json.object(
                    key -> {
                      read.add(key);
                      switch (key) {
                        case "a" -> json.array(number -> read.add(number.natural()));
                        case "b" -> json.object(inner -> read.add(inner + json.string()));
                        default -> read.add(json.value());
                      }
                    }));
    assertEquals(List.of("a", 1L, Long.MAX_VALUE, "b", "cd", "e", List.of(List.of())), read);
  }

  @Test
  void whatIsNotOfTheKindThatBelongsThereIsNamedWithItsPath() {
    assertMisplaced("has an array at \"$\" where an object belongs.", "[]");
    assertMisplaced("has null at \"$.a\" where an array belongs.", "{\"a\": null}");
    assertMisplaced("has a string at \"$.a[2]\" where a number belongs.", "{\"a\": [1,2,\"3\"]}");
    assertMisplaced("has a number at \"$.b\" where a string belongs.", "{\"a\": [], \"b\": -1}");
    assertMisplaced("has a truth value at \"$.b\" where a string belongs.", "{\"b\": true}");
    assertMisplaced(
        "has 1.0 at \"$.a[0]\": only whole numbers from 0 to 2^63-1 are allowed.",
        "{\"a\": [1.0]}");
    assertMisplaced("is not valid JSON at line 1 column 7: a string belongs there.", "{\"b\": x}");
  }

  private static void assertMisplaced(String reason, String text) {
    JsonException e =
        assertThrows(
            JsonException.class,
            () ->
                JsonReader.of(text)
                    .document(
                        json ->
                            json.object(
                                key -> {
                                  if (key.equals("a")) {
                                    json.array(JsonReader::natural);
                                  } else {
                                    json.string();
                                  }
                                })));
    assertEquals(reason, e.reason());
  }

  // ---- what is refused

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}{}",
        "{} x",
        "[1] ,",
        "1 2",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\"=1}",
        "{,}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\"}",
        "{1:1}",
        "{]",
        "[}",
        "[1,]",
        "[,1]",
        "[1;2]",
        "[1 2]",
        "//\n1",
        "/**/1",
        "#\n1",
        "TRUE",
        "True",
        "nulL",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "-01",
        "+1",
        ".5",
        "1.e5",
        "--1",
        "0x10",
        "1_000",
        "\"\\x\"",
        "\"\\'\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\u0001\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "'a'",
        "\ufeff1",
        "\u00a01",
        ";"
      })
  void whatIsNotByTheGrammarIsRefused(String text) {
    JsonException e = assertThrows(JsonException.class, () -> read(text), text);
    assertTrue(e.reason().startsWith("is not valid JSON at line "), e.reason());
    assertFalse(e.incomplete());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "[",
        "[1",
        "\"",
        "\"\\",
        "\"\\u00",
        "t",
        "-",
        "1.",
        "1e+",
        "nul",
        "1e"
      })
  void whatEndsTooEarlyIsToldApart(String text) {
    JsonException e = assertThrows(JsonException.class, () -> read(text), text);
    String place = "line 1 column " + (text.length() + 1);
    assertEquals("ends in the middle, at " + place + ".", e.reason());
    assertTrue(e.incomplete());
  }

  @Test
  void aFaultIsNamedWithLineColumnAndRule() {
    assertFails("is not valid JSON at line 2 column 5: a ':' belongs after a key.", "{\n\"a\" 1}");
    assertFails("is not valid JSON at line 1 column 4: nothing may follow the value.", "{} {}");
    assertFails("is not valid JSON at line 1 column 4: a ',' or ']' belongs there.", "[1 2]");
    // columns are characters and not bytes
    assertFails("is not valid JSON at line 1 column 7: a value belongs there.", "[\"中文\",;]");
  }

  @Test
  void aKeyThatComesTwiceIsRefusedAlsoWhenItIsEscaped() {
    assertFails("has the key \"a\" twice.", "{\"a\": 1, \"\\u0061\": 2}");
    assertFails("has the key \"b\" twice.", "[{\"a\": {\"b\": 1, \"c\": 2, \"b\": 1}}]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\\ud83d", "\\ude00", "\\ud83dx", "\\ude00\\ud83d", "\\ud83d\\ud83d\\ude00"})
  void halfASurrogatePairIsRefused(String half) {
    assertFails(
        "has half a surrogate pair in a string at \"$.k[1]\".", "{\"k\": [0, \"" + half + "\"]}");
  }

  @Test
  void aTextWithHalfASurrogatePairIsRefused() {
    assertThrows(JsonException.class, () -> JsonReader.of("\"\ud83d\""));
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() {
    for (int first : new int[] {0x80, 0xC0, 0xE4, 0xED, 0xF5, 0xFF}) {
      byte[] utf8 = {'"', (byte) first, (byte) 0xA0, '"'};
      JsonException e = assertThrows(JsonException.class, () -> JsonReader.of(utf8).document());
      assertEquals("is not valid UTF-8.", e.reason());
      byte[] bare = {(byte) first};
      assertThrows(JsonException.class, () -> JsonReader.of(bare).document());
    }
  }

  @Test
  void nestingHasALimit() throws JsonException {
    read("[".repeat(64) + "]".repeat(64));
    assertFails(
        "is nested deeper than 64 levels, at line 1 column 65.", "[".repeat(65) + "]".repeat(65));
    String deep = "{\"a\":".repeat(1_000_000);
    assertFails("is nested deeper than 64 levels, at line 1 column 321.", deep);
  }

  @Test
  void messagesRepeatNoLongTexts() {
    String name = "\\n".repeat(100_000);
    String text = "{\"" + name + "\": 1, \"" + name + "\": 2}";
    JsonException e = assertThrows(JsonException.class, () -> read(text));
    assertEquals("has the key \"" + "?".repeat(200) + "…\" twice.", e.reason());
    JsonException half =
        assertThrows(JsonException.class, () -> read("{\"" + name + "\": \"\\ud800\"}"));
    assertTrue(half.reason().length() < 300, half.reason());
  }

  // ---- against another reader

  /** Every document of up to five tokens is read, or refused, as gson's strict reader does. */
  @Test
  void shortDocumentsAreReadAsAnotherStrictReaderDoes() throws JsonException {
    String[] tokens = {"{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "null", " "};
    int accepted = 0;
    for (int code = 0; code < Math.pow(tokens.length, 5); code++) {
      StringBuilder text = new StringBuilder();
      for (int rest = code; rest > 0; rest /= tokens.length) {
        text.append(tokens[rest % tokens.length]);
      }
      String document = text.toString();
      Object expected = byGson(document);
      Object read;
      try {
        read = JsonWriter.compact(read(document));
        accepted++;
      } catch (JsonException e) {
        read = e;
      }
      boolean twice = read instanceof JsonException e && e.reason().endsWith("twice.");
      if (expected == null ? read instanceof String : !twice && !expected.equals(read)) {
        throw new AssertionError(document + ": " + expected + " and not " + read);
      }
    }
    assertTrue(accepted > 100, String.valueOf(accepted));
  }

  private static String byGson(String text) {
    try (var reader = new com.google.gson.stream.JsonReader(new java.io.StringReader(text))) {
      reader.setStrictness(com.google.gson.Strictness.STRICT);
      if (text.isBlank()) {
        return null;
      }
      String read = JsonParser.parseReader(reader).toString();
      return reader.peek() == com.google.gson.stream.JsonToken.END_DOCUMENT ? read : null;
    } catch (IOException | RuntimeException e) {
      return null;
    }
  }

  @Test
  void bytesAndTextAreReadAlike() throws JsonException {
    String text = "{\"键\": \"值 ä 😀 \\n\", \"b\": [1, 2]}";
    assertEquals(read(text), JsonReader.of(text.getBytes(StandardCharsets.UTF_8)).document());
  }
}
