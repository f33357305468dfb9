package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.AdapterFit;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.adapter.ModelAdapters;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.cli.synthetic.CheckpointConfig;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SynthesizeCommandTest {
  private static final List<String> ALL_FILES =
      List.of(
          "model_index.json",
          "scheduler/scheduler_config.json",
          "text_encoder/config.json",
          "text_encoder/model.fp16-00001-of-00003.safetensors",
          "text_encoder/model.fp16-00002-of-00003.safetensors",
          "text_encoder/model.fp16-00003-of-00003.safetensors",
          "text_encoder/model.safetensors.index.fp16.json",
          "tokenizer/tokenizer.model",
          "tokenizer/tokenizer_config.json",
          "tokenizer/vocab.txt",
          "unet/config.json",
          "unet/diffusion_pytorch_model.fp16.safetensors",
          "vae/config.json",
          "vae/diffusion_pytorch_model.fp16.safetensors");

  @TempDir private Path folder;

  private Path tiny(String name, String... more) {
    Path out = folder.resolve(name);
    Run run =
        Run.of(
            Stream.concat(
                    Stream.of("synthesize", "--config", "tiny", "--out", out.toString()),
                    Stream.of(more))
                .toArray(String[]::new));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(out + System.lineSeparator(), run.out());
    return out;
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }

  @Test
  void theFilesAreThoseOfThePublishedCheckpoint() throws IOException {
    Path out = tiny("a");
    assertEquals(ALL_FILES, files(out));
    assertEquals(List.of("a"), names(folder), "nothing else is left");
  }

  @Test
  void theIndexNamesEachTensorOfEachFile() throws IOException {
    Path encoder = tiny("a").resolve("text_encoder");
    JsonObject index =
        JsonParser.parseString(
                Files.readString(encoder.resolve("model.safetensors.index.fp16.json")))
            .getAsJsonObject();
    JsonObject weightMap = index.getAsJsonObject("weight_map");
    long bytes = 0;
    Set<String> tensors = new TreeSet<>();
    for (String file : files(encoder)) {
      if (file.endsWith(".safetensors")) {
        try (SafetensorsFile shard = SafetensorsFile.open(encoder.resolve(file))) {
          assertEquals("pt", shard.metadata().get("format"));
          for (String name : shard.names()) {
            assertEquals(file, weightMap.get(name).getAsString());
            bytes += shard.find(name).orElseThrow().byteLength();
            tensors.add(name);
          }
        }
      }
    }
    assertEquals(weightMap.keySet(), tensors);
    assertEquals(bytes, index.getAsJsonObject("metadata").get("total_size").getAsLong());
    assertTrue(
        tensors.containsAll(
            Set.of(
                "output_layer.weight",
                "encoder.final_layernorm.weight",
                "rotary_pos_emb.inv_freq")));
  }

  @Test
  void activationsAreFiniteAndOfOrderOne() throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.open(tiny("a"))) {
      EncodedPrompt prompt = pipeline.encodePrompt("一只瓢虫");
      assertOrderOne("prompt", prompt.promptEmbeds().values());
      assertOrderOne("pooled", prompt.pooledPromptEmbeds().values());
      ImageResult latents =
          pipeline.generate(
              ImageRequest.builder("一只瓢虫")
                  .seed(1)
                  .numInferenceSteps(1)
                  .outputType(OutputType.LATENT)
                  .build());
      // One step of Euler: what is left is the noise less the prediction, times the first sigma.
      float[] values = latents.latents().orElseThrow().values();
      assertTrue(deviation(values) > 1 && deviation(values) < 200, "" + deviation(values));
      ImageResult image =
          pipeline.generate(ImageRequest.builder("cat").seed(1).numInferenceSteps(2).build());
      assertEquals(64, image.image().width());
    }
  }

  private static void assertOrderOne(String what, float[] values) {
    double deviation = deviation(values);
    assertTrue(deviation > 0.1 && deviation < 10, what + ": " + deviation);
  }

  private static double deviation(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value; // NaN and infinity come through
    }
    return Math.sqrt(sum / values.length);
  }

  @Test
  void aSeedGivesTheSameBytesWithAnyNumberOfThreads() throws IOException {
    Path one = tiny("one", "--seed", "5", "--threads", "1");
    Path three = tiny("three", "--seed", "5", "--threads", "3");
    Path other = tiny("other", "--seed", "6");
    for (String file : ALL_FILES) {
      byte[] bytes = Files.readAllBytes(one.resolve(file));
      assertArrayEquals(bytes, Files.readAllBytes(three.resolve(file)), file);
      boolean weights = file.endsWith(".safetensors");
      assertEquals(!weights, Files.mismatch(one.resolve(file), other.resolve(file)) == -1, file);
    }
  }

  @Test
  void partsLayersAndTokenizerAreThoseAskedFor() throws IOException {
    Path tokenizer = MiniCheckpoint.directory().resolve("tokenizer/tokenizer.model");
    Path out =
        tiny("a", "--parts", "text", "--text-layers", "2", "--tokenizer", tokenizer.toString());
    assertEquals(
        ALL_FILES.stream().filter(file -> !file.contains("diffusion_pytorch_model")).toList(),
        files(out));
    assertTrue(
        Files.readString(out.resolve("text_encoder/config.json")).contains("\"num_layers\": 2"));
    String index = Files.readString(out.resolve("text_encoder/model.safetensors.index.fp16.json"));
    assertTrue(index.contains("encoder.layers.1.") && !index.contains("encoder.layers.2."));
    assertEquals(-1, Files.mismatch(tokenizer, out.resolve("tokenizer/tokenizer.model")));
  }

  @Test
  void theConfigurationsOfACheckpointGiveItsTensors() throws IOException {
    Path mini = MiniCheckpoint.directory();
    Path out = folder.resolve("like mini");
    Run run = Run.of("synthesize", "--config", mini.toString(), "--out", out.toString());
    assertEquals(0, run.exitCode(), run.err());
    for (String part : List.of("unet", "vae", "text_encoder")) {
      assertEquals(
          -1,
          Files.mismatch(
              mini.resolve(part).resolve("config.json"), out.resolve(part).resolve("config.json")));
      assertEquals(shapes(mini.resolve(part)), shapes(out.resolve(part)));
    }
  }

  private static Set<String> shapes(Path part) {
    Run run = Run.of("inspect", part.toString(), "--json");
    return run.json().getAsJsonArray("tensors").asList().stream()
        .map(each -> each.getAsJsonObject())
        .map(each -> each.get("name") + " " + each.get("dtype") + " " + each.get("shape"))
        .collect(Collectors.toSet());
  }

  @ParameterizedTest
  @CsvSource({"attention, 3", "all, 5"})
  void aLoraHasTwoFactorsOfTheRankForEachOfItsModules(String modules, int rank) throws IOException {
    Path out = tiny("a", "--parts", "lora", "--rank", "" + rank, "--lora-modules", modules);
    Adapter adapter = Adapter.load(out);
    CheckpointConfig config = CheckpointConfig.tiny();
    List<Parameter> matrices =
        UNet2DConditionModel.parameters(config.unet()).stream()
            .filter(each -> each.name().endsWith(".weight") && each.shape().size() > 1)
            .filter(
                each ->
                    modules.equals("all") || each.name().matches(".*\\.to_(q|k|v|out\\.0)\\..*"))
            .toList();
    AdapterFit fit =
        ModelAdapters.of(config.unet(), Optional.empty(), Adapters.of(adapter)).fits().getFirst();
    assertEquals(matrices.size(), fit.unetModules());
    assertEquals(List.of(), fit.unused());
    try (SafetensorsFile file = SafetensorsFile.open(adapter.path())) {
      assertEquals(2 * matrices.size(), file.names().size());
      for (Parameter matrix : matrices) {
        String module = "unet." + matrix.name().replaceAll("weight$", "");
        List<Long> down = file.find(module + "lora_A.weight").orElseThrow().shape();
        List<Long> up = file.find(module + "lora_B.weight").orElseThrow().shape();
        assertEquals(List.of((long) rank, matrix.shape().get(1)), down.subList(0, 2));
        assertEquals(
            matrix.shape().subList(2, matrix.shape().size()), down.subList(2, down.size()));
        assertEquals(List.of(matrix.shape().getFirst(), (long) rank), up.subList(0, 2));
      }
    }
  }

  @Test
  void anEmptyFolderIsTaken() throws IOException {
    Files.createDirectory(folder.resolve("a"));
    assertEquals(ALL_FILES, files(tiny("a")));
  }

  @Test
  void aFolderWithFilesIsRefused() throws IOException {
    Files.createDirectory(folder.resolve("a"));
    Files.writeString(folder.resolve("a/b"), "");
    refused(1, "is not empty: name a folder", "--config", "tiny", "--out", path("a"));
    assertEquals(List.of("b"), names(folder.resolve("a")));
    refused(1, "is a file: name a folder", "--config", "tiny", "--out", path("a/b"));
  }

  @Test
  void whatAKilledRunLeftIsNotBuiltUpon() throws IOException {
    Files.createDirectory(folder.resolve("a.partial"));
    refused(1, "one was killed. Delete it", "--config", "tiny", "--out", path("a"));
    assertFalse(Files.exists(folder.resolve("a")));
  }

  @Test
  void wrongArgumentsAreSentences() {
    refused(2, "--config nothing: use full, tiny, or", "--config", "nothing", "--out", path("a"));
    refused(2, "\"clip\" is none of unet, vae, text", "--parts", "clip", "--out", path("a"));
    refused(2, "--text-layers 0: use 1 to 1024", "--text-layers", "0", "--out", path("a"));
    refused(2, "--rank 0: use 1 to 4096", "--rank", "0", "--out", path("a"));
    refused(
        2, "--lora-modules ff: use attention or all", "--lora-modules", "ff", "--out", path("a"));
    refused(2, "--out", "--config", "tiny");
    refused(
        1,
        "none does not exist",
        "--config",
        "tiny",
        "--tokenizer",
        path("none"),
        "--out",
        path("a"));
  }

  @Test
  void aSchedulerMayHavePythonsInfinity() throws IOException {
    Path like = tiny("like");
    Path config = like.resolve("scheduler/scheduler_config.json");
    String text =
        "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": -Infinity}";
    Files.writeString(config, text);
    Path out = folder.resolve("a");
    Run run = Run.of("synthesize", "--config", like.toString(), "--out", out.toString());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(text, Files.readString(out.resolve("scheduler/scheduler_config.json")));
  }

  @Test
  void aBadConfigurationIsASentence() throws IOException {
    Path bad = tiny("bad");
    Path config = bad.resolve("unet/config.json");
    Files.writeString(
        config,
        Files.readString(config).replace("\"norm_num_groups\": 4", "\"norm_num_groups\": 3"));
    refused(
        1,
        "[config] unet/config.json: norm_num_groups is 3; it must divide the 8 channels.",
        "--config",
        bad.toString(),
        "--out",
        path("a"));
    Files.delete(config);
    refused(
        1, "unet/config.json: there is no such file", "--config", path("bad"), "--out", path("a"));
  }

  @Test
  void aTokenizerWithMoreIdsThanTheEncoderHasRowsIsRefused() throws IOException {
    Path small = tiny("small");
    Path config = small.resolve("text_encoder/config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"padded_vocab_size\": 2048", "\"padded_vocab_size\": 512"));
    refused(1, "padded_vocab_size is 512", "--config", small.toString(), "--out", path("a"));
  }

  @Test
  void aModelThatNoDiskHoldsIsRefusedBeforeAnythingIsWritten() throws IOException {
    Path huge = tiny("huge");
    Path config = huge.resolve("text_encoder/config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"padded_vocab_size\": 2048", "\"padded_vocab_size\": 16000000")
            .replace("\"hidden_size\": 8", "\"hidden_size\": 200000"));
    Run run =
        refused(
            1,
            "and the disk has",
            "--config",
            huge.toString(),
            "--parts",
            "text",
            "--out",
            path("a"));
    assertTrue(run.err().contains("GB free: choose another folder, fewer --parts"), run.err());
    assertEquals(List.of("huge"), names(folder));
  }

  private Run refused(int exitCode, String message, String... args) {
    Run run =
        Run.of(Stream.concat(Stream.of("synthesize"), Stream.of(args)).toArray(String[]::new));
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertEquals("", run.out());
    return run;
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aKilledRunLeavesNothingThatLooksFinishedAndAnInterruptedOneNothing() throws Exception {
    for (boolean forcibly : List.of(true, false)) {
      Path out = folder.resolve(forcibly ? "killed" : "interrupted");
      Path partial = folder.resolve(out.getFileName() + ".partial");
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Dkolors4j.relaunch=false",
                  "-cp",
                  System.getProperty("java.class.path")
                      + File.pathSeparator
                      + System.getProperty("jdk.module.path", ""),
                  "io.github.kolors4j.cli.Main",
                  "synthesize",
                  "--parts",
                  "vae",
                  "--threads",
                  "1",
                  "--out",
                  out.toString())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("log").toFile())
              .start();
      while (!Files.exists(partial.resolve("vae")) && process.isAlive()) {
        Thread.sleep(1);
      }
      assertTrue(process.isAlive(), Files.readString(folder.resolve("log")));
      if (forcibly) {
        process.destroyForcibly();
      } else {
        process.destroy();
      }
      process.waitFor();
      assertFalse(Files.exists(out), Files.readString(folder.resolve("log")));
      if (forcibly) {
        assertFalse(Files.exists(partial.resolve("vae/diffusion_pytorch_model.fp16.safetensors")));
      } else {
        assertFalse(Files.exists(partial), Files.readString(folder.resolve("log")));
      }
    }
  }
}
