package io.github.kolors4j.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that has what {@code docs/djl.md} tells it to depend on, and nothing else:
 * compiled and run in a JVM of its own.
 */
class ConsumerTest {
  private static final Path SOURCE = Path.of("src/test/consumer/app/Ladybug.java");
  private static final Path MODULE = Path.of("src/test/consumer-module/module-info.java");

  /** What Maven gives who depends on this module. */
  private static final Path CLASS_PATH = Path.of("target/class-path.txt");

  @TempDir private Path folder;

  private static String expected;

  @BeforeAll
  static void askThePipeline() throws Exception {
    ImageRequest request =
        ImageRequest.builder("一只瓢虫,蓝色背景").numInferenceSteps(4).seed(7).size(64, 64).build();
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      KolorsImage picture = pipeline.generate(request).image();
      BufferedImage image = picture.toBufferedImage();
      int[] rgb = image.getRGB(0, 0, 64, 64, null, 0, 64);
      ByteBuffer bytes = ByteBuffer.allocate(4 * rgb.length);
      bytes.asIntBuffer().put(rgb);
      expected =
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    }
  }

  @Test
  void anApplicationDrawsWithoutTheNetworkAndWithoutNativeLibraries() throws Exception {
    String path = join(path());
    assertFalse(path.contains("jna"), path);
    assertFalse(path.contains("commons-compress"), path);
    Path loaded = folder.resolve("loaded.txt");
    compile(List.of("-cp", path, SOURCE.toString()));
    String output =
        run(
            Map.of("HF_HUB_OFFLINE", "1"),
            List.of(
                "-Xlog:class+load:file=" + loaded,
                "-cp",
                path + File.pathSeparator + folder,
                "app.Ladybug",
                "kolors://" + MiniCheckpoint.directory().toUri().getRawPath()));
    assertTrue(output.contains("module unnamed module"), output);
    String classes = Files.readString(loaded);
    assertTrue(classes.contains(KolorsEngineProvider.class.getName()));
    assertFalse(classes.contains("HttpURLConnection"), "a connection was opened");
    assertFalse(classes.contains("java.net.http.HttpClient "), "a client was opened");
  }

  @Test
  void anApplicationOnTheModulePathDownloadsWithDjlsProgressBarAndDraws() throws Exception {
    String path = join(path());
    compile(List.of("--module-path", path, SOURCE.toString(), MODULE.toString()));
    try (MiniHub hub = new MiniHub()) {
      String output =
          run(
              Map.of("HF_ENDPOINT", hub.endpoint()),
              List.of(
                  "--module-path",
                  path + File.pathSeparator + folder,
                  "--module",
                  "app/app.Ladybug",
                  "kolors://" + MiniHub.REPO));
      assertTrue(output.contains("Downloading"), output);
      assertTrue(output.contains("100%"), output);
      assertTrue(output.contains("model mini"), output);
      assertTrue(output.contains("module module app"), output);
    }
  }

  /** This module with its dependencies, and the mini checkpoint. */
  private static List<Path> path() throws IOException, URISyntaxException {
    List<Path> path = new ArrayList<>();
    path.add(location(KolorsModel.class));
    path.add(location(MiniCheckpoint.class));
    Stream.of(Files.readString(CLASS_PATH).strip().split(File.pathSeparator))
        .map(Path::of)
        .forEach(path::add);
    return path;
  }

  private static Path location(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static String join(List<Path> path) {
    return path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  private void compile(List<String> arguments) {
    List<String> javac = new ArrayList<>(List.of("-proc:none", "-d", folder.toString()));
    javac.addAll(arguments);
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(writer, writer, javac.toArray(String[]::new));
    assertEquals(0, code, said.toString());
  }

  /** Runs the application with an empty cache of the hub. */
  private String run(Map<String, String> environment, List<String> arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector"));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("HF_HUB_CACHE", folder.resolve("hub").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes());
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
      assertEquals(0, process.exitValue(), output);
      assertTrue(output.contains("pixels " + expected), output);
      return output;
    } finally {
      process.destroyForcibly();
    }
  }
}
