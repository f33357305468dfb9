package io.github.kolors4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The Java in the README and the tutorial. */
class ReadmeTest {
  private static final Path ROOT = Path.of("..");

  @TempDir private Path folder;

  private static String read(Path document) throws IOException {
    return Files.readString(document).replace("\r\n", "\n");
  }

  private static List<String> blocks(Path document, String language) throws IOException {
    return Pattern.compile("^```" + language + "\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
        .matcher(read(document))
        .results()
        .map(block -> block.group(1))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"TextToImage", "KarrasDpmSolver"})
  void theReadmeShowsTheBodyOfTheExample(String example) throws IOException {
    String source = read(Path.of("src/main/java/io/github/kolors4j/examples", example + ".java"));
    String begin = "    Path model =";
    String body = source.substring(source.indexOf(begin), source.indexOf("\n  }\n")).stripIndent();
    assertTrue(
        blocks(ROOT.resolve("README.md"), "java").contains(body + "\n"),
        "README.md should have:\n" + body);
  }

  /** A listing, by where it is. */
  record Listing(String document, int number, String code) {
    @Override
    public String toString() {
      return document + ", listing " + number;
    }
  }

  static List<Listing> listings() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
      docs.filter(file -> file.toString().endsWith(".md"))
          .sorted(Comparator.naturalOrder())
          .forEach(documents::add);
    }
    List<Listing> listings = new ArrayList<>();
    for (Path document : documents) {
      List<String> blocks = blocks(document, "java");
      for (int i = 0; i < blocks.size(); i++) {
        listings.add(new Listing(ROOT.relativize(document).toString(), i + 1, blocks.get(i)));
      }
    }
    return listings;
  }

  @ParameterizedTest
  @MethodSource("listings")
  void aListingCompilesWithTheDependenciesThatTheReadmeShows(Listing listing) throws IOException {
    List<String> modules = shownDependencies().stream().map(ReadmeTest::module).toList();
    String imports =
        modules.stream()
            .map(module -> "import module " + module + ";\n")
            .collect(Collectors.joining());
    Path source =
        Files.writeString(
            folder.resolve("Listing.java"),
            imports
                + """
                import module java.base;

                class Listing {
                  String[] args;
                  KolorsPipeline pipeline, derived;

                  void run() throws IOException {
                %s  }
                }
                """
                    .formatted(listing.code()));
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                writer,
                writer,
                "-d",
                folder.toString(),
                "--module-path",
                modulePath(),
                "--add-modules",
                String.join(",", modules),
                source.toString());
    assertEquals(0, code, said.toString());
  }

  /** The artifacts of the README's first listing for a POM. */
  private static List<String> shownDependencies() throws IOException {
    String dependencies = blocks(ROOT.resolve("README.md"), "xml").getFirst();
    return Pattern.compile("<artifactId>(.*)</artifactId>")
        .matcher(dependencies)
        .results()
        .map((MatchResult artifact) -> artifact.group(1))
        .toList();
  }

  /** The module of an artifact, by the folder or the jar that the build takes it from. */
  private static String module(String artifact) {
    Path[] entries =
        Stream.of(modulePath().split(File.pathSeparator)).map(Path::of).toArray(Path[]::new);
    return ModuleFinder.of(entries).findAll().stream()
        .filter(module -> module.location().orElseThrow().getPath().contains(artifact))
        .map(module -> module.descriptor().name())
        .findFirst()
        .orElseThrow(() -> new AssertionError(artifact + " is no dependency of the examples"));
  }

  /** The examples need no more than the README shows, so theirs is the listings' too. */
  private static String modulePath() {
    return System.getProperty("jdk.module.path");
  }
}
