package io.github.kolors4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Messages are in English and have its digits, wherever the program runs: {@code %d} of the default
 * locale writes others in Arabic and Persian, and {@code %,d} other separators nearly everywhere.
 */
class LocaleTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern FORMATS = Pattern.compile("\\.formatted\\(|String\\.format\\(");
  private static final Pattern NUMBER = Pattern.compile("(?<!%)%[-+0,]*\\d*(\\.\\d+)?[dfegxXo]");

  /** The command line sets the default locale, and these are not the library. */
  private static final List<String> OTHERS =
      List.of("kolors-benchmarks", "kolors-bom", "kolors-cli", "kolors-examples", "kolors-fuzz");

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> modules = Files.list(ROOT)) {
      for (Path module : modules.toList()) {
        Path main = module.resolve("src/main/java");
        if (!Files.isDirectory(main) || OTHERS.contains(module.getFileName().toString())) {
          continue;
        }
        try (Stream<Path> files = Files.walk(main)) {
          sources.addAll(files.filter(file -> file.toString().endsWith(".java")).toList());
        }
      }
    }
    return sources;
  }

  @Test
  void noStatementFormatsANumberWithoutNamingTheLocale() throws IOException {
    Predicate<String> wrong =
        statement ->
            FORMATS.matcher(statement).find()
                && !statement.contains("Locale.")
                && NUMBER.matcher(statement).find();
    List<String> found = new ArrayList<>();
    for (Path source : sources()) {
      for (String statement : Files.readString(source).split(";[ \\t]*\\n")) {
        if (wrong.test(statement)) {
          found.add(
              source.getFileName() + ":" + statement.substring(statement.lastIndexOf("\n\n") + 1));
        }
      }
    }
    assertEquals(List.of(), found, "write whole numbers as %s, others with Locale.ROOT");
  }

  /** Of a set of messages: numbers by themselves, in groups of three, and as text. */
  @ParameterizedTest
  @ValueSource(strings = {"ar-EG", "fa-IR", "tr-TR", "de-DE", "hi-IN-u-nu-deva"})
  @ResourceLock(Resources.LOCALE)
  void messagesAreTheSameInEveryLocale(String tag) {
    List<String> expected = messages();
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag(tag));
      assertEquals(expected, messages());
    } finally {
      Locale.setDefault(before);
    }
  }

  private static List<String> messages() {
    return Stream.<Runnable>of(
            () -> ImageRequest.builder("x").numInferenceSteps(0),
            () -> ImageRequest.builder("x").maxSequenceLength(257),
            () -> ImageRequest.builder("x").originalSize(-12345, 8),
            () -> StoredWeight.of("w", Shape.of(12, 345), 1.5f),
            () -> ImageRequest.fromJson("{\"prompt\": \"x\", \"width\": 1234567.5}"))
        .map(call -> assertThrows(IllegalArgumentException.class, call::run).getMessage())
        .toList();
  }
}
