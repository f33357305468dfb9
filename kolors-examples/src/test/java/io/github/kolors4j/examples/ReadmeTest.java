package io.github.kolors4j.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The README's Java is the code of an example, which the build has compiled. */
class ReadmeTest {
  @ParameterizedTest
  @ValueSource(strings = {"TextToImage", "KarrasDpmSolver"})
  void theReadmeShowsTheBodyOfTheExample(String example) throws IOException {
    String source =
        Files.readString(Path.of("src/main/java/io/github/kolors4j/examples", example + ".java"));
    String begin = "    Path model =";
    String body = source.substring(source.indexOf(begin), source.indexOf("\n  }\n")).stripIndent();
    String readme = Files.readString(Path.of("../README.md"));
    assertTrue(readme.contains("```java\n" + body + "\n```"), "README.md should have:\n" + body);
  }
}
