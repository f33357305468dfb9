package io.github.kolors4j.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestJsonTest {
  private static final KolorsImage RED = KolorsImage.of(1, 2, new byte[] {-1, 0, 0, -2, 0, 1});
  private static final KolorsImage BLUE = KolorsImage.of(2, 1, new byte[] {0, 0, -1, 9, 8, 7});

  private static FloatArray array(int... dims) {
    float[] values = new float[Arrays.stream(dims).reduce(1, Math::multiplyExact)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i - 0.1f;
    }
    return FloatArray.of(values, dims);
  }

  private static final IpAdapter IMAGE_ADAPTER =
      IpAdapter.reference(
          Path.of("b.bin"), Optional.of(Path.of("c")), IpAdapter.Kind.PLUS, "4567", 336);

  /** Nothing in it is as it is by default. */
  private static ImageRequest full() {
    PromptEmbeds embeds =
        new PromptEmbeds(
            array(2, 3, 4), array(2, 4), Optional.of(array(2, 3, 4)), Optional.of(array(2, 4)));
    return ImageRequest.builder(embeds)
        .prompts(List.of("一只\"瓢虫\"", "b\n"))
        .negativePrompts(List.of("c", ""))
        .maxSequenceLength(17)
        .size(64, 32)
        .originalSize(1, 2)
        .cropsCoordsTopLeft(3, -4)
        .targetSize(5, 6)
        .negativeOriginalSize(7, 8)
        .negativeCropsCoordsTopLeft(9, 10)
        .negativeTargetSize(11, 12)
        .start(
            new Start.Image(
                List.of(RED, BLUE, BLUE, RED),
                Optional.empty(),
                0.9,
                OptionalDouble.of(0.2),
                Optional.of(array(4, 4, 1, 1)),
                Optional.of(Mask.cropped(BLUE, 5))))
        .controlNet(
            new ControlNetInput(
                ControlNet.reference(Path.of("canny"), "89ab"), RED, 0.5, 0.25, 0.75, true))
        .numInferenceSteps(7)
        .denoisingEnd(0.5)
        .eta(0.75)
        .predictEvery(2)
        .guidanceScale(1.5)
        .guidanceRescale(0.25)
        .pagScale(3)
        .pagAdaptiveScale(0.1)
        .pagAppliedLayers(List.of("down", "mid"))
        .numImagesPerPrompt(2)
        .seeds(4, -5, Long.MAX_VALUE, Long.MIN_VALUE)
        .rng(GeneratorType.CUDA_F16)
        .outputType(OutputType.LATENT)
        .vaeTiling(true)
        .compatibility(Compatibility.DIFFUSERS)
        .adapters(
            Adapters.of(Adapter.reference(Path.of("a.safetensors"), "0123"))
                .at(0.5)
                .atBlock("up_blocks", 2))
        .imagePrompt(
            ImagePrompt.of(IMAGE_ADAPTER, RED, BLUE)
                .at(0.5)
                .atBlock("up_blocks", 2)
                .within(BLUE, RED))
        .build();
  }

  private static List<ImageRequest> samples() {
    ImageRequest plain = ImageRequest.of("");
    return List.of(
        plain,
        full(),
        full().toBuilder().imageLatents(array(1, 4, 1, 1)).build(),
        full().toBuilder().strengthMap(RED).build(),
        plain.toBuilder().latents(array(1, 4, 2, 1)).build(),
        plain.toBuilder()
            .imagePrompt(
                ImagePrompt.of(
                    IMAGE_ADAPTER, new ImageEmbeds(array(1, 2, 3), Optional.of(array(1, 2, 3)))))
            .build(),
        plain.toBuilder().timesteps(999, 0.1f).build(),
        plain.toBuilder().sigmas(14.6146, 1e-7, 0).build(),
        ImageRequest.of(PromptEmbeds.of(array(1, 2, 3), array(1, 3))));
  }

  @Test
  void aRequestSurvivesItsJson() {
    for (ImageRequest request : samples()) {
      ImageRequest again = ImageRequest.fromJson(request.toJson());
      assertEquals(leaves(request), leaves(again));
      assertEquals(request, again);
      assertEquals(request.toJson(), again.toJson());
      assertEquals(1, request.toJson().lines().count());
    }
  }

  /** So that a field which the JSON forgets does not pass by being what it is anyway. */
  @Test
  void nothingOfTheFullRequestIsAsByDefault() {
    Map<String, Object> full = leaves(full());
    leaves(ImageRequest.of(""))
        .forEach((path, value) -> assertNotEquals(value, full.get(path), path));
    full.forEach((path, value) -> assertNotEmpty(path, value));
  }

  private static void assertNotEmpty(String path, Object value) {
    if (!path.equals("start.encoded")) { // excludes images; another sample has it
      assertNotEquals(Optional.empty(), value, path);
      assertNotEquals(OptionalInt.empty(), value, path);
      assertNotEquals(OptionalDouble.empty(), value, path);
    }
  }

  @Test
  void everyKindOfBeginningAndOfStepsIsAmongTheSamples() {
    Set<Class<?>> seen = new HashSet<>();
    for (ImageRequest request : samples()) {
      seen.add(request.start().getClass());
      seen.add(request.steps().getClass());
    }
    assertEquals(
        Set.of(Start.class.getPermittedSubclasses(), Steps.class.getPermittedSubclasses()).stream()
            .flatMap(Arrays::stream)
            .collect(Collectors.toSet()),
        seen);
  }

  /** All values of a request, in records as deep as they are, by their way from the request. */
  private static Map<String, Object> leaves(ImageRequest request) {
    Map<String, Object> leaves = new LinkedHashMap<>();
    for (Field field : ImageRequest.class.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic()) {
        field.setAccessible(true);
        addLeaves(field.getName(), get(field, request), leaves);
      }
    }
    return leaves;
  }

  private static Object get(Field field, ImageRequest request) {
    try {
      return field.get(request);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  private static void addLeaves(String path, Object value, Map<String, Object> leaves) {
    if (value instanceof Optional<?> optional && optional.isPresent()) {
      addLeaves(path, optional.get(), leaves);
    } else if (value instanceof Record && value.getClass().getPackageName().endsWith("request")) {
      for (RecordComponent component : value.getClass().getRecordComponents()) {
        try {
          var accessor = component.getAccessor();
          accessor.setAccessible(true);
          addLeaves(path + "." + component.getName(), accessor.invoke(value), leaves);
        } catch (ReflectiveOperationException e) {
          throw new AssertionError(e);
        }
      }
    } else {
      leaves.put(path, value);
    }
  }

  @Test
  void theKeysAreDiffusersArguments() {
    JsonObject json = JsonParser.parseString(full().toJson()).getAsJsonObject();
    assertEquals("[\"一只\\\"瓢虫\\\"\",\"b\\n\"]", json.get("prompt").toString());
    assertEquals("7", json.get("num_inference_steps").toString());
    assertEquals("1.5", json.get("guidance_scale").toString());
    assertEquals("[1,2]", json.get("original_size").toString());
    assertEquals("[3,-4]", json.get("crops_coords_top_left").toString());
    assertEquals("\"latent\"", json.get("output_type").toString());
    assertEquals("[2,3,4]", json.getAsJsonObject("prompt_embeds").get("shape").toString());
    JsonObject one = JsonParser.parseString(ImageRequest.of("x").toJson()).getAsJsonObject();
    assertEquals("\"x\"", one.get("prompt").toString());
    assertTrue(!one.has("height") && !one.has("seed") && !one.has("image"), one.toString());
  }

  @Test
  void whatIsNotThereHasItsDefault() {
    assertEquals(ImageRequest.of("x"), ImageRequest.fromJson("{\"prompt\": [\"x\"]}"));
    assertEquals(
        ImageRequest.builder("x").negativePrompt("y").seed(3).build(),
        ImageRequest.fromJson(
            "{\"prompt\": \"x\", \"negative_prompt\": \"y\", \"seed\": 3, \"width\": null}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"prompt\": \"x\", \"promt\": 1, \"sted\": 2} | promt, sted",
        "{\"prompt\": 5} | prompt is 5: use text",
        "{\"prompt\": [null]} | prompt has a null",
        "{} | the JSON has no prompt: give \"prompt\"",
        "{\"prompt\": \"x\", \"predict_every\": 0} | predict_every 0: use 1",
        "[] | the JSON",
        "{\"prompt\": \"x\" | the JSON",
        "{\"prompt\": \"x\"} 1 | the JSON",
        "{\"prompt\": \"x\", \"width\": 1.5} | width is 1.5: use a whole number",
        "{\"prompt\": \"x\", \"width\": 4294967304} | 32 bits",
        "{\"prompt\": \"x\", \"seed\": 9223372036854775808} | 64 bits",
        "{\"prompt\": \"x\", \"eta\": 2} | eta is 2.0",
        "{\"prompt\": \"x\", \"output_type\": \"pil\"} | use image or latent",
        "{\"prompt\": \"x\", \"rng\": \"mt\"} | no generator \"mt\"",
        "{\"prompt\": \"x\", \"original_size\": [1]} | two whole numbers",
        "{\"prompt\": \"x\", \"vae_tiling\": 1} | use true or false",
        "{\"prompt\": \"x\", \"strength\": 0.5} | strength without an image",
        "{\"prompt\": \"x\", \"padding_mask_crop\": 5} | padding_mask_crop without mask_image",
        "{\"prompt\": \"x\", \"controlnet\": [5]} | controlnet is 5",
        "{\"prompt\": \"x\", \"controlnet\": {\"folder\": \"a\"}} | has no identity",
        "{\"prompt\": \"x\", \"latents\": {\"shape\": [2], \"f32\": \"AAAA\"}} | four bytes",
        "{\"prompt\": \"x\", \"latents\": {\"shape\": [1], \"f32\": \"?\"}} | Base64",
        "{\"prompt\": \"x\", \"image\": {\"png\": \"AAAA\"}} | no picture",
        "{\"prompt\": \"x\", \"image\": \"a.png\"} | in Base64",
        "{\"prompt_embeds\": {\"shape\": [1,1,1], \"f32\": \"AAAAAA==\"}} | pooled_prompt_embeds",
        "{\"pooled_prompt_embeds\": {\"shape\": [1,1], \"f32\": \"AAAAAA==\"}} | prompt_embeds"
      })
  void aWrongValueIsOneSentenceThatNamesIt(String json, String named) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ImageRequest.fromJson(json))
            .getMessage();
    assertTrue(message.startsWith("[") && message.contains(named), message);
  }

  @Test
  void noJsonAtAllIsASentence() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ImageRequest.fromJson(null))
            .getMessage();
    assertTrue(message.startsWith("[request] the JSON is null"), message);
  }

  @Test
  void oneImageOfARequestHasItsOwnPromptSeedAndBeginning() {
    ImageRequest all = full();
    ImageRequest third = all.only(2);
    assertEquals(List.of("b\n"), third.prompts());
    assertEquals(List.of(""), third.negativePrompts());
    assertEquals(List.of(Long.MAX_VALUE), third.seeds());
    assertEquals(1, third.numImages());
    Start.Image start = third.start().image().orElseThrow();
    assertEquals(array(4, 4, 1, 1).row(2), start.latents().orElseThrow());
    assertEquals(all.embeds().orElseThrow().prompt(1), third.embeds().orElseThrow());
    assertEquals(List.of(BLUE), start.images());
    assertEquals(all.sizes(), third.sizes());
    ImageRequest counted = ImageRequest.builder("x").numImagesPerPrompt(3).seed(5).build();
    assertEquals(ImageRequest.builder("x").seed(7).build(), counted.only(2));
    assertThrows(IndexOutOfBoundsException.class, () -> counted.only(3));
    ImageRequest alone = ImageRequest.of("x");
    assertSame(alone, alone.only(0));
  }
}
