package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class JsonConfigTest {

  @Test
  void readsEachTypeAndTheDefaultsOfWhatIsAbsent() throws IOException {
    JsonConfig config =
        parse(
            """
            {"_class_name": "X", "layers": 2, "each": [1, 2, 3], "eps": 1e-05, "linear": true,
             "type": "text_proj", "none": null}
            """);
    assertEquals(2, config.integer("layers", 7, 0, 9));
    assertEquals(7, config.integer("absent", 7, 0, 9));
    assertEquals(2, config.integer("layers", 0, 9));
    assertEquals(List.of(1, 2, 3), config.integers("each", 0, 9));
    assertEquals(List.of(1, 2, 3), config.integerForEach("each", 7, 3, 0, 9));
    assertEquals(List.of(2, 2, 2), config.integerForEach("layers", 7, 3, 0, 9));
    assertEquals(List.of(7, 7), config.integerForEach("absent", 7, 2, 0, 9));
    assertEquals(1e-5f, config.number("eps", 0));
    assertEquals(2f, config.number("layers", 0));
    assertEquals(0.5f, config.number("absent", 0.5));
    assertTrue(config.bool("linear", false));
    assertTrue(config.bool("absent", true));
    assertEquals(Optional.of("text_proj"), config.string("type"));
    assertEquals(Optional.empty(), config.string("none"));
    assertEquals(OptionalInt.empty(), config.optionalInteger("none", 0, 9));
    assertEquals(OptionalInt.of(2), config.optionalInteger("layers", 0, 9));
    assertTrue(config.isNull("none"));
    assertTrue(config.isNull("absent"));
    assertFalse(config.isNull("eps"));
  }

  @Test
  void namesFileKeyValueAndRuleOfAWrongValue() throws IOException {
    JsonConfig config =
        parse(
            """
            {"text": "two", "half": 2.5, "huge": 2147483648, "vast": 1e999999999, "list": [1, "x"],
             "none": null, "empty": [], "object": {"a": 1}, "negative": -1}
            """);
    assertFault(
        "text is \"two\"; an integer from 0 to 9 is needed.",
        () -> config.integer("text", 1, 0, 9));
    assertFault(
        "half is 2.5; an integer from 0 to 9 is needed.", () -> config.integer("half", 1, 0, 9));
    assertFault(
        "huge is 2147483648; an integer from 1 to 256 is needed.",
        () -> config.integer("huge", 1, 1, 256));
    assertFault(
        "vast is 1e999999999; an integer from 1 to 256 is needed.",
        () -> config.integer("vast", 1, 1, 256));
    assertFault("vast is 1e999999999; a number is needed.", () -> config.number("vast", 1));
    assertFault(
        "none is null; an integer from 0 to 9 is needed.", () -> config.integer("none", 0, 9));
    assertFault(
        "absent is missing; an integer from 0 to 9 is needed.",
        () -> config.integer("absent", 0, 9));
    assertFault(
        "list is [1, \"x\"]; an integer from 0 to 9 is needed.",
        () -> config.integers("list", 0, 9));
    assertFault("empty is []; a list of integers is needed.", () -> config.integers("empty", 0, 9));
    assertFault("text is \"two\"; true or false is needed.", () -> config.bool("text", true));
    assertFault("half is 2.5; a string is needed.", () -> config.string("half"));
    assertFault(
        "negative is -1; a number above 0 is needed.", () -> config.positive("negative", 1));
    assertFault(
        "object is {\"a\": 1}; only \"default\" is supported.",
        () -> config.only("object", "default"));
    assertFault(
        "text is \"two\"; only \"silu\", \"swish\" are supported.",
        () -> config.only("text", "silu", "swish"));
    assertFault("half is 2.5; only 2 is supported.", () -> config.only("half", 2));
    assertFault("half is 2.5; only null is supported.", () -> config.onlyNull("none", "half"));
    assertFault(
        "absent is missing; only \"text_time\" is supported.",
        () -> config.onlyStated("absent", "text_time"));
    assertFault(
        "list has 1; only \"UpBlock2D\" is supported.", () -> config.strings("list", "UpBlock2D"));
  }

  @Test
  void acceptsAnIntegerWrittenAsAFractionWhereOnlyItsValueCounts() throws IOException {
    parse("{\"scale\": 1.0}").only("scale", 1);
  }

  @Test
  void abbreviatesALongValue() throws IOException {
    JsonConfig config = parse("{\"text\": \"" + "x".repeat(1000) + "\"}");
    assertFault(
        "text is \"" + "x".repeat(76) + "...; true or false is needed.",
        () -> config.bool("text", true));
  }

  @Test
  void refusesWhatIsNotStrictJson() {
    assertFault("has the key \"a\" twice.", () -> parse("{\"a\": 1, \"a\": 1}"));
    assertFault("has an array at \"$\" where an object belongs.", () -> parse("[1]"));
    assertFault(
        "ends in the middle, at line 1 column 9. Incomplete download?", () -> parse("{\"a\": [1"));
    assertFault("ends in the middle, at line 1 column 1. Incomplete download?", () -> parse(""));
    assertBegins("is not valid JSON at line 1 column 7: ", () -> parse("{\"a\": NaN}"));
    assertBegins("is not valid JSON at line 1 column 2: ", () -> parse("{'a': 1}"));
    assertBegins("is not valid JSON at line 1 column 10: ", () -> parse("{\"a\": 1} x"));
    assertBegins("is not valid JSON at line 1 column 9: ", () -> parse("{\"a\": 1,}"));
    assertBegins("is nested deeper than 64 levels", () -> parse("{\"a\": " + "[".repeat(100_000)));
    InvalidFileException fault =
        assertThrows(InvalidFileException.class, () -> parse("{\"a\": 1,\n \"b\": nul}"));
    assertTrue(fault.getMessage().contains("line 2"), fault.getMessage());
  }

  @Test
  void namesAFileThatCannotBeRead(@TempDir Path directory) throws IOException {
    Path file = Files.createDirectory(directory.resolve("unet")).resolve("config.json");
    assertFault(
        "there is no such file in %s. Incomplete download?".formatted(file.getParent()),
        () -> JsonConfig.read(file));
    Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
    assertFault("is not UTF-8 text. Corrupt?", () -> JsonConfig.read(file));
    Files.write(file, new byte[(1 << 20) + 1]);
    assertFault(
        "has 1,048,577 bytes: a configuration has at most 1,048,576.", () -> JsonConfig.read(file));
    Files.writeString(file, "{\"a\": 1}");
    assertEquals("unet/config.json", JsonConfig.read(file).file());
  }

  private static JsonConfig parse(String text) throws InvalidFileException {
    return JsonConfig.parse("unet/config.json", text);
  }

  private static void assertFault(String message, Executable call) {
    assertEquals(
        "[config] unet/config.json: " + message,
        assertThrows(InvalidFileException.class, call).getMessage());
  }

  private static void assertBegins(String message, Executable call) {
    String found = assertThrows(InvalidFileException.class, call).getMessage();
    assertTrue(found.startsWith("[config] unet/config.json: " + message), found);
  }
}
