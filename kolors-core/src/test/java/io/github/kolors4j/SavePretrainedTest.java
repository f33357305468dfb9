package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardPlan;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.scheduler.DPMSolverMultistepScheduler;
import io.github.kolors4j.scheduler.EulerDiscreteScheduler;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is saved is what was opened. */
class SavePretrainedTest {
  private static final Path MINI = PipelineFixture.CHECKPOINT;
  private static final Map<String, String> BASE_NAMES =
      Map.of(
          "unet",
          "diffusion_pytorch_model",
          "vae",
          "diffusion_pytorch_model",
          "text_encoder",
          "model");
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(16)
          .seed(5)
          .build();

  private static KolorsPipeline pipeline;
  private static KolorsImage expected;

  @TempDir Path folder;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.builder(MINI).threads(2).open();
    expected = pipeline.generate(SMALL).image();
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @Test
  void aSavedPipelineHasTheSameTensorsAndMakesTheSamePicture() throws IOException {
    Path saved = folder.resolve("saved");
    pipeline.savePretrained(saved);
    assertEquals(
        List.of("saved"), files(folder).map(SavePretrainedTest::first).distinct().toList());
    assertEquals(
        List.of(
            "model_index.json",
            "scheduler/scheduler_config.json",
            "text_encoder/config.json",
            "text_encoder/model.safetensors",
            "tokenizer/tokenizer.model",
            "tokenizer/tokenizer_config.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors"),
        files(saved).toList());
    assertSameTensors(saved, "");
    assertSamePicture(saved);
  }

  @Test
  void variantAndSizeMakeTheFilesThatArePublished() throws IOException {
    Path saved = Files.createDirectory(folder.resolve("saved")); // an empty one will do
    long bytes = pipeline.textEncoder().byteLength();
    pipeline.savePretrained(
        saved, SaveOptions.DEFAULT.withVariant("fp16").withMaxShardBytes(bytes * 9 / 10));
    Set<String> text = new HashSet<>(files(saved.resolve("text_encoder")).toList());
    assertEquals(
        Set.of(
            "config.json",
            "model.fp16-00001-of-00002.safetensors",
            "model.fp16-00002-of-00002.safetensors",
            "model.safetensors.index.fp16.json"),
        text);
    assertSameTensors(saved, "fp16");
    assertSamePicture(saved);
  }

  @Test
  void configurationsAndTokenizerAreCopiedByteByByte() throws IOException {
    Path saved = folder.resolve("saved");
    pipeline.savePretrained(saved);
    for (String file :
        List.of(
            "text_encoder/config.json",
            "unet/config.json",
            "vae/config.json",
            "tokenizer/tokenizer.model",
            "tokenizer/tokenizer_config.json")) {
      assertEquals(-1, Files.mismatch(MINI.resolve(file), saved.resolve(file)), file);
    }
    for (String file : List.of("model_index.json", "scheduler/scheduler_config.json")) {
      assertEquals(json(MINI.resolve(file)), json(saved.resolve(file)), file);
    }
  }

  @Test
  void theSchedulerThatIsSavedIsThePipelinesOwn() throws IOException {
    Path saved = folder.resolve("saved");
    KolorsPipeline derived =
        pipeline.withScheduler(
            DPMSolverMultistepScheduler.fromConfig(
                pipeline.scheduler().config(), Map.of("use_karras_sigmas", true)));
    derived.savePretrained(saved);
    JsonObject index = json(saved.resolve("model_index.json"));
    assertEquals("[\"diffusers\",\"DPMSolverMultistepScheduler\"]", index.get("scheduler") + "");
    JsonObject config = json(saved.resolve("scheduler/scheduler_config.json"));
    assertEquals("DPMSolverMultistepScheduler", config.get("_class_name").getAsString());
    assertTrue(config.get("use_karras_sigmas").getAsBoolean());
    try (KolorsPipeline again = KolorsPipeline.open(saved)) {
      assertEquals("DPMSolverMultistepScheduler", again.scheduler().className());
      assertEquals(derived.generate(SMALL).image(), again.generate(SMALL).image());
    }
  }

  @Test
  void everySchedulerIsReadBackAsItWasSaved() throws IOException {
    for (SchedulerType type : Schedulers.all()) {
      Scheduler scheduler = type.fromConfig(pipeline.scheduler().config(), Map.of());
      Path saved = folder.resolve(type.className());
      Schedulers.save(scheduler, saved);
      SchedulerConfig read = Schedulers.load(saved).config();
      assertEquals(scheduler.config().keys(), read.keys());
      for (String key : read.keys()) {
        assertEquals(scheduler.config().get(key), read.get(key), type + " " + key);
      }
    }
  }

  @Test
  void componentsThatAreNotHereAreNamedAsAbsent() throws IOException {
    Path changed = copyOfMini();
    Path index = changed.resolve("model_index.json");
    String text = Files.readString(index);
    Files.writeString(
        index,
        text.replaceFirst(
            "\"image_encoder\": \\[\\s*null,\\s*null",
            "\"_own\": [1.50], \"image_encoder\": [\"transformers\", \"CLIPVisionModel\""));
    try (KolorsPipeline opened = KolorsPipeline.open(changed)) {
      opened.savePretrained(folder.resolve("saved"));
    }
    JsonObject saved = json(folder.resolve("saved/model_index.json"));
    assertEquals("[1.50]", saved.remove("_own").toString());
    assertEquals(JsonParser.parseString(text), saved);
  }

  @Test
  void eachComponentIsSavedAndLoadedAlone() throws IOException {
    pipeline.unet().savePretrained(folder.resolve("unet"));
    pipeline.vae().savePretrained(folder.resolve("vae"));
    pipeline.textEncoder().savePretrained(folder.resolve("text_encoder"));
    pipeline.tokenizer().savePretrained(folder.resolve("tokenizer"));
    assertSameTensors(folder, "");
    assertEquals(
        pipeline.tokenizer().vocabularySize(),
        ChatGlmTokenizer.load(folder.resolve("tokenizer")).vocabularySize());
  }

  @Test
  void weightsKeepTheirTypesNamesAndOrder() throws IOException {
    // F32, and attention under the names that older checkpoints have
    for (String name : List.of("unet/kolors_like", "vae/old_attention_names")) {
      Path original = Files.createDirectories(folder.resolve(name));
      Path saved = folder.resolve(name + "-saved");
      try (Fixture fixture = Fixture.open(name)) {
        TensorSource source = fixture.source();
        Files.writeString(original.resolve("config.json"), fixture.config().text());
        plan(source).write(original, source);
        long some =
            source.names().stream().mapToLong(each -> info(source, each).byteLength()).sum();
        SaveOptions options = SaveOptions.DEFAULT.withMaxShardBytes(some / 3);
        if (name.startsWith("unet")) {
          try (var model = UNet2DConditionModel.load(original, Optional.of(""))) {
            model.savePretrained(saved, options);
          }
        } else {
          try (var model = AutoencoderKL.load(original, Optional.of(""))) {
            model.savePretrained(saved, options);
          }
        }
        assertTrue(Files.exists(saved.resolve("diffusion_pytorch_model.safetensors.index.json")));
        assertEquals(
            -1, Files.mismatch(original.resolve("config.json"), saved.resolve("config.json")));
        try (TensorSource read =
            ShardedSafetensors.open(saved, "diffusion_pytorch_model", Optional.of(""))) {
          assertSame(name, source, read);
        }
      }
    }
  }

  private static ShardPlan plan(TensorSource source) {
    return ShardPlan.of(
        "diffusion_pytorch_model",
        "",
        source.names().stream()
            .map(name -> info(source, name))
            .map(
                info ->
                    new SafetensorsWriter.Entry(
                        info.name().replace("weights.", ""), info.dtype(), info.shape()))
            .toList(),
        Long.MAX_VALUE);
  }

  @Test
  void aFolderWithFilesIsRefusedAndStaysAsItIs() throws IOException {
    Path saved = Files.createDirectory(folder.resolve("saved"));
    Files.writeString(saved.resolve("mine"), "");
    String message = "[save] " + saved + " is not empty: name a folder that is new or empty.";
    assertEquals(
        message,
        assertThrows(IOException.class, () -> pipeline.savePretrained(saved)).getMessage());
    assertEquals(
        message,
        assertThrows(IOException.class, () -> pipeline.vae().savePretrained(saved)).getMessage());
    assertEquals(List.of("saved/mine"), files(folder).toList());
    Path checkpoint = copyOfMini();
    try (KolorsPipeline opened = KolorsPipeline.open(checkpoint)) {
      assertThrows(IOException.class, () -> opened.savePretrained(checkpoint));
    }
  }

  @Test
  void aSaveThatFailsLeavesNothing() throws IOException {
    Path checkpoint = copyOfMini();
    try (KolorsPipeline opened = KolorsPipeline.open(checkpoint);
        TensorSource source =
            ShardedSafetensors.open(
                MINI.resolve("vae"), "diffusion_pytorch_model", Optional.empty())) {
      AutoencoderKL vae = AutoencoderKL.of(pipeline.vae().config(), source);
      IllegalStateException fault =
          assertThrows(
              IllegalStateException.class,
              () -> opened.withVae(vae).savePretrained(folder.resolve("saved")));
      assertTrue(
          fault.getMessage().contains("was made without its config.json"), fault.getMessage());
      Files.delete(checkpoint.resolve("tokenizer/tokenizer.model"));
      IOException gone =
          assertThrows(IOException.class, () -> opened.savePretrained(folder.resolve("saved")));
      assertEquals(
          "[save] %s is gone, of which the tokenizer was read: load it from where it is now."
              .formatted(checkpoint.resolve("tokenizer/tokenizer.model")),
          gone.getMessage());
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(checkpoint), left.toList());
    }
  }

  @Test
  void aSchedulerOfOnesOwnCannotBeSaved() {
    Scheduler own =
        new Scheduler() {
          @Override
          public String className() {
            return "OwnScheduler";
          }

          @Override
          public SchedulerConfig config() {
            return pipeline.scheduler().config();
          }

          @Override
          public Schedule schedule(Steps steps) {
            return pipeline.scheduler().schedule(steps);
          }
        };
    Path saved = folder.resolve("saved");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> pipeline.withScheduler(own).savePretrained(saved))
            .getMessage();
    assertTrue(message.startsWith("[save] OwnScheduler is none of diffusers' schedulers"), message);
    assertFalse(Files.exists(saved));
  }

  @Test
  void optionsThatCannotBeAreSentences() {
    assertEquals(
        "[save] max_shard_size is 0 bytes: use 1 or more, as 5,000,000,000.",
        assertThrows(IllegalArgumentException.class, () -> SaveOptions.DEFAULT.withMaxShardBytes(0))
            .getMessage());
    assertEquals(
        "[safetensors] variant \"../fp16\" cannot be part of a file's name.",
        assertThrows(
                IllegalArgumentException.class, () -> SaveOptions.DEFAULT.withVariant("../fp16"))
            .getMessage());
  }

  @Test
  void aClosedPipelineIsNotSaved() throws IOException {
    KolorsPipeline closed = KolorsPipeline.open(MINI);
    AutoencoderKL vae = closed.vae();
    closed.close();
    assertThrows(IllegalStateException.class, () -> closed.savePretrained(folder.resolve("a")));
    assertThrows(IllegalStateException.class, () -> closed.withVae(vae));
    assertThrows(IllegalStateException.class, () -> vae.savePretrained(folder.resolve("a")));
    assertEquals(0, files(folder).count());
  }

  private static void assertSameTensors(Path saved, String variant) throws IOException {
    for (var part : BASE_NAMES.entrySet()) {
      try (TensorSource original =
              ShardedSafetensors.open(
                  MINI.resolve(part.getKey()), part.getValue(), Optional.of("fp16"));
          TensorSource read =
              ShardedSafetensors.open(
                  saved.resolve(part.getKey()), part.getValue(), Optional.of(variant))) {
        assertSame(part.getKey(), original, read);
      }
    }
  }

  private static void assertSame(String what, TensorSource original, TensorSource read) {
    assertEquals(Set.copyOf(original.names()), Set.copyOf(read.names()), what);
    for (String name : original.names()) {
      assertEquals(info(original, name).dtype(), info(read, name).dtype(), name);
      assertEquals(info(original, name).shape(), info(read, name).shape(), name);
      assertEquals(-1, original.data(name).mismatch(read.data(name)), name);
    }
  }

  private static TensorInfo info(TensorSource source, String name) {
    return source.find(name).orElseThrow();
  }

  private static void assertSamePicture(Path saved) throws IOException {
    try (KolorsPipeline again = KolorsPipeline.open(saved)) {
      assertEquals(EulerDiscreteScheduler.class, again.scheduler().getClass());
      assertEquals(expected, again.generate(SMALL).image());
    }
  }

  private Path copyOfMini() throws IOException {
    Path copy = folder.resolve("mini");
    Path mini = MINI.toRealPath();
    try (Stream<Path> files = Files.walk(mini)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(mini.relativize(file)));
      }
    }
    return copy;
  }

  private static JsonObject json(Path file) throws IOException {
    return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
  }

  private static String first(String file) {
    return file.substring(0, file.indexOf('/'));
  }

  private static Stream<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList()
          .stream();
    }
  }
}
