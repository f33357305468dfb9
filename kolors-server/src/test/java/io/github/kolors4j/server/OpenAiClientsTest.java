package io.github.kolors4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.images.Image;
import com.openai.models.images.ImageEditParams;
import com.openai.models.images.ImageEditStreamEvent;
import com.openai.models.images.ImageGenStreamEvent;
import com.openai.models.images.ImageGenerateParams;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** OpenAI's own libraries, as their users call them. */
@Timeout(300)
class OpenAiClientsTest {
  private static final String KEY = "sk-of-this-server";
  private static final String PROMPT = "一只瓢虫,蓝色背景";
  private static final ImageRequest SAME =
      ImageRequest.builder(PROMPT)
          .size(32, 24)
          .numInferenceSteps(4)
          .maxSequenceLength(8)
          .seed(5)
          .build();

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start(TestServer.builder().key(KEY));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(server.uri("v1").toString())
        .apiKey(key)
        .maxRetries(0)
        .build();
  }

  private static ImageGenerateParams.Builder generation() {
    return ImageGenerateParams.builder()
        .prompt(PROMPT)
        .size("32x24")
        .putAdditionalBodyProperty("max_sequence_length", JsonValue.from(8))
        .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(4))
        .putAdditionalBodyProperty("seed", JsonValue.from(5));
  }

  private static KolorsImage picture(String base64) throws IOException {
    return KolorsImage.read(Base64.getDecoder().decode(base64), "answer", PictureLimits.DEFAULT);
  }

  @Test
  void theLibraryForJavaGeneratesEditsAndStreams() throws IOException {
    OpenAIClient client = client(KEY);
    try {
      assertEquals("kolors/mini", client.models().list().data().getFirst().id());

      List<Image> made = client.images().generate(generation().n(2).build()).data().orElseThrow();
      KolorsImage expected = TestServer.PIPELINE.generate(SAME).image();
      assertEquals(expected, picture(made.getFirst().b64Json().orElseThrow()));
      assertEquals(2, made.size());

      try (StreamResponse<ImageGenStreamEvent> stream =
          client.images().generateStreaming(generation().partialImages(2).build())) {
        ImageGenStreamEvent last = stream.stream().toList().getLast();
        assertEquals(expected, picture(last.asGenerationCompleted().b64Json()));
      }

      ByteArrayOutputStream start = new ByteArrayOutputStream();
      expected.writeTo(start);
      ImageEditParams.Builder edit =
          ImageEditParams.builder()
              .prompt(PROMPT)
              .putAdditionalBodyProperty("max_sequence_length", JsonValue.from(8))
              .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(4))
              .putAdditionalBodyProperty("strength", JsonValue.from(0.8))
              .putAdditionalBodyProperty("seed", JsonValue.from(5));
      KolorsImage redrawn =
          TestServer.PIPELINE
              .generate(SAME.toBuilder().image(expected).strength(0.8).build())
              .image();
      // A stream of bytes has no file name.
      Image edited =
          client
              .images()
              .edit(edit.image(new ByteArrayInputStream(start.toByteArray())).build())
              .data()
              .orElseThrow()
              .getFirst();
      assertEquals(redrawn, picture(edited.b64Json().orElseThrow()));
      try (StreamResponse<ImageEditStreamEvent> stream =
          client.images().editStreaming(edit.image(start.toByteArray()).build())) {
        ImageEditStreamEvent last = stream.stream().toList().getLast();
        assertEquals(redrawn, picture(last.asCompleted().b64Json()));
      }

      BadRequestException refused =
          assertThrows(
              BadRequestException.class,
              () -> client.images().generate(generation().size("31x24").build()));
      assertTrue(refused.getMessage().contains("multiple"), refused.getMessage());
    } finally {
      client.close();
    }
    OpenAIClient stranger = client("wrong");
    try {
      assertThrows(
          UnauthorizedException.class, () -> stranger.images().generate(generation().build()));
    } finally {
      stranger.close();
    }
  }

  /** The package comes by {@code npm ci}; where that cannot be had, a loud line says so. */
  @Test
  void thePackageForNodeGeneratesEditsAndStreams() throws Exception {
    Path folder = Path.of("target", "node-client").toAbsolutePath();
    if (!install(folder)) {
      System.err.println(
          "#### SKIPPED: the test of OpenAI's package for Node, as node or npm or the package is"
              + " missing.");
      assumeTrue(false, "node, npm or the package is missing");
    }
    Process node =
        process(folder, "node", "client.mjs", server.server.uri().toString(), KEY).start();
    String output = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(node.waitFor(2, TimeUnit.MINUTES));
    assertEquals(0, node.exitValue(), output);
    assertTrue(output.contains("all as it should be"), output);
  }

  private static boolean install(Path folder) throws Exception {
    Files.createDirectories(folder);
    for (String file : List.of("package.json", "package-lock.json", "client.mjs")) {
      Files.copy(
          Path.of("src", "test", "node", file),
          folder.resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
    }
    if (!isThere("node") || !isThere("npm")) {
      return false;
    }
    if (Files.isDirectory(folder.resolve("node_modules").resolve("openai"))) {
      return true;
    }
    Process npm =
        process(folder, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts").start();
    String output = new String(npm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (npm.waitFor() != 0) {
      System.err.println(output);
      return false;
    }
    return true;
  }

  private static ProcessBuilder process(Path folder, String... command) {
    return new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
  }

  private static boolean isThere(String program) {
    String path = System.getenv().getOrDefault("PATH", "");
    return Arrays.stream(path.split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
