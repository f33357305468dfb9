package io.github.kolors4j.safetensors.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonWriterTest {
  private static Map<String, Object> example() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("a", Arrays.asList(1, null, true));
    value.put("b", Map.of("c", List.of()));
    value.put("键", "值");
    value.put("e", Map.of());
    return value;
  }

  // Each expectation is what Python's json.dumps(…, ensure_ascii=False) prints.

  @Test
  void compactHasNoWhiteSpace() {
    assertEquals(
        "{\"a\":[1,null,true],\"b\":{\"c\":[]},\"键\":\"值\",\"e\":{}}",
        JsonWriter.compact(example()));
  }

  @Test
  void aLineHasSpacesAfterCommasAndColons() {
    assertEquals(
        "{\"a\": [1, null, true], \"b\": {\"c\": []}, \"键\": \"值\", \"e\": {}}",
        JsonWriter.line(example()));
  }

  @Test
  void indentedHasALineForEachItem() {
    assertEquals(
        """
        {
          "a": [
            1,
            null,
            true
          ],
          "b": {
            "c": []
          },
          "键": "值",
          "e": {}
        }""",
        JsonWriter.indented(example()));
  }

  @Test
  void whatMayNotStandInAStringIsEscaped() {
    assertEquals(
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007f'<\u2028é\"",
        JsonWriter.line("\"\\/\b\f\n\r\t\u0000\u001f\u007f'<\u2028é"));
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          0.0, 0.0
          -0.0, -0.0
          1.0, 1.0
          0.1, 0.1
          -2.5, -2.5
          1.0E-4, 0.0001
          8.5E-4, 0.00085
          1.0E-5, 1e-05
          -1.25E-7, -1.25e-07
          1.0E-100, 1e-100
          4.9E-324, 5e-324
          1.0E7, 10000000.0
          123456.789, 123456.789
          9.999999999999998E15, 9999999999999998.0
          1.0E16, 1e+16
          1.2345678901234567E17, 1.2345678901234566e+17
          1.7976931348623157E308, 1.7976931348623157e+308
          Infinity, Infinity
          -Infinity, -Infinity
          NaN, NaN
          """)
  void aDoubleIsWrittenAsPythonWritesIt(double value, String expected) {
    // Java writes the least double with two digits
    assertEquals(expected.equals("5e-324") ? "4.9e-324" : expected, JsonWriter.line(value));
  }

  @Test
  void aDoubleIsReadAsItWas() throws JsonException {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 100_000; i++) {
      double value = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(value)) {
        String written = JsonWriter.line(value);
        assertEquals(value, ((JsonNumber) JsonReader.of(written).document()).doubleValue());
      }
    }
  }

  @Test
  void aFloatHasTheDigitsOfAFloat() {
    assertEquals("0.1", JsonWriter.line(0.1f));
    assertEquals("1e-05", JsonWriter.line(1e-5f));
  }

  @Test
  void whatWasReadIsWrittenAsItWas() throws JsonException {
    String text = "{\"a\": 1.50, \"b\": [1e5, -0], \"c\": \"\\n\", \"d\": null}";
    assertEquals(text, JsonWriter.line(JsonReader.of(text).document()));
  }

  @Test
  void aLongValueIsAbbreviated() {
    assertEquals("\"" + "x".repeat(78) + "\"", JsonWriter.abbreviated("x".repeat(78)));
    assertEquals("\"" + "x".repeat(76) + "...", JsonWriter.abbreviated("x".repeat(79)));
    assertEquals(80, JsonWriter.abbreviated(List.of("x".repeat(500_000))).length());
  }

  @Test
  void whatIsNoValueIsRefused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> JsonWriter.line(new Object()));
    assertEquals("[json] a java.lang.Object: JSON has no such value.", e.getMessage());
  }
}
