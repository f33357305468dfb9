package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.batch.BatchRequest;
import io.github.kolors4j.batch.BatchTable;
import io.github.kolors4j.batch.KolorsBatch;
import io.github.kolors4j.batch.RequestFiles;
import io.github.kolors4j.batch.RequestReader;
import io.github.kolors4j.batch.TableRow;
import io.github.kolors4j.checkpoint.FormulaWeights;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterConfig;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.ipadapter.ResamplerSize;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that name pictures, masks, ControlNets and IP-Adapters, relative to the table's folder. */
class BatchFilesTest {
  private static final Map<String, Object> SMALL =
      Map.of("width", 16, "height", 16, "num_inference_steps", 2);

  @TempDir private static Path folder;

  private static KolorsPipeline pipeline;
  private static ControlNet net;
  private static IpAdapter adapter;

  @BeforeAll
  static void write() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
    try (PipelineFixture fixture = PipelineFixture.open("controlnet")) {
      net = ControlFixtures.net(folder, fixture, "a");
    }
    UNet2DConditionConfig unet = pipeline.unet().config();
    adapter =
        IpAdapter.of(
            adapter(
                "plus.safetensors",
                new IpAdapterConfig(
                    IpAdapter.Kind.PLUS, 3, new ResamplerSize(24, 96, 4, 1, 384, 96), 0, 0, unet)));
    int width = unet.encoderHidDim();
    adapter(
        "face.safetensors",
        new IpAdapterConfig(
            IpAdapter.Kind.FACE_ID_PLUS,
            6,
            new ResamplerSize(24, width, 4, width / 64, 4 * width, width),
            512,
            1024,
            unet));
    picture("a.png", 1);
    picture("b.png", 2);
    picture("c.png", 3);
  }

  private static Path adapter(String name, IpAdapterConfig config) throws IOException {
    Path file = folder.resolve(name);
    FormulaWeights.write(file, IpAdapterModel.parameters(config), 1);
    return file;
  }

  private static void picture(String name, int colour) throws IOException {
    byte[] rgb = new byte[16 * 16 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i * colour);
    }
    KolorsImage.of(16, 16, rgb).save(folder.resolve(name));
  }

  private static KolorsImage picture(String name) throws IOException {
    return KolorsImage.read(folder.resolve(name));
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  /** A row of one's own, under the defaults. */
  private static BatchRequest read(Map<String, Object> defaults, Map<String, Object> row)
      throws IOException {
    Map<String, Object> all = new LinkedHashMap<>(SMALL);
    all.putAll(defaults);
    Map<String, @Nullable Object> values = new LinkedHashMap<>(row);
    values.put("prompt", "x");
    values.put("seed", 1);
    return new RequestReader(pipeline, all, RequestFiles.in(folder))
        .read(new TableRow(1, "id", values, Optional.empty()));
  }

  private static BatchRequest read(Map<String, Object> row) throws IOException {
    return read(Map.of(), row);
  }

  private static ImageRequest.Builder plain() {
    return ImageRequest.builder("x").negativePrompt("").size(16, 16).numInferenceSteps(2).seed(1);
  }

  @Test
  void aMaskSaysWhereTheImageIsRedrawn() throws IOException {
    assertEquals(
        plain().image(picture("a.png")).mask(picture("b.png"), 8).strength(0.5).build(),
        read(Map.of(
                "image", "a.png", "mask_image", "b.png", "padding_mask_crop", 8, "strength", 0.5))
            .whole());
    assertEquals(
        plain().image(picture("a.png")).strengthMap(picture("b.png")).build(),
        read(Map.of("image", "a.png", "map", "b.png")).whole());
  }

  @Test
  void aMaskIsBlurredByItsColumnAndTheHashTells() throws IOException {
    Map<String, Object> sharp = Map.of("image", "a.png", "mask_image", "b.png");
    Map<String, Object> blurred = new LinkedHashMap<>(sharp);
    blurred.put("mask_blur", RequestReader.valueOf("mask_blur", "1.5"));
    assertEquals(
        plain().image(picture("a.png")).mask(picture("b.png").gaussianBlur(1.5)).build(),
        read(blurred).whole());
    assertNotEquals(read(sharp).hash(), read(blurred).hash());
    blurred.put("mask_blur", 0);
    assertEquals(read(sharp).hash(), read(blurred).hash());
  }

  @Test
  void aControlNetFollowsThePictureOfItsRow() throws IOException {
    ControlNetInput input = ControlNetInput.of(net, picture("a.png"));
    Map<String, Object> row = Map.of("controlnet", "net-a", "control_image", "a.png");
    assertEquals(plain().controlNet(input).build(), read(row).whole());
    // What the command line says of all rows, and a row of itself.
    Map<String, Object> defaults =
        Map.of(
            "controlnet",
            folder.resolve("net-a").toString(),
            "control_image",
            "b.png",
            "controlnet_conditioning_scale",
            0.5,
            "control_guidance_end",
            0.75,
            "guess_mode",
            true);
    assertEquals(
        plain().controlNet(input.at(0.5).between(0, 0.75).guessing()).build(),
        read(defaults, Map.of("control_image", "a.png")).whole());
    assertEquals(plain().build(), read(defaults, Map.of("controlnet", "")).whole());
    assertEquals(
        plain()
            .controlNet(ControlNetInput.of(net, picture("a.png")).at(0.25))
            .controlNet(ControlNetInput.of(net, picture("b.png")).at(0.75))
            .build(),
        read(Map.of(
                "controlnet",
                List.of("net-a", "net-a"),
                "control_image",
                List.of("a.png", "b.png"),
                "controlnet_conditioning_scale",
                List.of(0.25, 0.75)))
            .whole());
  }

  @Test
  void anIpAdapterLooksAtTheImagesOfItsRow() throws IOException {
    Map<String, Object> named = Map.of("ip_adapter", "plus.safetensors");
    ImagePrompt prompt = ImagePrompt.of(adapter, picture("a.png"));
    assertEquals(
        plain().imagePrompt(prompt).build(),
        read(named, Map.of("ip_adapter_image", "a.png")).whole());
    assertEquals(
        plain().imagePrompt(prompt.at(0.5)).build(),
        read(named, Map.of("ip_adapter_image", "a.png", "ip_adapter_scale", 0.5)).whole());
    assertEquals(
        plain().imagePrompt(prompt.styleAt(0.5)).build(),
        read(named, Map.of("ip_adapter_image", "a.png", "ip_adapter_scale", "style=0.5")).whole());
    assertEquals(
        plain()
            .imagePrompt(
                ImagePrompt.of(adapter, picture("a.png"), picture("b.png"))
                    .within(picture("b.png"), picture("c.png")))
            .build(),
        read(
                named,
                Map.of(
                    "ip_adapter_image",
                    List.of("a.png", "b.png"),
                    "ip_adapter_masks",
                    List.of("b.png", "c.png")))
            .whole());
    assertEquals(
        plain()
            .imagePrompts(
                List.of(
                    ImagePrompt.of(adapter, picture("a.png"), picture("b.png")).at(0.5),
                    ImagePrompt.of(adapter, picture("c.png"))))
            .build(),
        read(Map.of(
                "ip_adapter",
                List.of("plus.safetensors", "plus.safetensors"),
                "ip_adapter_image",
                List.of(List.of("a.png", "b.png"), "c.png"),
                "ip_adapter_scale",
                List.of(0.5, 1)))
            .whole());
  }

  @Test
  void aCellOfCsvIsANameOrAListOfThem() {
    assertEquals("7", RequestReader.valueOf("control_image", "7"));
    assertEquals(
        List.of("a.png", "b.png"),
        RequestReader.valueOf("control_image", "[\"a.png\", \"b.png\"]"));
    assertEquals("[a.png", RequestReader.valueOf("control_image", "[a.png"));
    assertEquals("0.5", RequestReader.valueOf("ip_adapter_scale", "0.5").toString());
  }

  @Test
  void whatIsMissingOrWrongIsASentence() {
    assertRefused("mask_image without image", Map.of("mask_image", "b.png"));
    assertRefused("map without image", Map.of("map", "b.png"));
    assertRefused(
        "both mask_image and map", Map.of("image", "a.png", "mask_image", "b.png", "map", "c.png"));
    assertRefused("padding_mask_crop without mask_image", Map.of("padding_mask_crop", 8));
    assertRefused("mask_blur without mask_image", Map.of("image", "a.png", "mask_blur", 2));
    assertRefused(
        "a blur of -1.0 pixels", Map.of("image", "a.png", "mask_image", "b.png", "mask_blur", -1));
    assertRefused(
        "controlnet names 1 and control_image 0: each ControlNet follows one picture",
        Map.of("controlnet", "net-a"));
    assertRefused("controlnet names 0 and control_image 1", Map.of("control_image", "a.png"));
    assertRefused(
        "guess_mode is \"often\": use true or false",
        Map.of("controlnet", "net-a", "control_image", "a.png", "guess_mode", "often"));
    assertRefused(
        "control_image is 7: use the name of a file",
        Map.of("controlnet", "net-a", "control_image", 7));
    assertRefused(
        "without ip_adapter_image: name the images", Map.of("ip_adapter", "plus.safetensors"));
    assertRefused("ip_adapter_image without ip_adapter", Map.of("ip_adapter_image", "a.png"));
    assertRefused(
        "is for faces, and a row cannot name a face's embedding",
        Map.of("ip_adapter", "face.safetensors", "ip_adapter_image", "a.png"));
    assertRefused(
        "ip_adapter_scale much: use a number",
        Map.of(
            "ip_adapter",
            "plus.safetensors",
            "ip_adapter_image",
            "a.png",
            "ip_adapter_scale",
            "much"));
    assertThrows(
        IOException.class,
        () -> read(Map.of("controlnet", "nowhere", "control_image", "a.png")).whole());
    IOException gone =
        assertThrows(
            IOException.class, () -> read(Map.of("image", "a.png", "mask_image", "gone.png")));
    assertTrue(gone.getMessage().contains("gone.png does not exist"), gone.getMessage());
  }

  private static void assertRefused(String sentence, Map<String, Object> row) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> read(row).whole(), sentence);
    assertTrue(e.getMessage().contains(sentence), e.getMessage());
  }

  @Test
  void theHashIsOfTheBytesOfEachFileAndNotOfItsName() throws IOException {
    Map<String, Map<String, Object>> rows =
        Map.of(
            "mask_image", Map.of("image", "b.png", "mask_image", "a.png"),
            "map", Map.of("image", "b.png", "map", "a.png"),
            "control_image", Map.of("controlnet", "net-a", "control_image", "a.png"),
            "ip_adapter_image",
                Map.of("ip_adapter", "plus.safetensors", "ip_adapter_image", "a.png"));
    Files.copy(folder.resolve("a.png"), folder.resolve("copy.png"));
    for (Map.Entry<String, Map<String, Object>> row : rows.entrySet()) {
      String hash = read(row.getValue()).hash();
      assertEquals(hash, read(with(row, "copy.png")).hash(), row.getKey());
      assertNotEquals(hash, read(with(row, "c.png")).hash(), row.getKey());
    }
    assertNotEquals(
        read(rows.get("control_image")).hash(),
        read(Map.of("controlnet_conditioning_scale", 0.3), rows.get("control_image")).hash());
    assertEquals(
        read(Map.of("ip_adapter_scale", "0.50"), rows.get("ip_adapter_image")).hash(),
        read(Map.of("ip_adapter_scale", 0.5), rows.get("ip_adapter_image")).hash());
  }

  private static Map<String, Object> with(Map.Entry<String, Map<String, Object>> row, String file) {
    Map<String, Object> changed = new LinkedHashMap<>(row.getValue());
    changed.put(row.getKey(), file);
    return changed;
  }

  @Test
  void aLedPictureHasTheBytesOfTheRequestAloneAndItsLineNamesTheFiles(@TempDir Path out)
      throws IOException {
    Path table =
        Files.writeString(
            folder.resolve("table.csv"),
            "id,prompt,seed,controlnet,control_image\nled,x,1,net-a,a.png\nplain,x,1,,\n");
    KolorsBatch.builder(pipeline, out).defaults(SMALL).build().run(BatchTable.read(table));
    List<JsonObject> lines =
        Files.readAllLines(out.resolve("manifest.jsonl")).stream()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .toList();
    ImageResult alone =
        pipeline.generate(plain().controlNet(ControlNetInput.of(net, picture("a.png"))).build());
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    alone.image().writeTo(png, ImageFormat.PNG, pipeline.metadata(alone, 0).texts());
    byte[] led = Files.readAllBytes(out.resolve(lines.get(0).get("file").getAsString()));
    assertArrayEquals(png.toByteArray(), led);
    byte[] other = Files.readAllBytes(out.resolve(lines.get(1).get("file").getAsString()));
    assertFalse(
        Arrays.equals(
            KolorsImage.read(led, "led", io.github.kolors4j.image.PictureLimits.DEFAULT).rgb(),
            KolorsImage.read(other, "other", io.github.kolors4j.image.PictureLimits.DEFAULT).rgb()),
        "it shows");
    assertEquals("a.png", lines.get(0).get("control_image").getAsString());
    assertFalse(lines.toString().contains("\"png\""), "no picture's bytes");
  }
}
