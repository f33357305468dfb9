package io.github.kolors4j.springboot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
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
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that has what {@code docs/spring.md} tells it to depend on, its service and its
 * property, and nothing else: compiled, and started in a JVM of its own.
 */
class ConsumerTest {
  private static final Path SOURCES = Path.of("src/test/consumer/app");

  /** What Maven gives who depends on this module. */
  private static final Path CLASS_PATH = Path.of("target/class-path.txt");

  /** What an application on the oldest Spring Boot has in its place. */
  private static final Path OLDEST = Path.of("target/oldest");

  @TempDir private static Path folder;

  /** What the pipeline gives of the application's request. */
  private static String expected;

  @BeforeAll
  static void askThePipelineAndCompile() throws Exception {
    ImageRequest request =
        ImageRequest.builder("一只瓢虫,蓝色背景").numInferenceSteps(1).seed(66).size(16, 16).build();
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      pipeline.generate(request).image().writeTo(png);
    }
    expected =
        HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(png.toByteArray()));

    List<String> javac = new ArrayList<>(List.of("-proc:none", "-d", folder.toString()));
    javac.addAll(List.of("-cp", join(classPath(jar -> true))));
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
  }

  @Test
  void anApplicationDrawsWithTheBootThatTheStarterBrings() throws Exception {
    // Optional: it comes with the application's Actuator, or not at all.
    String output = run(classPath(jar -> !jar.startsWith("spring-boot-health-")));
    assertTrue(output.contains("boot 4.1.2"), output);
    assertTrue(output.contains("health absent"), output);
  }

  @Test
  void anApplicationDrawsWithTheOldestBootOfItsGeneration() throws Exception {
    List<Path> oldest;
    try (Stream<Path> jars = Files.list(OLDEST)) {
      oldest = jars.map(Path::toAbsolutePath).sorted().toList();
    }
    List<String> replaced = oldest.stream().map(ConsumerTest::artifact).toList();
    List<Path> classPath = classPath(jar -> !replaced.contains(artifact(Path.of(jar))));
    classPath.addAll(oldest);
    assertTrue(
        classPath.stream().noneMatch(jar -> jar.toString().contains("4.1.2")),
        classPath.toString());
    String output = run(classPath);
    assertTrue(output.contains("boot 4.0.0"), output);
    assertTrue(output.contains("spring 7.0.1\n"), output);
    assertTrue(output.contains("health UP"), output);
  }

  /** {@code spring-core} of {@code spring-core-7.0.1.jar}. */
  private static String artifact(Path jar) {
    return jar.getFileName().toString().replaceFirst("-\\d.*", "");
  }

  /** This module with those of its dependencies, and the mini checkpoint. */
  private static List<Path> classPath(Predicate<String> names)
      throws IOException, URISyntaxException {
    List<Path> classPath = new ArrayList<>();
    classPath.add(location(KolorsImageProperties.class));
    classPath.add(location(MiniCheckpoint.class));
    // Spring brings it along; here it is for compilers alone, so the list is without.
    classPath.add(location(Nullable.class));
    Stream.of(Files.readString(CLASS_PATH).strip().split(File.pathSeparator))
        .map(Path::of)
        .forEach(classPath::add);
    classPath.removeIf(jar -> !names.test(jar.getFileName().toString()));
    return classPath;
  }

  private static Path location(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static String join(List<Path> path) {
    return path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  /** Starts the application, and looks at its picture. */
  private static String run(List<Path> classPath) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                join(classPath) + File.pathSeparator + folder,
                "app.Application",
                "--spring.ai.kolors.image.model=" + MiniCheckpoint.directory(),
                "--spring.ai.kolors.image.width=16",
                "--spring.ai.kolors.image.height=16",
                "--spring.ai.kolors.image.num-inference-steps=1")
            .redirectErrorStream(true)
            .start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
      assertEquals(0, process.exitValue(), output);
      assertTrue(output.contains("png " + expected), output);
      return output;
    } finally {
      process.destroyForcibly();
    }
  }
}
