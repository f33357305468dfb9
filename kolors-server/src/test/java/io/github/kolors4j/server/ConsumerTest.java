package io.github.kolors4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that has what {@code docs/server.md} tells it to depend on, and nothing else, as a
 * module: the other tests of this module have a class path. Compiled and run in a JVM of its own.
 */
class ConsumerTest {
  private static final Path SOURCE = Path.of("src/test/consumer/app/Service.java");
  private static final Path MODULE = Path.of("src/test/consumer-module/module-info.java");

  /** What Maven gives who depends on this module. */
  private static final Path CLASS_PATH = Path.of("target/class-path.txt");

  @TempDir private Path folder;

  @Test
  void anApplicationOnTheModulePathServesPicturesThePageAndWhatDescribesThem() throws Exception {
    String path = modulePath();
    compile(path);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--module-path",
                path + File.pathSeparator + folder,
                "--module",
                "app/app.Service")
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        HttpClient client = HttpClient.newHttpClient()) {
      URI uri = address(output);
      assertTrue(get(client, uri.resolve("/")).contains("<title>kolors4j</title>"));
      assertTrue(get(client, uri.resolve("/openapi.json")).contains("/v1/images/generations"));
      assertTrue(get(client, uri.resolve("/metrics")).contains("kolors_queue_waiting"));
      assertEquals(
          TestServer.PIPELINE.generate(TestServer.SMALL_REQUEST).image(), picture(client, uri));
      process.getOutputStream().close();
      String rest = output.readAllAsString();
      assertTrue(rest.contains("stopped module app"), rest);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), rest);
      assertEquals(0, process.exitValue(), rest);
    } finally {
      process.destroyForcibly();
    }
  }

  private static URI address(BufferedReader output) throws IOException {
    StringBuilder before = new StringBuilder();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith("serving ")) {
        return URI.create(line.substring("serving ".length()));
      }
      before.append(line).append('\n');
    }
    throw new AssertionError("it ended: " + before);
  }

  private static String get(HttpClient client, URI uri) throws Exception {
    return body(client, HttpRequest.newBuilder(uri).build());
  }

  private static KolorsImage picture(HttpClient client, URI uri) throws Exception {
    String answer =
        body(
            client,
            HttpRequest.newBuilder(uri.resolve("/v1/images/generations"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(JsonWriter.compact(TestServer.SMALL)))
                .build());
    String base64 =
        JsonParser.parseString(answer)
            .getAsJsonObject()
            .getAsJsonArray("data")
            .get(0)
            .getAsJsonObject()
            .get("b64_json")
            .getAsString();
    return KolorsImage.read(Base64.getDecoder().decode(base64), "answer", PictureLimits.DEFAULT);
  }

  private static String body(HttpClient client, HttpRequest request) throws Exception {
    HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), response.body());
    return response.body();
  }

  /** This module with its dependencies, and the mini checkpoint. */
  private static String modulePath() throws IOException, URISyntaxException {
    return Stream.of(
            location(KolorsServer.class),
            location(MiniCheckpoint.class),
            Files.readString(CLASS_PATH).strip())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static String location(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  private void compile(String path) {
    List<String> javac =
        List.of(
            "-proc:none",
            "-d",
            folder.toString(),
            "--module-path",
            path,
            SOURCE.toString(),
            MODULE.toString());
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(writer, writer, javac.toArray(String[]::new));
    assertEquals(0, code, said.toString());
  }
}
