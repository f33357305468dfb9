package io.github.kolors4j.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.Prediction;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of every dialect on a tiny U-Net, against what PEFT makes of the same values. */
class AdapterTest {
  private static final Path FOLDER = Path.of("src/test/resources/adapter");

  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  private Fixture fixture;
  private UNet2DConditionConfig config;
  private UNet2DConditionModel unet;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("unet/one_image");
    config = UNet2DConditionConfig.of(fixture.config());
    unet = UNet2DConditionModel.of(config, fixture.source());
  }

  @AfterEach
  void close() {
    fixture.close();
    workspace.close();
    threads.close();
  }

  private float[] predict(UNet2DConditionModel model) {
    return Prediction.of(model, fixture, workspace).toArray();
  }

  private float[] predict(Adapters adapters) throws InvalidFileException {
    ModelAdapters chosen = ModelAdapters.of(config, Optional.empty(), adapters);
    return predict(unet.adapted(chosen.unet()));
  }

  private static Adapter load(String name) throws IOException {
    return Adapter.load(FOLDER.resolve(name.contains(".") ? name : name + ".safetensors"));
  }

  private float[] predict(String name) throws IOException {
    return predict(Adapters.of(load(name)));
  }

  /** PEFT's prediction is in PyTorch's order. */
  private static void assertNear(String expected, float[] actual) throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(FOLDER.resolve("expected_" + expected + ".safetensors"))) {
      List<Long> shape = file.find("sample").orElseThrow().shape();
      float[] values =
          file.data("sample")
              .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
      int channels = shape.get(1).intValue();
      int pixels = values.length / channels / shape.getFirst().intValue();
      double error = 0;
      double square = 0;
      for (int i = 0; i < values.length; i++) {
        int image = i / (channels * pixels);
        int channel = i / pixels % channels;
        int at = (image * pixels + i % pixels) * channels + channel;
        error += Math.pow(actual[at] - values[i], 2);
        square += Math.pow(values[i], 2);
      }
      double relative = Math.sqrt(error / square);
      assertTrue(relative <= 2e-5, "relative error " + relative);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "peft_default",
        "diffusers",
        "diffusers_old",
        "kohya",
        "kohya_sgm",
        "lycoris",
        "sgm",
        "diffsynth.ckpt",
        "views.bin"
      })
  void everyDialectOfAnAdapterGivesTheSameBytes(String dialect) throws IOException {
    float[] expected = predict("peft");
    assertNear("attention", expected);
    assertArrayEquals(expected, predict(dialect));
    assertFalse(Arrays.equals(expected, predict(unet)), "the update shows");
  }

  @ParameterizedTest
  @CsvSource({
    "kohya_alphas, alphas",
    "everything, everything",
    "everything_sgm, everything",
    "loha, loha",
    "loha_tucker, loha_tucker",
    "lokr, lokr",
    "lokr_tucker, lokr_tucker",
    "locon_tucker, locon_tucker",
    "dora, dora",
    "dora_peft, dora",
    "patterns, patterns",
    "lokr_whole, lokr_whole"
  })
  void everyKindOfUpdateIsThatOfPeft(String name, String expected) throws IOException {
    assertNear(expected, predict(name));
  }

  @Test
  void aLoraOfTheTextEncoderIsThatOfPeft() throws IOException {
    try (Fixture text = Fixture.open("adapter/text_encoder")) {
      ChatGlmConfig textConfig = ChatGlmConfig.of(text.config());
      ChatGlmModel model = ChatGlmModel.of(textConfig, text.source());
      Adapters adapters = Adapters.of(Adapter.load(FOLDER.resolve("peft_folder")));
      ModelAdapters chosen = ModelAdapters.of(config, Optional.of(textConfig), adapters);
      assertEquals(List.of(), chosen.unet());
      PromptEmbedding embedding =
          model
              .adapted(chosen.textEncoder())
              .encode(
                  workspace,
                  text.integerRows("input.input_ids"),
                  text.integerRows("input.attention_mask"),
                  text.integerRows("input.position_ids"));
      text.assertClose("output.prompt_embeds", embedding.hiddenStates());
      text.assertClose("output.pooled", embedding.pooled());
    }
  }

  @Test
  void weightZeroGivesTheBytesOfNone() throws IOException {
    float[] none = predict(unet);
    assertArrayEquals(none, predict(Adapters.of(load("everything")).at(0)));
    assertArrayEquals(none, predict(Adapters.of(load("dora")).at(0)));
    assertSame(0, Adapters.of(load("everything")).at(0).uses().size());
    Adapters everywhereZero =
        Adapters.of(load("dora"))
            .atBlock("down_blocks", 0)
            .atBlock("mid_block", 0)
            .atBlock("up_blocks", 0);
    assertArrayEquals(none, predict(everywhereZero));
  }

  @Test
  void aWeightOfABlockIsOfWhatIsBelowItAlone() throws IOException {
    Adapters whole = Adapters.of(load("peft"));
    Adapters noUp = whole.atBlock("up_blocks", 0);
    assertFalse(Arrays.equals(predict(whole), predict(noUp)));
    assertArrayEquals(
        predict(whole), predict(noUp.atBlock("up_blocks", 1)), "the last word counts");
    Adapters oneUp = noUp.atBlock("up_blocks.0", 1);
    assertFalse(Arrays.equals(predict(noUp), predict(oneUp)), "the longest name counts");
  }

  @Test
  void aWeightOfABlockThatIsNotThereIsRefused() throws IOException {
    for (String block : List.of("up_block.0", "up_blocks.00", "up_blocks.")) {
      Adapters wrong = Adapters.of(load("peft")).atBlock(block, 0.5);
      IllegalArgumentException refused =
          assertThrows(
              IllegalArgumentException.class,
              () -> ModelAdapters.of(config, Optional.empty(), wrong));
      assertTrue(
          refused.getMessage().contains("a weight is given for \"" + block + "\", and")
              && refused.getMessage().contains(" up_blocks.0, up_blocks.1"),
          refused.getMessage());
    }
  }

  @Test
  void whatIsSaidLastCountsAlsoAfterAWeightOfZero() throws IOException {
    Adapters peft = Adapters.of(load("peft"));
    assertEquals(peft.at(0.5), peft.at(0).at(0.5));
    assertEquals(1, peft.at(0).textEncoderAt(1).uses().size());
    assertEquals(Adapters.NONE, peft.at(0));
  }

  @Test
  void twoAdaptersEqualTheirSum() throws IOException {
    float[] twice = predict(Adapters.of(load("peft")).and(Adapters.of(load("kohya"))));
    float[] doubled = predict(Adapters.of(load("peft")).at(2));
    double error = 0;
    double square = 0;
    for (int i = 0; i < twice.length; i++) {
      error += Math.pow(twice[i] - doubled[i], 2);
      square += Math.pow(doubled[i], 2);
    }
    assertTrue(Math.sqrt(error / square) <= 1e-5, "relative error " + Math.sqrt(error / square));
  }

  /** As trainers save their state; everything in it is below one name. */
  @Test
  void aFileWhoseTensorsAreAllInAStateDictGivesTheSameBytes(@TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("state.safetensors");
    try (SafetensorsFile peft = SafetensorsFile.open(FOLDER.resolve("peft.safetensors"))) {
      Map<String, TensorData> tensors = new TreeMap<>();
      for (String name : peft.names()) {
        var info = peft.find(name).orElseThrow();
        tensors.put(
            "state_dict." + name, new TensorData(info.dtype(), info.shape(), peft.data(name)));
      }
      SafetensorsWriter.write(file, Map.of(), tensors);
    }
    assertArrayEquals(predict("peft"), predict(Adapters.of(Adapter.load(file))));
  }

  @Test
  void whatIsOfNoModelHereIsNamedAndTheRestLoads(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("sdxl.safetensors");
    TensorData one = TensorData.f32(new float[8], 2, 4);
    TensorData two = TensorData.f32(new float[8], 4, 2);
    try (SafetensorsFile kohya = SafetensorsFile.open(FOLDER.resolve("kohya.safetensors"))) {
      Map<String, TensorData> tensors = new TreeMap<>();
      for (String part : List.of("lora_down", "lora_up")) {
        String name = kohya.names().stream().filter(each -> each.contains(part)).findFirst().get();
        var data = kohya.data(name);
        long[] shape = kohya.find(name).get().shape().stream().mapToLong(i -> i).toArray();
        tensors.put(
            name,
            TensorData.f32(
                data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)),
                shape));
      }
      tensors.put("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", one);
      tensors.put("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", two);
      tensors.put("note", one);
      SafetensorsWriter.write(file, Map.of(), tensors);
    }
    AdapterFit fit =
        ModelAdapters.of(config, Optional.empty(), Adapters.of(Adapter.load(file)))
            .fits()
            .getFirst();
    assertEquals(1, fit.unetModules());
    assertEquals(List.of("lora_te1_text_model_encoder_layers_0_mlp_fc1", "note"), fit.unused());
  }

  @Test
  void whatFitsNowhereIsAnErrorWithWhatWasFoundAndExpected(@TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("other.safetensors");
    Map<String, TensorData> tensors =
        Map.of(
            "transformer.blocks.0.attn.to_q.lora_A.weight", TensorData.f32(new float[8], 2, 4),
            "transformer.blocks.0.attn.to_q.lora_B.weight", TensorData.f32(new float[8], 4, 2));
    SafetensorsWriter.write(file, Map.of(), tensors);
    Adapters adapters = Adapters.of(Adapter.load(file));
    String message =
        assertThrows(
                InvalidFileException.class,
                () -> ModelAdapters.of(config, Optional.empty(), adapters))
            .getMessage();
    assertTrue(
        message.startsWith(
            "[adapter] "
                + file
                + ": nothing of it is for this U-Net or text encoder (modules: 1, first:"
                + " transformer.blocks.0.attn.to_q;"),
        message);
  }

  @Test
  void anotherShapeIsAnErrorThatNamesBoth(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("small.safetensors");
    String module = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
    SafetensorsWriter.write(
        file,
        Map.of(),
        Map.of(
            module + ".lora_A.weight", TensorData.f32(new float[8], 2, 4),
            module + ".lora_B.weight", TensorData.f32(new float[10], 5, 2)));
    Adapters adapters = Adapters.of(Adapter.load(file));
    String message =
        assertThrows(
                InvalidFileException.class,
                () -> ModelAdapters.of(config, Optional.empty(), adapters))
            .getMessage();
    assertTrue(
        message.startsWith("[adapter] " + file + ": the update is [5, 4], and mid_block."),
        message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "m.lora_A.weight | module m: it has no lora_B. A file that was cut?",
        "m.hada_w1_a | module m: it has no hada_w1_b. A file that was cut?",
        "m.alpha | module m: it has m.alpha alone, which is no update.",
        "conv_in.weight | tensors as conv_in.weight: no name in it is one of an adapter"
      })
  void halfAnUpdateIsAnErrorThatNamesTheModule(String name, String said, @TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("half.safetensors");
    SafetensorsWriter.write(file, Map.of(), Map.of(name, TensorData.f32(new float[8], 2, 4)));
    String message =
        assertThrows(InvalidFileException.class, () -> Adapter.load(file)).getMessage();
    assertTrue(message.contains(said) && message.contains(file.toString()), message);
  }

  /** As found by damaged files. */
  @ParameterizedTest
  @ValueSource(strings = {"m\u007f.alpha", "m\n.lora_A.weight", "conv\u0007in"})
  void aNameOutOfTheFileIsRepeatedOnOneLine(String name, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("damaged.safetensors");
    SafetensorsWriter.write(file, Map.of(), Map.of(name, TensorData.f32(new float[8], 2, 4)));
    String message =
        assertThrows(InvalidFileException.class, () -> Adapter.load(file)).getMessage();
    assertTrue(message.chars().noneMatch(Character::isISOControl), message);
    assertTrue(message.contains("m?") || message.contains("conv?in"), message);
  }

  @Test
  void aValueThatIsNotFiniteIsAnErrorThatNamesItsTensor(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("diverged.safetensors");
    float[] values = new float[8];
    for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      values[5] = bad;
      SafetensorsWriter.write(
          file,
          Map.of(),
          Map.of(
              "m.lora_A.weight", TensorData.f32(new float[8], 2, 4),
              "m.lora_B.weight", TensorData.f32(values, 4, 2)));
      String message =
          assertThrows(InvalidFileException.class, () -> Adapter.load(file)).getMessage();
      assertTrue(
          message.startsWith(
              "[adapter] %s: module m: m.lora_B.weight is %s at value 5:".formatted(file, bad)),
          message);
    }
  }

  @Test
  void aReferenceIsReadWhenItIsUsedAndMustBeTheSameFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("a.safetensors");
    Files.copy(FOLDER.resolve("peft.safetensors"), file);
    String sha256 = Adapter.load(file).sha256();
    Adapters later = Adapters.of(Adapter.reference(file, sha256));
    assertEquals(Adapters.of(Adapter.load(file)), later);
    assertArrayEquals(predict("peft"), predict(later));

    Adapters changed = Adapters.of(Adapter.reference(file, sha256));
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.seek(raw.length() - 1);
      raw.write(99);
    }
    assertTrue(
        assertThrows(InvalidFileException.class, () -> predict(changed))
            .getMessage()
            .startsWith("[adapter] " + file + " is another file than the one that was used"));
    Files.delete(file);
    assertThrows(InvalidFileException.class, () -> predict(changed));
  }

  @Test
  void theFileMayGoOnceItIsRead(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("a.safetensors");
    Files.copy(FOLDER.resolve("everything.safetensors"), file);
    Adapters adapters = Adapters.of(Adapter.load(file));
    Files.delete(file);
    assertNear("everything", predict(adapters));
  }

  @Test
  void aWeightThatIsNoNumberIsRefused() throws IOException {
    Adapters adapters = Adapters.of(load("peft"));
    for (double weight : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> adapters.at(weight));
    }
  }

  private static Path folderOf(Path folder, String config) throws IOException {
    Files.copy(FOLDER.resolve("peft.safetensors"), folder.resolve("adapter_model.safetensors"));
    Files.writeString(folder.resolve("adapter_config.json"), config);
    return folder;
  }

  /** The scale is PEFT's alpha, which stands in another file. */
  @Test
  void theSameWeightsAtAnotherAlphaAreAnotherAdapter(@TempDir Path folder) throws IOException {
    Path peft = folderOf(folder, "{\"peft_type\": \"LORA\", \"r\": 3, \"lora_alpha\": 3}");
    Adapter weak = Adapter.load(peft);
    assertArrayEquals(predict("peft"), predict(Adapters.of(weak)));
    assertFalse(weak.equals(load("peft")), "by chance as strong, but its file does not say so");
    Adapter later = Adapter.reference(weak.path(), weak.sha256());
    assertEquals(weak, later);

    Path config = folder.resolve("adapter_config.json");
    Files.writeString(
        config, "{\"peft_type\": \"LORA\", \"task_type\": null, \"r\": 3, \"lora_alpha\": 3}");
    assertEquals(weak, Adapter.load(peft), "what is of no matter may change");
    Files.writeString(config, "{\"peft_type\": \"LORA\", \"r\": 3, \"lora_alpha\": 24}");
    Adapter strong = Adapter.load(peft);
    assertFalse(weak.equals(strong));
    assertFalse(Arrays.equals(predict(Adapters.of(weak)), predict(Adapters.of(strong))));
    String message =
        assertThrows(InvalidFileException.class, () -> predict(Adapters.of(later))).getMessage();
    assertTrue(message.contains("or the adapter_config.json beside it is"), message);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '~',
      delimiter = '|',
      value = {
        "'lora_alpha': 'two' | has the lora_alpha \"two\": a number is needed.",
        "'lora_alpha': null | has the lora_alpha null: a number is needed.",
        "'peft_type': 'IA3' | has the peft_type \"IA3\": LORA, LOHA, LOKR are read.",
        "'alpha_pattern': [1] | has the alpha_pattern [1]: an object of names and numbers is needed.",
        "'alpha_pattern': {'to_q': 'x'} | has \"x\" for to_q in its alpha_pattern: a number is needed.",
        "'alpha_pattern': {'to_q(': 1} | has the alpha_pattern to_q(, which is no regular expression:",
        "'alpha_pattern': {'(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)!': 1} | which takes too long to match:"
      })
  void aConfigurationThatIsNotUnderstoodIsRefused(String setting, String said, @TempDir Path folder)
      throws IOException {
    Path peft = folderOf(folder, ("{" + setting + "}").replace('\'', '"'));
    String message =
        assertTimeoutPreemptively(
            Duration.ofSeconds(10),
            () -> assertThrows(InvalidFileException.class, () -> Adapter.load(peft)).getMessage());
    assertTrue(
        message.contains(folder.resolve("adapter_config.json").toString())
            && message.contains(said),
        message);
  }

  /** PEFT's lora_bias. */
  @Test
  void aBiasIsNamedAsOfNoKindThatIsRead(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("biased.safetensors");
    Map<String, TensorData> tensors = new TreeMap<>();
    try (SafetensorsFile peft = SafetensorsFile.open(FOLDER.resolve("peft.safetensors"))) {
      for (String name : peft.names()) {
        tensors.put(
            name,
            TensorData.f32(
                peft.data(name)
                    .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)),
                peft.find(name).get().shape().stream().mapToLong(i -> i).toArray()));
      }
    }
    String bias = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.bias";
    tensors.put(bias, TensorData.f32(new float[8], 8));
    SafetensorsWriter.write(file, Map.of(), tensors);
    Adapters adapters = Adapters.of(Adapter.load(file));
    assertEquals(
        List.of(bias),
        ModelAdapters.of(config, Optional.empty(), adapters).fits().getFirst().unused());
  }
}
