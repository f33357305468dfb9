package io.github.kolors4j.server;

import static io.github.kolors4j.server.TestServer.SMALL_REQUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(180)
class WebUiRoutesTest {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("prompt", "一只瓢虫");
    fields.put("negative_prompt", "");
    fields.put("width", 32);
    fields.put("height", 24);
    fields.put("steps", 3);
    fields.put("seed", 5);
    return fields;
  }

  private static KolorsImage picture(JsonArray images, int index) throws IOException {
    return KolorsImage.read(TestServer.base64(images.get(index)), "answer", PictureLimits.DEFAULT);
  }

  private static ImageRequest.Builder same() {
    return SMALL_REQUEST.toBuilder().maxSequenceLength(256);
  }

  @Test
  void aPictureIsThatOfTheLibraryAndItsInfoIsJsonInText() throws IOException {
    Map<String, Object> fields = fields();
    fields.put("cfg_scale", 6.5);
    fields.put("batch_size", 2);
    fields.put("sampler_name", "DPM++ 2M");
    fields.put("scheduler", "Karras");
    fields.put("override_settings", Map.of()); // what others know is no fault
    fields.put("enable_hr", false);
    JsonObject answer = server.post("/sdapi/v1/txt2img", fields).json();
    JsonArray images = answer.getAsJsonArray("images");
    var scheduler =
        Schedulers.byName("DPMSolverMultistepScheduler")
            .fromConfig(
                TestServer.PIPELINE.scheduler().config(), Map.of("use_karras_sigmas", true));
    List<KolorsImage> expected =
        TestServer.PIPELINE
            .withScheduler(scheduler)
            .generate(same().guidanceScale(6.5).numImagesPerPrompt(2).build())
            .images();
    assertEquals(expected, List.of(picture(images, 0), picture(images, 1)));
    JsonObject info = JsonParser.parseString(answer.get("info").getAsString()).getAsJsonObject();
    assertEquals("[5,6]", info.get("all_seeds").toString());
    assertEquals(2, info.getAsJsonArray("infotexts").size());
    assertEquals(6.5, answer.getAsJsonObject("parameters").get("cfg_scale").getAsDouble());
  }

  @ParameterizedTest
  @CsvSource({
    "Euler a, , EulerAncestralDiscreteScheduler",
    "DPM++ 2M Karras, , DPMSolverMultistepScheduler",
    "unipc, Automatic, UniPCMultistepScheduler",
    "DDIM, sgm_uniform, DDIMScheduler",
    ", karras, EulerDiscreteScheduler",
    "Automatic, , EulerDiscreteScheduler",
  })
  void samplersHaveTheirNamesAndOldOnesToo(String sampler, String schedule, String expected) {
    Map<String, Object> fields = fields();
    fields.put("sampler_name", sampler == null ? "" : sampler);
    if (schedule != null) {
      fields.put("scheduler", schedule);
    }
    JsonObject answer = server.post("/sdapi/v1/txt2img", fields).json();
    JsonObject info = JsonParser.parseString(answer.get("info").getAsString()).getAsJsonObject();
    assertEquals(expected, info.get("sampler_name").getAsString());
  }

  @Test
  void everySamplerThatIsListedWorks() {
    for (var each : server.get("/sdapi/v1/samplers").element().getAsJsonArray()) {
      Map<String, Object> fields = fields();
      fields.put("width", 16);
      fields.put("height", 16);
      fields.put("sampler_name", each.getAsJsonObject().get("name").getAsString());
      TestServer.Answer answer = server.post("/sdapi/v1/txt2img", fields);
      assertEquals(200, answer.status(), each + ": " + answer.text());
    }
  }

  @Test
  void aPictureCanBeRedrawn() throws IOException {
    KolorsImage start = TestServer.PIPELINE.generate(SMALL_REQUEST).image();
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    start.writeTo(png);
    Map<String, Object> fields = fields();
    fields.put("init_images", List.of(Base64.getEncoder().encodeToString(png.toByteArray())));
    fields.put("denoising_strength", 0.7);
    JsonObject answer = server.post("/sdapi/v1/img2img", fields).json();
    assertEquals(
        TestServer.PIPELINE.generate(same().image(start).strength(0.7).build()).image(),
        picture(answer.getAsJsonArray("images"), 0));
    fields.put("mask", "AAAA");
    assertEquals(400, server.post("/sdapi/v1/img2img", fields).status());
    fields.remove("init_images");
    TestServer.Answer refused = server.post("/sdapi/v1/img2img", fields);
    assertEquals(400, refused.status());
    assertTrue(refused.json().get("detail").getAsString().startsWith("[request]"));
  }

  @Test
  void progressTellsOfTheOldestAndAnInterruptEndsItWithWhatThereIs() {
    assertEquals(0, server.get("/sdapi/v1/progress").json().get("progress").getAsDouble());
    Map<String, Object> fields = fields();
    fields.put("steps", 100);
    CompletableFuture<TestServer.Answer> answer =
        CompletableFuture.supplyAsync(() -> server.post("/sdapi/v1/txt2img", fields));
    TestServer.until(
        () -> server.get("/sdapi/v1/progress").json().get("current_image").isJsonPrimitive());
    JsonObject progress = server.get("/sdapi/v1/progress?skip_current_image=true").json();
    assertTrue(progress.get("progress").getAsDouble() > 0);
    assertEquals(100, progress.getAsJsonObject("state").get("sampling_steps").getAsInt());
    assertTrue(progress.get("current_image").isJsonNull());
    server.send(server.request("/sdapi/v1/interrupt").POST(BodyPublishers.noBody()));
    TestServer.Answer interrupted = answer.join();
    assertEquals(200, interrupted.status());
    assertEquals(0, interrupted.json().getAsJsonArray("images").size());
  }

  @Test
  void theOneModelMayBeChosenAndNoOther() {
    assertEquals(
        "kolors/mini",
        server
            .get("/sdapi/v1/sd-models")
            .element()
            .getAsJsonArray()
            .get(0)
            .getAsJsonObject()
            .get("title")
            .getAsString());
    assertEquals(
        "kolors/mini",
        server.get("/sdapi/v1/options").json().get("sd_model_checkpoint").getAsString());
    assertEquals(
        200,
        server.post("/sdapi/v1/options", Map.of("sd_model_checkpoint", "kolors/mini")).status());
    assertEquals(
        400, server.post("/sdapi/v1/options", Map.of("sd_model_checkpoint", "sdxl")).status());
  }
}
