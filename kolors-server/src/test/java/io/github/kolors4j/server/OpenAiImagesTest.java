package io.github.kolors4j.server;

import static io.github.kolors4j.server.TestServer.SMALL;
import static io.github.kolors4j.server.TestServer.SMALL_REQUEST;
import static io.github.kolors4j.server.TestServer.base64;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.Stage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenAiImagesTest {
  private static final String GENERATIONS = "/v1/images/generations";
  private static final String EDITS = "/v1/images/edits";

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Map<String, Object> small(Object... more) {
    Map<String, Object> fields = new LinkedHashMap<>(SMALL);
    for (int i = 0; i < more.length; i += 2) {
      if (more[i + 1] == null) {
        fields.remove(more[i]);
      } else {
        fields.put((String) more[i], more[i + 1]);
      }
    }
    return fields;
  }

  private static KolorsImage picture(byte[] file) throws IOException {
    return KolorsImage.read(file, "answer", PictureLimits.DEFAULT);
  }

  private static byte[] png(KolorsImage picture) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    picture.writeTo(out);
    return out.toByteArray();
  }

  /** The file is what the command line would write: the same bytes, with how it was made. */
  @Test
  void aGenerationGivesTheFileThatThePipelineGives() throws IOException {
    JsonObject answer = server.post(GENERATIONS, SMALL).json();
    ImageResult expected = TestServer.PIPELINE.generate(SMALL_REQUEST);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    expected
        .image()
        .writeTo(file, ImageFormat.PNG, TestServer.PIPELINE.metadata(expected, 0).texts());
    JsonObject image = answer.getAsJsonArray("data").get(0).getAsJsonObject();
    assertArrayEquals(file.toByteArray(), base64(image.get("b64_json")));
    assertEquals(5, image.get("seed").getAsLong());
    assertEquals("32x24", answer.get("size").getAsString());
    assertEquals("png", answer.get("output_format").getAsString());
    assertTrue(answer.get("created").getAsLong() > 1_700_000_000L);
    JsonObject usage = answer.getAsJsonObject("usage");
    assertEquals(usage.get("input_tokens"), usage.get("total_tokens"));
    assertTrue(usage.get("input_tokens").getAsInt() > 0);
  }

  @Test
  void severalPicturesHaveASeedEach() {
    JsonObject answer = server.post(GENERATIONS, small("n", 2)).json();
    List<Long> seeds =
        answer.getAsJsonArray("data").asList().stream()
            .map(each -> each.getAsJsonObject().get("seed").getAsLong())
            .toList();
    assertEquals(List.of(5L, 6L), seeds);
  }

  @Test
  void namesOfOpenAiAndShortNamesMeanTheSameAsThoseOfDiffusers() {
    String expected = server.post(GENERATIONS, SMALL).json().get("data").toString();
    Map<String, Object> fields =
        small(
            "width",
            null,
            "height",
            null,
            "size",
            "32x24",
            "num_inference_steps",
            null,
            "steps",
            3,
            "cfg_scale",
            5.0,
            "model",
            "gpt-image-1",
            "quality",
            "low",
            "user",
            "somebody",
            "style",
            "vivid");
    assertEquals(expected, server.post(GENERATIONS, fields).json().get("data").toString());
  }

  @Test
  void seedsHaveSixtyFourBitsAndMinusOneIsARandomOne() {
    String largest =
        server
            .post(GENERATIONS, small("seed", new java.math.BigInteger("18446744073709551615")))
            .text();
    assertTrue(largest.contains("\"seed\":18446744073709551615"), largest);
    JsonObject random = server.post(GENERATIONS, small("seed", -1)).json();
    assertTrue(random.getAsJsonArray("data").get(0).getAsJsonObject().get("seed").getAsLong() >= 0);
  }

  @Test
  void aSchedulerMayBeNamedWithItsOptions() {
    Map<String, Object> fields =
        small("scheduler", "dpmsolver++", "scheduler_options", Map.of("use_karras_sigmas", true));
    byte[] file =
        base64(
            server
                .post(GENERATIONS, fields)
                .json()
                .getAsJsonArray("data")
                .get(0)
                .getAsJsonObject()
                .get("b64_json"));
    String text = new String(file, StandardCharsets.ISO_8859_1);
    assertTrue(text.contains("DPMSolverMultistepScheduler"), "the file says so");
  }

  @Test
  void anAddressIsGivenInThePlaceOfBytesForAWhile() throws IOException {
    JsonObject answer = server.post(GENERATIONS, small("response_format", "url")).json();
    String url = answer.getAsJsonArray("data").get(0).getAsJsonObject().get("url").getAsString();
    assertTrue(url.startsWith(server.server.uri().toString()), url);
    TestServer.Answer file = server.get(java.net.URI.create(url).getPath());
    assertEquals("image/png", file.header("Content-Type"));
    assertEquals(TestServer.PIPELINE.generate(SMALL_REQUEST).image(), picture(file.bytes()));
  }

  @Test
  void aPictureMayBeAJpeg() throws IOException {
    JsonObject answer = server.post(GENERATIONS, small("output_format", "jpeg")).json();
    byte[] file = base64(answer.getAsJsonArray("data").get(0).getAsJsonObject().get("b64_json"));
    assertEquals((byte) 0xff, file[0]);
    assertEquals(32, picture(file).width());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}                                        | prompt              | no prompt",
        "{\"prompt\": 3}                           | prompt              | use a text",
        "{\"prompt\": \"a\", \"size\": \"big\"}    | size                | WIDTHxHEIGHT",
        "{\"prompt\": \"a\", \"width\": 8000, \"height\": 8000} | size   | at most 4,194,304 pixels",
        "{\"prompt\": \"a\", \"n\": 11}            | n                   | 1 to 10",
        "{\"prompt\": \"a\", \"n\": 1.5}           | n                   | whole number",
        "{\"prompt\": \"a\", \"num_inference_steps\": 0} | num_inference_steps | 1 to 1000",
        "{\"prompt\": \"a\", \"num_inference_step\": 4} | num_inference_step | unknown field",
        "{\"prompt\": \"a\", \"steps\": 4, \"num_inference_steps\": 4} | steps | give one of them",
        "{\"prompt\": \"a\", \"scheduler\": \"nothing\"} | scheduler     | no scheduler",
        "{\"prompt\": \"a\", \"seed\": \"x\"}      | seed                | 18446744073709551615",
        "{\"prompt\": \"a\", \"output_format\": \"webp\"} | output_format | png, jpeg",
        "{\"prompt\": \"a\", \"background\": \"transparent\"} | background | auto, opaque",
        "{\"prompt\": \"a\", \"image\": \"http://127.0.0.1/x.png\"} | image | fetches none",
        "{\"prompt\": \"a\", \"image\": \"data:image/png;base64,QUJD\"} | image | [image]",
        "{\"prompt\": \"a\", \"mask\": \"QUJD\"}   | mask                | without an image",
        "{\"prompt\": \"a\", \"padding_mask_crop\": 8} | padding_mask_crop | without a mask",
        "{\"prompt\": \"a\", \"size\": \"65x64\"}    | size             | not a multiple of 8",
        "{\"prompt\": \"a\", \"width\": 33, \"height\": 24} | width      | not a multiple of 8",
        "{\"prompt\": \"a\", \"seed\": [1, 2], \"n\": 3} | seed          | 2 seeds for 3 images",
        "{\"prompt\": \"a\", \"strength\": 0.5}   | strength           | without an image",
        "{\"prompt\": \"a\", \"steps\": 4, \"scheduler\": \"pndm\", \"eta\": -1} | eta | use 0 to 1",
        "{\"prompt\": \"a\", \"partial_images\": 9} | partial_images     | 0 to 3",
      })
  void whatCannotBeIsRefusedWithItsName(String body, String param, String sentence) {
    TestServer.Answer answer = server.post(GENERATIONS, body);
    assertEquals(400, answer.status(), answer.text());
    assertEquals("invalid_request_error", answer.error().get("type").getAsString());
    assertEquals(param, answer.error().get("param").getAsString(), answer.text());
    assertTrue(answer.error().get("code").isJsonPrimitive(), answer.text());
    String message = answer.error().get("message").getAsString();
    assertTrue(message.contains(sentence), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"prompt\": \"a\", \"width\": 33, \"height\": 24} | multiple",
        "{\"prompt\": \"a\", \"strength\": 0.5}             | without an image",
        "{\"prompt\"                                        | JSON",
        "[]                                                 | JSON",
        "''                                                 | JSON",
      })
  void whatTheReaderRefusesHasItsSentence(String body, String sentence) {
    TestServer.Answer answer = server.post(GENERATIONS, body);
    assertEquals(400, answer.status(), answer.text());
    String message = answer.error().get("message").getAsString();
    assertTrue(message.contains(sentence), message);
  }

  @Test
  void aStreamHasPicturesOnTheWayAndThenThePicture() throws IOException {
    TestServer.Answer answer =
        server.post(
            GENERATIONS, small("stream", true, "partial_images", 2, "num_inference_steps", 6));
    assertTrue(answer.header("Content-Type").startsWith("text/event-stream"));
    List<TestServer.Event> events = TestServer.events(answer);
    TestServer.Event last = events.getLast();
    assertEquals("image_generation.completed", last.name());
    assertEquals("image_generation.completed", last.data().get("type").getAsString());
    assertEquals(
        TestServer.PIPELINE
            .generate(SMALL_REQUEST.toBuilder().numInferenceSteps(6).build())
            .image(),
        picture(base64(last.data().get("b64_json"))));
    assertEquals("32x24", last.data().get("size").getAsString());
    assertTrue(last.data().has("usage"));
    List<TestServer.Event> partial = events.subList(0, events.size() - 1);
    assertEquals(2, partial.size(), "" + events);
    for (int i = 0; i < partial.size(); i++) {
      assertEquals("image_generation.partial_image", partial.get(i).name());
      assertEquals(i, partial.get(i).data().get("partial_image_index").getAsInt());
      assertEquals(32, picture(base64(partial.get(i).data().get("b64_json"))).width());
    }
  }

  /** As many as were asked for, as far as there are steps. */
  @ParameterizedTest
  @CsvSource({"4,2", "4,3", "5,3", "3,2", "50,1"})
  void partialImagesAreAsManyAsWereAskedFor(int steps, int partial) {
    ImageCall call =
        new ImageCall(
            SMALL_REQUEST, Optional.empty(), ImageFormat.PNG, false, true, partial, Set.of());
    assertEquals(
        partial, IntStream.range(1, steps).filter(i -> call.showsAfter(step(i, steps))).count());
  }

  private static Progress step(int step, int steps) {
    return new Progress(Stage.DENOISE, 0, 1, step, steps, 0, Duration.ZERO, Duration.ZERO);
  }

  private static KolorsImage start(int width, int height) {
    return TestServer.PIPELINE
        .generate(SMALL_REQUEST.toBuilder().size(width, height).build())
        .image();
  }

  @Test
  void anEditOfJsonRedrawsAPictureAtItsSize() throws IOException {
    KolorsImage start = start(40, 24);
    String url = "data:image/png;base64," + Base64.getEncoder().encodeToString(png(start));
    Map<String, Object> fields = small("width", null, "height", null, "strength", 0.7);
    fields.put("images", List.of(Map.of("image_url", url)));
    JsonObject answer = server.post(EDITS, fields).json();
    assertEquals("40x24", answer.get("size").getAsString());
    ImageRequest same =
        ImageRequest.builder("一只瓢虫")
            .image(start)
            .strength(0.7)
            .numInferenceSteps(3)
            .maxSequenceLength(8)
            .seed(5)
            .build();
    assertEquals(
        TestServer.PIPELINE.generate(same).image(),
        picture(base64(answer.getAsJsonArray("data").get(0).getAsJsonObject().get("b64_json"))));
  }

  /** Parts as the clients send them: with a file name, without one, as image[]. */
  @ParameterizedTest
  @CsvSource({"image,true", "image,false", "image[],true"})
  void anEditOfAFormTakesTheFileAsClientsSendIt(String name, boolean named) throws IOException {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    Map<String, String> texts =
        Map.of(
            "prompt",
            "一只瓢虫",
            "num_inference_steps",
            "3",
            "strength",
            "0.7",
            "seed",
            "5",
            "max_sequence_length",
            "8",
            "n",
            "1");
    for (Map.Entry<String, String> each : texts.entrySet()) {
      String part =
          "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
              .formatted(each.getKey(), each.getValue());
      form.write(part.getBytes(StandardCharsets.UTF_8));
    }
    String head =
        "--b\r\nContent-Disposition: form-data; name=\"%s\"%s\r\nContent-Type: application/octet-stream\r\n\r\n"
            .formatted(name, named ? "; filename=\"upload\"" : "");
    form.write(head.getBytes(StandardCharsets.UTF_8));
    form.write(png(start(32, 24)));
    form.write("\r\n--b--\r\n".getBytes(StandardCharsets.UTF_8));
    TestServer.Answer answer =
        server.send(
            server
                .request(EDITS)
                .header("Content-Type", "multipart/form-data; boundary=b")
                .POST(BodyPublishers.ofByteArray(form.toByteArray())));
    assertEquals(200, answer.status(), answer.text());
    assertEquals("32x24", answer.json().get("size").getAsString());
  }

  /** A picture whose left half is transparent, as an editor saves it. */
  private static byte[] eraser(int width, int height, int opaque) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, x < width / 2 ? 0x00ffffff : opaque << 24);
      }
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(image, "png", png);
    return png.toByteArray();
  }

  private static String dataUrl(byte[] file) {
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(file);
  }

  private static KolorsImage only(TestServer.Answer answer) throws IOException {
    assertEquals(200, answer.status(), answer.text());
    return picture(
        base64(answer.json().getAsJsonArray("data").get(0).getAsJsonObject().get("b64_json")));
  }

  /** OpenAI's mask: what is transparent is painted anew, the rest keeps its very pixels. */
  @Test
  void whatIsTransparentOfAMaskIsPaintedAnewAndTheRestStays() throws IOException {
    KolorsImage start = start(40, 24);
    Map<String, Object> fields = small("width", null, "height", null);
    fields.put("images", List.of(Map.of("image_url", dataUrl(png(start)))));
    fields.put("mask", Map.of("image_url", dataUrl(eraser(40, 24, 255))));
    KolorsImage painted = only(server.post(EDITS, fields));
    assertEquals(start.crop(20, 0, 20, 24), painted.crop(20, 0, 20, 24));
    assertNotEquals(start.crop(0, 0, 20, 24), painted.crop(0, 0, 20, 24));

    for (byte[] bad : List.of(eraser(32, 24, 255), png(start))) {
      fields.put("mask", dataUrl(bad));
      TestServer.Answer refused = server.post(EDITS, fields);
      assertEquals(400, refused.status(), refused.text());
      assertEquals("mask", refused.error().get("param").getAsString());
    }
    fields.put("mask", dataUrl("a text".getBytes(StandardCharsets.UTF_8)));
    TestServer.Answer refused = server.post(EDITS, fields);
    assertEquals("mask", refused.error().get("param").getAsString());
    assertFalse(refused.text().contains("transparent"), "it is no picture at all");
  }

  /** Diffusers' mask: what is white is painted anew; the pixels are those of the library. */
  @Test
  void aMaskImageIsThatOfDiffusers() throws IOException {
    KolorsImage start = start(40, 24);
    byte[] rgb = new byte[40 * 24 * 3];
    Arrays.fill(rgb, 0, rgb.length / 2, (byte) 255);
    KolorsImage mask = KolorsImage.of(40, 24, rgb);
    Map<String, Object> fields = small("width", 40, "height", 24);
    fields.put("image", dataUrl(png(start)));
    fields.put("mask_image", dataUrl(png(mask)));
    ImageRequest same = SMALL_REQUEST.toBuilder().size(40, 24).image(start).mask(mask).build();
    assertEquals(TestServer.PIPELINE.generate(same).image(), only(server.post(EDITS, fields)));
    fields.put("padding_mask_crop", 4);
    ImageRequest cropped = same.toBuilder().mask(mask, 4).build();
    assertEquals(TestServer.PIPELINE.generate(cropped).image(), only(server.post(EDITS, fields)));

    // There is nothing to crop around: the mask's fault, not that of the image.
    fields.put("mask_image", dataUrl(png(KolorsImage.of(40, 24, new byte[40 * 24 * 3]))));
    TestServer.Answer refused = server.post(EDITS, fields);
    assertEquals("mask_image", refused.error().get("param").getAsString(), refused.text());
  }

  @Test
  void aMaskComesInAFormTooWithoutTheNameOfAFile() throws IOException {
    KolorsImage start = start(32, 24);
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    for (Map.Entry<String, byte[]> each :
        Map.of(
                "prompt", "a".getBytes(StandardCharsets.UTF_8),
                "num_inference_steps", "2".getBytes(StandardCharsets.UTF_8),
                "image", png(start),
                "mask", eraser(32, 24, 255))
            .entrySet()) {
      String head =
          "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n".formatted(each.getKey());
      form.write(head.getBytes(StandardCharsets.UTF_8));
      form.write(each.getValue());
      form.write("\r\n".getBytes(StandardCharsets.UTF_8));
    }
    form.write("--b--\r\n".getBytes(StandardCharsets.UTF_8));
    KolorsImage painted =
        only(
            server.send(
                server
                    .request(EDITS)
                    .header("Content-Type", "multipart/form-data; boundary=b")
                    .POST(BodyPublishers.ofByteArray(form.toByteArray()))));
    assertEquals(start.crop(16, 0, 16, 24), painted.crop(16, 0, 16, 24));
  }

  @Test
  void anEditWithoutAPictureAndAFormWithoutEndAreRefused() {
    assertEquals(400, server.post(EDITS, SMALL).status());
    TestServer.Answer answer =
        server.send(
            server
                .request(EDITS)
                .header("Content-Type", "multipart/form-data; boundary=b")
                .POST(
                    BodyPublishers.ofString("--b\r\nContent-Disposition: form-data; name=\"a\"")));
    assertEquals(400, answer.status(), answer.text());
  }
}
