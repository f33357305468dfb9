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

/** The Java in the README and on the pages. */
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
  void aListingCompilesWithTheDependenciesThatItsPageShows(Listing listing) throws IOException {
    List<String> modules =
        ownArtifacts(blocks(ROOT.resolve("README.md"), "xml").getFirst()).stream()
            .map(ReadmeTest::module)
            .toList();
    String moduleImports =
        modules.stream()
            .map(module -> "import module " + module + ";\n")
            .collect(Collectors.joining());
    Path source =
        Files.writeString(
            folder.resolve("Listing.java"),
            moduleImports
                + """
                import module java.base;
                %s
                class Listing {
                  String[] args;
                  KolorsPipeline pipeline, derived;

                  void run() throws Exception {
                %s  }
                }
                """
                    .formatted(lines(listing, true), lines(listing, false)));
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                writer,
                writer,
                "-proc:none",
                "-d",
                folder.toString(),
                "--module-path",
                modulePath(),
                "--add-modules",
                String.join(",", modules),
                "--class-path",
                classPath(ROOT.resolve(listing.document())),
                source.toString());
    assertEquals(0, code, said.toString());
  }

  /** The imports that a listing begins with, or the rest, which is the body of a method. */
  private static String lines(Listing listing, boolean imports) {
    return listing
        .code()
        .lines()
        .filter(line -> line.startsWith("import ") == imports)
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }

  /** Of this project's artifacts, those that a listing for a POM has. */
  private static List<String> ownArtifacts(String pom) {
    return Pattern.compile("<artifactId>(kolors-[^<]*)</artifactId>")
        .matcher(pom)
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

  /** The examples need no more than the README shows first, so theirs is the listings' too. */
  private static String modulePath() {
    return System.getProperty("jdk.module.path");
  }

  /**
   * What a page needs beyond that: it has listings for a POM of its own, whose artifacts are
   * dependencies of the tests here, and so on the class path with all that they bring. Nothing for
   * other pages.
   */
  private static String classPath(Path document) throws IOException {
    String tests = System.getProperty("java.class.path");
    boolean needed = false;
    for (String pom : blocks(document, "xml")) {
      for (String artifact : ownArtifacts(pom)) {
        if (!modulePath().contains(artifact)) {
          assertTrue(
              tests.contains(artifact), artifact + " is no dependency of the examples' tests");
          needed = true;
        }
      }
    }
    return needed ? tests : "";
  }
}
