package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.unet.UNetNames;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.VaeNames;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights in files of their own, under the names of several programs, on the mini checkpoint. */
class SingleFileTest {
  private static final Path MINI = PipelineFixture.CHECKPOINT;
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(16)
          .seed(5)
          .build();

  @TempDir private static Path folder;
  private static KolorsPipeline mini;
  private static byte[] expected;

  @BeforeAll
  static void open() throws IOException {
    mini = KolorsPipeline.builder(MINI).threads(2).open();
    expected = mini.generate(SMALL).image().rgb();
  }

  @AfterAll
  static void close() {
    mini.close();
  }

  private static Map<String, TensorData> tensors(
      String component, String base, UnaryOperator<String> name) throws IOException {
    Map<String, TensorData> tensors = new TreeMap<>();
    try (TensorSource source =
        ShardedSafetensors.open(MINI.resolve(component), base, Optional.empty())) {
      for (String each : source.names()) {
        TensorInfo info = source.find(each).orElseThrow();
        MemorySegment copy =
            MemorySegment.ofArray(source.data(each).toArray(ValueLayout.JAVA_BYTE));
        tensors.put(name.apply(each), new TensorData(info.dtype(), info.shape(), copy));
      }
    }
    return tensors;
  }

  private static Map<String, TensorData> unet(UnaryOperator<String> name) throws IOException {
    return tensors("unet", "diffusion_pytorch_model", name);
  }

  private static Map<String, TensorData> vae(UnaryOperator<String> name) throws IOException {
    return tensors("vae", "diffusion_pytorch_model", name);
  }

  private static String sgm(String name) {
    return UNetNames.of(UNet2DConditionModel.parameters(mini.unet().config()))
        .sgm(name)
        .orElseThrow();
  }

  private static String ldm(String name) {
    return VaeNames.of(AutoencoderKL.parameters(mini.vae().config())).ldm(name).orElseThrow();
  }

  private static Path write(String name, Map<String, TensorData> tensors) throws IOException {
    Path file = folder.resolve(name + ".safetensors");
    SafetensorsWriter.write(file, Map.of(), tensors);
    return file;
  }

  private static void assertSamePicture(KolorsPipeline.Builder builder) throws IOException {
    try (KolorsPipeline pipeline = builder.threads(2).open()) {
      assertArrayEquals(expected, pipeline.generate(SMALL).image().rgb());
    }
  }

  @Test
  void aUnetUnderDiffusersNamesMakesTheSamePicture() throws IOException {
    assertSamePicture(KolorsPipeline.builder(MINI).unet(write("root", unet(name -> name))));
    assertSamePicture(
        KolorsPipeline.builder(MINI).unet(write("prefixed", unet(name -> "unet." + name))));
  }

  /** LDM's attentions are convolutions of 1×1, and the two models are in one file. */
  @Test
  void aCheckpointOfComfyUiHasBothUnetAndVae() throws IOException {
    Map<String, TensorData> all = unet(name -> "model.diffusion_model." + sgm(name));
    vae(name -> "first_stage_model." + ldm(name))
        .forEach(
            (name, data) -> {
              boolean matrix = name.contains(".attn_1.") && data.shape().size() == 2;
              List<Long> shape = new ArrayList<>(data.shape());
              shape.addAll(matrix ? List.of(1L, 1L) : List.of());
              all.put(name, new TensorData(data.dtype(), shape, data.data()));
            });
    all.put("conditioner.embedders.0.weight", TensorData.f32(new float[2], 2));
    Path file = write("comfy", all);
    assertSamePicture(KolorsPipeline.builder(MINI).unet(file).vae(file));
    assertSamePicture(KolorsPipeline.builder(MINI).vae(write("ldm", vae(SingleFileTest::ldm))));
    assertSamePicture(
        KolorsPipeline.builder(MINI)
            .vae(
                write(
                    "former",
                    vae(
                        name ->
                            name.replace(".to_q.", ".query.")
                                .replace(".to_k.", ".key.")
                                .replace(".to_v.", ".value.")
                                .replace(".to_out.0.", ".proj_attn.")))));
  }

  /** {@code fixtures/single_file_names.py} has the table from diffusers' own conversion. */
  @Test
  void everyNameIsTheOneThatDiffusersConverts() throws IOException {
    JsonObject names;
    try (InputStream in = SingleFileTest.class.getResourceAsStream("/single_file/names.json")) {
      names =
          JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
              .getAsJsonObject();
    }
    JsonObject unet = names.getAsJsonObject("unet");
    unet.keySet().forEach(name -> assertEquals(unet.get(name).getAsString(), sgm(name)));
    assertEquals(410, unet.size());
    JsonObject vae = names.getAsJsonObject("vae");
    vae.keySet().forEach(name -> assertEquals(vae.get(name).getAsString(), ldm(name)));
    assertEquals(156, vae.size());
  }

  @Test
  void theFileTellsHowManyChannelsAUnetTakes() throws IOException {
    Map<String, TensorData> tensors = unet(name -> name);
    tensors.put("conv_in.weight", TensorData.f32(new float[32 * 9 * 9], 32, 9, 3, 3));
    Path file = write("inpainting", tensors);
    try (KolorsPipeline pipeline = KolorsPipeline.builder(MINI).unet(file).open()) {
      assertEquals(9, pipeline.unet().config().inChannels());
      Path saved = folder.resolve("saved");
      pipeline.savePretrained(saved);
      try (KolorsPipeline again = KolorsPipeline.open(saved)) {
        assertEquals(9, again.unet().config().inChannels());
      }
    }
  }

  @Test
  void theIdentityTellsTheFilesFromTheCheckpointsOwnWeights() throws IOException {
    Map<String, TensorData> tensors = unet(name -> name);
    TensorData bias = TensorData.f32(new float[] {1, 2, 3, 4}, 4);
    tensors.put("conv_out.bias", bias);
    Path file = write("other", tensors);
    try (KolorsPipeline pipeline = KolorsPipeline.builder(MINI).unet(file).open()) {
      assertEquals(List.of("unet"), pipeline.identity().differences(mini.identity()));
      assertEquals(mini.identity().name() + " + other.safetensors", pipeline.identity().name());
    }
  }

  @Test
  void aTextEncoderInAFileEncodesTheSame() throws IOException {
    Path file = write("glm", tensors("text_encoder", "model", name -> name));
    assertSamePicture(KolorsPipeline.builder(MINI).textEncoder(file));
    assertSamePicture(KolorsPipeline.builder(MINI).textEncoder(file).textEncoderOnDemand());
  }

  private static String fault(KolorsPipeline.Builder builder) {
    return assertThrows(InvalidFileException.class, () -> builder.open().close()).getMessage();
  }

  @Test
  void aFileThatDoesNotFitEndsInASentence() throws IOException {
    Path vae = write("vae", vae(SingleFileTest::ldm));
    String other = fault(KolorsPipeline.builder(MINI).unet(vae));
    assertTrue(
        other.contains(
            "tensors is one of this unet (first: decoder.conv_in.bias, decoder.conv_in.weight"),
        other);
    assertTrue(other.contains("names as conv_in.weight, unet.conv_in.weight"), other);

    Map<String, TensorData> tensors = unet(name -> name);
    tensors.remove("encoder_hid_proj.weight");
    String missing = fault(KolorsPipeline.builder(MINI).unet(write("sdxl", tensors)));
    assertTrue(
        missing.endsWith("1 tensor expected but missing (first: encoder_hid_proj.weight)."),
        missing);

    tensors = unet(name -> name);
    tensors.put("strange.weight", TensorData.f32(new float[1], 1));
    String strange = fault(KolorsPipeline.builder(MINI).unet(write("strange", tensors)));
    assertTrue(strange.contains("1 tensor is not of this model (first: strange.weight)"), strange);

    tensors = unet(name -> name);
    tensors.put(
        "conv_out.bias",
        new TensorData(DType.F16, List.of(5L), MemorySegment.ofArray(new byte[10])));
    String shape = fault(KolorsPipeline.builder(MINI).unet(write("shape", tensors)));
    assertTrue(shape.endsWith("conv_out.bias has the shape [5]; its config asks for [4]."), shape);
    assertFalse(shape.contains("null"));
  }
}
