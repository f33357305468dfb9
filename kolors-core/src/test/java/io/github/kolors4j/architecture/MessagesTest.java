package io.github.kolors4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the library says is for whoever calls it, also where there is no command line. */
class MessagesTest {
  private static final Path ROOT = Path.of("..");

  /** Modules without a {@code main} of their own. */
  private static final List<String> LIBRARY =
      List.of(
          "kolors-safetensors",
          "kolors-tensor",
          "kolors-core",
          "kolors-x86",
          "kolors-images",
          "kolors-langchain4j",
          "kolors-djl",
          "kolors-spring-ai",
          "kolors-spring-boot-starter");

  private static final Pattern TEXT = Pattern.compile("\"(?:[^\"\\\\\\n]|\\\\.)*\"");
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z-]+");

  /** What the JVM is started with, whoever starts it. */
  private static final Set<String> OF_THE_JVM = Set.of("--add-modules", "--enable-native-access");

  @Test
  void noMessageOfTheLibraryNamesAnOptionOfTheCommandLine() throws IOException {
    List<String> found = new ArrayList<>();
    for (String module : LIBRARY) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/main/java"))) {
        for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
          options(Files.readString(file))
              .forEach(option -> found.add(file.getFileName() + " " + option));
        }
      }
    }
    assertEquals(List.of(), found);
  }

  private static List<String> options(String source) {
    return TEXT.matcher(source)
        .results()
        .flatMap(text -> OPTION.matcher(text.group()).results())
        .map(MatchResult::group)
        .filter(option -> !OF_THE_JVM.contains(option))
        .toList();
  }
}
