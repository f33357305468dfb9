package io.github.kolors4j.examples.spring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.UseMainMethod;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/** The application as it is started by {@code main}, asked over HTTP. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, useMainMethod = UseMainMethod.ALWAYS)
class PictureApplicationTest {
  private static final String PROMPT = "一只瓢虫,蓝色背景";
  private static final String BOUNDARY = "----kolors";

  private final HttpClient client = HttpClient.newHttpClient();

  @LocalServerPort private int port;

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  private HttpResponse<byte[]> get(String path) throws IOException, InterruptedException {
    return client.send(request(path).build(), BodyHandlers.ofByteArray());
  }

  private HttpResponse<byte[]> picture(String parameters) throws Exception {
    return get(
        "/picture?steps=2&prompt="
            + URLEncoder.encode(PROMPT, StandardCharsets.UTF_8)
            + parameters);
  }

  private static KolorsImage picture(HttpResponse<byte[]> response) throws IOException {
    assertEquals(
        200, response.statusCode(), () -> new String(response.body(), StandardCharsets.UTF_8));
    assertEquals("image/png", response.headers().firstValue("Content-Type").orElseThrow());
    return KolorsImage.read(response.body(), "response", PictureLimits.DEFAULT);
  }

  private static KolorsImage expected(ImageRequest request) throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      return pipeline.generate(request).image();
    }
  }

  @Test
  void aPromptIsAnsweredWithThePipelinesPicture() throws Exception {
    HttpResponse<byte[]> response = picture("&seed=0");
    assertEquals(
        expected(ImageRequest.builder(PROMPT).seed(0).numInferenceSteps(2).build()),
        picture(response));
    assertEquals("0", response.headers().firstValue("X-Seed").orElseThrow());
  }

  @Test
  void theSeedOfARandomPictureGivesTheSameBytesAgain() throws Exception {
    HttpResponse<byte[]> first = picture("");
    String seed = first.headers().firstValue("X-Seed").orElseThrow();
    assertArrayEquals(first.body(), picture("&seed=" + seed).body());
  }

  @Test
  void anUploadedPictureIsRedrawn() throws Exception {
    byte[] begin = picture("&seed=0").body();
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, "prompt", "", "fox".getBytes(StandardCharsets.UTF_8));
    part(form, "strength", "", "0.9".getBytes(StandardCharsets.UTF_8));
    part(form, "seed", "", "1".getBytes(StandardCharsets.UTF_8));
    part(form, "steps", "", "2".getBytes(StandardCharsets.UTF_8));
    part(form, "image", "; filename=\"ladybug.png\"\r\nContent-Type: image/png", begin);
    form.writeBytes(("--" + BOUNDARY + "--\r\n").getBytes(StandardCharsets.UTF_8));
    HttpResponse<byte[]> response =
        client.send(
            request("/picture")
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(BodyPublishers.ofByteArray(form.toByteArray()))
                .build(),
            BodyHandlers.ofByteArray());
    KolorsImage image = KolorsImage.read(begin, "ladybug.png", PictureLimits.DEFAULT);
    assertEquals(
        expected(
            ImageRequest.builder("fox")
                .image(image)
                .strength(0.9)
                .seed(1)
                .numInferenceSteps(2)
                .build()),
        picture(response));
    assertNotEquals(image, picture(response));
  }

  private static void part(
      ByteArrayOutputStream form, String name, String headers, byte[] content) {
    String head =
        "--%s\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n"
            .formatted(BOUNDARY, name, headers);
    form.writeBytes(head.getBytes(StandardCharsets.UTF_8));
    form.writeBytes(content);
    form.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void whatCannotBeMadeIsTheCallersFaultAndSaysWhy() throws Exception {
    HttpResponse<byte[]> response = get("/picture?prompt=cat&steps=0");
    assertEquals(400, response.statusCode());
    assertTrue(new String(response.body(), StandardCharsets.UTF_8).contains("0 inference steps"));
  }

  @Test
  void theHealthOfTheApplicationHasTheModel() throws Exception {
    picture(picture("&seed=0"));
    String health = new String(get("/actuator/health").body(), StandardCharsets.UTF_8);
    assertTrue(health.contains("\"kolors\":{\"details\":{\"precision\":\"f32\""), health);
  }
}
