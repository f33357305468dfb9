package io.github.kolors4j.server;

import static io.github.kolors4j.server.TestServer.SMALL_REQUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    assertEquals("DPM++ 2M Karras", info.get("sampler_name").getAsString());
    assertEquals("[5,6]", info.get("all_seeds").toString());
    assertEquals(2, info.getAsJsonArray("infotexts").size());
    assertEquals(6.5, answer.getAsJsonObject("parameters").get("cfg_scale").getAsDouble());
  }

  @ParameterizedTest
  @CsvSource({
    "Euler a, , EulerAncestralDiscreteScheduler, Euler a",
    "k_euler_ancestral, , EulerAncestralDiscreteScheduler, Euler a",
    "DPM++ 2M Karras, , DPMSolverMultistepScheduler, DPM++ 2M Karras",
    "dpm++ 2m, karras, DPMSolverMultistepScheduler, DPM++ 2M Karras",
    "k_dpmpp_2m_ka, , DPMSolverMultistepScheduler, DPM++ 2M Karras",
    "dpmsolver++ Karras, , DPMSolverMultistepScheduler, DPM++ 2M Karras",
    "DPM++ 2M SDE, Exponential, DPMSolverMultistepScheduler, DPM++ 2M SDE Exponential",
    "DPMSolverMultistepScheduler, , DPMSolverMultistepScheduler, DPM++ 2M",
    "edm-euler, , EDMEulerScheduler, EDMEulerScheduler",
    "unipc, Automatic, UniPCMultistepScheduler, UniPC",
    "DDIM, sgm_uniform, DDIMScheduler, DDIM SGM Uniform",
    ", karras, EulerDiscreteScheduler, Euler Karras",
    "Automatic, , EulerDiscreteScheduler, Euler",
  })
  void samplersHaveTheirNamesAndOldOnesToo(
      String sampler, String schedule, String className, String name) {
    Scheduler own = TestServer.PIPELINE.scheduler();
    Scheduler chosen =
        WebUiSamplers.choose(Optional.ofNullable(sampler), Optional.ofNullable(schedule))
            .map(
                choice ->
                    Schedulers.chosen(
                        own,
                        choice.scheduler().isEmpty() ? null : choice.scheduler(),
                        choice.options()))
            .orElse(own);
    assertEquals(className, chosen.className());
    assertEquals(name, WebUiSamplers.name(chosen, own));
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
    fields.remove("init_images");
    TestServer.Answer refused = server.post("/sdapi/v1/img2img", fields);
    assertEquals(400, refused.status());
    assertTrue(refused.json().get("detail").getAsString().startsWith("[request]"));
  }

  private static KolorsImage halfWhite(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % width < width / 2 ? 255 : 0);
    }
    return KolorsImage.of(width, height, rgb);
  }

  private static String base64(KolorsImage picture) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    picture.writeTo(png);
    return Base64.getEncoder().encodeToString(png.toByteArray());
  }

  /** Only the masked region with its margin, or the whole picture: A1111's two ways. */
  @Test
  void whatIsWhiteOfAMaskIsPaintedAnewAndTheRestStays() throws IOException {
    KolorsImage start = TestServer.PIPELINE.generate(SMALL_REQUEST).image();
    KolorsImage mask = halfWhite(32, 24);
    Map<String, Object> fields = fields();
    fields.put("init_images", List.of(base64(start)));
    fields.put("denoising_strength", 0.7);
    fields.put("mask", base64(mask));
    fields.put("mask_blur", 0);
    fields.put("inpainting_fill", 1);
    fields.put("inpaint_full_res", 0);
    JsonObject answer = server.post("/sdapi/v1/img2img", fields).json();
    KolorsImage painted = picture(answer.getAsJsonArray("images"), 0);
    assertEquals(start.crop(16, 0, 16, 24), painted.crop(16, 0, 16, 24));
    assertNotEquals(start.crop(0, 0, 16, 24), painted.crop(0, 0, 16, 24));

    fields.put("inpainting_mask_invert", 1);
    fields.put("inpaint_full_res", true);
    fields.put("inpaint_full_res_padding", 2);
    answer = server.post("/sdapi/v1/img2img", fields).json();
    painted = picture(answer.getAsJsonArray("images"), 0);
    assertEquals(start.crop(0, 0, 16, 24), painted.crop(0, 0, 16, 24));
    assertEquals(
        TestServer.PIPELINE
            .generate(
                same().size(32, 24).image(start).strength(0.7).mask(inverted(mask), 2).build())
            .image(),
        painted);

    fields.put("inpainting_fill", 2);
    TestServer.Answer refused = server.post("/sdapi/v1/img2img", fields);
    assertEquals(400, refused.status());
    assertTrue(refused.text().contains("inpainting_fill 2"), refused.text());
    assertEquals(400, server.post("/sdapi/v1/txt2img", fields).status());
  }

  private static KolorsImage inverted(KolorsImage picture) {
    byte[] rgb = picture.rgb();
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (255 - (rgb[i] & 255));
    }
    return KolorsImage.of(picture.width(), picture.height(), rgb);
  }

  @Test
  void anUnknownSamplerIsAnsweredWithTheNamesThatAreListed() {
    Map<String, Object> fields = fields();
    fields.put("sampler_name", "DPM++ 5M");
    TestServer.Answer refused = server.post("/sdapi/v1/txt2img", fields);
    assertEquals(400, refused.status());
    for (var each : server.get("/sdapi/v1/samplers").element().getAsJsonArray()) {
      String name = each.getAsJsonObject().get("name").getAsString();
      assertTrue(refused.text().contains(name), refused.text());
    }
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
