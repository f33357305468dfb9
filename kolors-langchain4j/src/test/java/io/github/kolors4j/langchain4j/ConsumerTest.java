package io.github.kolors4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that has what {@code docs/langchain4j.md} tells it to depend on, and nothing else:
 * compiled and run in a JVM of its own.
 */
class ConsumerTest {
  private static final Path SOURCES = Path.of("src/test/consumer/app");
  private static final Path SERVICES = Path.of("src/test/consumer-spi");

  /** What Maven gives who depends on this module, and what is newer. */
  private static final Path CLASS_PATH = Path.of("target/class-path.txt");

  private static final Path NEWEST = Path.of("target/newest");

  @TempDir private static Path folder;

  /** What the pipeline gives of the application's requests. */
  private static String expectedPicture;

  private static String expectedEdit;

  @BeforeAll
  static void askThePipeline() throws Exception {
    ImageRequest request =
        ImageRequest.builder("一只瓢虫,蓝色背景").numInferenceSteps(4).seed(7).size(64, 64).build();
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      KolorsImage picture = pipeline.generate(request).image();
      expectedPicture = hash(picture);
      expectedEdit =
          hash(
              pipeline
                  .generate(
                      request.toBuilder().prompts(List.of("一只瓢虫,红色背景")).image(picture).build())
                  .image());
    }
  }

  private static String hash(KolorsImage image) throws IOException, GeneralSecurityException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    image.writeTo(png);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(png.toByteArray()));
  }

  @Test
  void anApplicationDrawsWithTheCoreThatTheModuleBrings() throws Exception {
    List<Path> classPath = classPath();
    assertTrue(
        classPath.stream().anyMatch(jar -> jar.endsWith("langchain4j-core-1.19.0.jar")),
        classPath.toString());
    String output = run(classPath);
    assertTrue(output.contains("langchain4j-core-1.19.0.jar"), output);
    assertFalse(output.contains("built by the framework"), output);
  }

  @Test
  void anApplicationDrawsWithTheNewestCoreAndAFrameworksBuilder() throws Exception {
    List<Path> classPath = new ArrayList<>(classPath());
    assertTrue(classPath.removeIf(jar -> jar.getFileName().toString().startsWith("langchain4j-")));
    Path newest;
    try (Stream<Path> jars = Files.list(NEWEST)) {
      newest = jars.sorted().toList().getLast();
    }
    classPath.add(newest.toAbsolutePath());
    classPath.add(SERVICES.toAbsolutePath());
    String output = run(classPath);
    assertTrue(output.contains(newest.getFileName().toString()), output);
    assertTrue(output.contains("built by the framework"), output);
  }

  /** This module with its dependencies, and the mini checkpoint. */
  private static List<Path> classPath() throws IOException, URISyntaxException {
    List<Path> classPath = new ArrayList<>();
    classPath.add(location(KolorsImageModel.class));
    classPath.add(location(MiniCheckpoint.class));
    Stream.of(Files.readString(CLASS_PATH).strip().split(File.pathSeparator))
        .map(Path::of)
        .forEach(classPath::add);
    return classPath;
  }

  private static Path location(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  /** Compiles the application, runs it, and looks at its pictures. */
  private static String run(List<Path> classPath) throws Exception {
    Path classes = Files.createTempDirectory(folder, "classes");
    String path =
        Stream.concat(classPath.stream(), Stream.of(classes))
            .map(Path::toString)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> javac =
        new ArrayList<>(List.of("-proc:none", "-Xlint:all", "-d", classes.toString(), "-cp", path));
    try (Stream<Path> sources = Files.list(SOURCES)) {
      sources.map(Path::toString).forEach(javac::add);
    }
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(writer, writer, javac.toArray(String[]::new));
    assertEquals(0, code, said.toString());

    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                path,
                "app.Ladybug")
            .redirectErrorStream(true)
            .start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
      assertEquals(0, process.exitValue(), output);
      assertTrue(output.contains("seed 7"), output);
      assertTrue(output.contains("png " + expectedPicture), output);
      assertTrue(output.contains("edited " + expectedEdit), output);
      assertTrue(output.contains("several [7, 8]"), output);
      return output;
    } finally {
      process.destroyForcibly();
    }
  }
}
