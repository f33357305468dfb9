package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {
  private static final Set<String> KEYS =
      Set.of(
          "stage",
          "seconds",
          "gflops",
          "threads",
          "rss_gb",
          "anon_gb",
          "load_seconds",
          "width",
          "height",
          "batch",
          "steps");

  @TempDir private Path folder;

  private static Run bench(String... args) {
    return Run.of(Stream.concat(Stream.of("bench"), Stream.of(args)).toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "text | ''",
        "unet | garbage_mb prompt_seconds",
        "vae | ''",
        "image | decode_seconds denoise_seconds step_seconds text_seconds"
      })
  void aStageGivesOneObjectARun(String stage, String more) {
    Path tiny = folder.resolve("tiny");
    Run synthesize = Run.of("synthesize", "--config", "tiny", "--out", tiny.toString());
    assertEquals(0, synthesize.exitCode(), synthesize.err());
    Run run =
        bench(
            "--model",
            tiny.toString(),
            "--stage",
            stage,
            "--width",
            "64",
            "--height",
            "32",
            "--steps",
            "2",
            "--runs",
            "2",
            "--threads",
            "2",
            "--json");
    assertEquals(0, run.exitCode(), run.err());
    List<JsonObject> runs =
        run.out().lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
    assertEquals(2, runs.size());
    for (JsonObject each : runs) {
      assertTrue(each.keySet().containsAll(KEYS), each.toString());
      assertEquals(stage, each.get("stage").getAsString());
      assertTrue(each.get("seconds").getAsDouble() > 0, each.toString());
      assertTrue(each.get("gflops").getAsDouble() >= 0, each.toString());
      assertEquals(2, each.get("threads").getAsInt());
      assertEquals(64, each.get("width").getAsInt());
      assertEquals(32, each.get("height").getAsInt());
      boolean linux = Files.exists(Path.of("/proc/self/status"));
      assertEquals(linux, each.get("rss_gb").isJsonPrimitive(), each.toString());
      assertEquals(linux, each.get("anon_gb").isJsonPrimitive(), each.toString());
      for (String key : more.split(" ")) {
        assertTrue(key.isEmpty() || each.get(key).getAsDouble() >= 0, each.toString());
      }
    }
  }

  @Test
  void aWholeImageIsMeasuredWithWhatItFollows() throws IOException {
    String[] size = {"--width=32", "--height=32", "--steps=2", "--runs=1", "--warmup=0", "--json"};
    Stream<String> followed =
        Stream.of(
            "--stage=image",
            "--controlnet=" + MiniCheckpoint.controlNet(),
            "--ip-adapter=" + MiniCheckpoint.ipAdapter());
    Run run = bench(Stream.concat(followed, Stream.of(size)).toArray(String[]::new));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.json().get("step_seconds").getAsDouble() > 0, run.out());
  }

  @Test
  void filesAndAdaptersThatTheStageReadsTakeTheCheckpointsPlace() {
    String tiny = folder.resolve("tiny").toString();
    String[] parts = {"--parts", "unet,vae,text,taesd,lora", "--rank", "2"};
    Run synthesize =
        Run.of(
            Stream.concat(
                    Stream.of("synthesize", "--config", "tiny", "--out", tiny), Stream.of(parts))
                .toArray(String[]::new));
    assertEquals(0, synthesize.exitCode(), synthesize.err());
    String unet = tiny + "/unet/diffusion_pytorch_model.fp16.safetensors";
    JsonObject plain = measured(tiny, "unet");
    assertFalse(plain.has("lora_modules"), plain.toString());
    JsonObject adapted = measured(tiny, "unet", "--unet", unet, "--lora", tiny + "=0.5");
    try (SafetensorsFile lora =
        SafetensorsFile.open(Path.of(tiny, "pytorch_lora_weights.safetensors"))) {
      assertEquals(lora.names().size() / 2, adapted.get("lora_modules").getAsInt());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertEquals(0, measured(tiny, "text", "--lora", tiny).get("lora_modules").getAsInt());
    assertTrue(measured(tiny, "vae", "--vae", tiny + "/taesd").get("gflops").isJsonNull());
    JsonObject image = measured(tiny, "image", "--lora", tiny, "--unet", unet);
    assertEquals(adapted.get("lora_modules"), image.get("lora_modules"));
  }

  private static JsonObject measured(String model, String stage, String... more) {
    Stream<String> size = Stream.of("--width", "32", "--height", "32", "--steps", "1");
    Stream<String> once = Stream.of("--runs", "1", "--warmup", "0", "--json");
    Run run =
        bench(
            Stream.of(Stream.of("--model", model, "--stage", stage), size, once, Stream.of(more))
                .flatMap(each -> each)
                .toArray(String[]::new));
    assertEquals(0, run.exitCode(), run.err());
    return run.json();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--stage vae --lora a         | [bench] --lora: only --stage text or unet or image reads"
            + " it.",
        "--stage text --unet a        | [bench] --unet: only --stage unet or image reads it.",
        "--stage unet --controlnet a  | [bench] --controlnet: only --stage image reads it.",
        "--stage unet --vae a         | [bench] --vae: only --stage vae or image reads it.",
        "--kernels --text-encoder a   | [bench] --text-encoder: only --stage text or image reads"
            + " it.",
      })
  void whatTheStageDoesNotReadIsRefused(String args, String message) {
    refused(2, message, Stream.of(args.split(" ")));
  }

  @Test
  void withoutJsonItIsATable() {
    Run run = bench("--stage", "vae", "--width", "32", "--warmup", "0");
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    List<String> names = List.of(lines.getFirst().strip().split(" +"));
    String[] values = lines.getLast().strip().split(" +");
    assertEquals("32", values[names.indexOf("width")]);
    assertEquals("64", values[names.indexOf("height")], "what mini was trained on");
    assertEquals(4, lines.size(), run.out());
    assertTrue(lines.getFirst().startsWith("stage "), run.out());
    assertTrue(lines.stream().allMatch(line -> line.length() == lines.getFirst().length()));
  }

  @Test
  void aKernelIsAShareOfThePeak() {
    Run run = bench("--kernels", "--only", "1024x1024x1024", "--seconds", "0", "--json");
    assertEquals(0, run.exitCode(), run.err());
    JsonObject result = run.json();
    JsonObject kernel = result.getAsJsonArray("kernels").get(0).getAsJsonObject();
    assertEquals("matmul 1024x1024x1024", kernel.get("name").getAsString());
    assertTrue(kernel.get("gflops").getAsDouble() > 0, result.toString());
    if (kernel.get("peak_gflops").isJsonPrimitive()) {
      assertEquals(
          kernel.get("gflops").getAsDouble() / kernel.get("peak_gflops").getAsDouble(),
          kernel.get("share_of_peak").getAsDouble(),
          0.01);
    }
  }

  @Test
  void aKernelWhoseProductsStayF32IsAShareOfThePeakOfF32() {
    Products bf16 = Products.of(Precision.BF16);
    assumeTrue(bf16.kernel().isPresent(), "this CPU has no BF16");
    String name = bf16.kernel().get().description();
    Run run =
        bench(
            "--kernels", "--only", "16,16,1280,1280", "--precision=bf16", "--seconds=0", "--json");
    // AMX is so much faster that it needs no Winograd.
    assertEquals(name.contains("AMX") ? name : "FMA", instruction(run));
    run = bench("--kernels", "--only", "1024x256", "--precision=bf16", "--seconds=0", "--json");
    assertEquals(name, instruction(run));
  }

  private static String instruction(Run run) {
    assertEquals(0, run.exitCode(), run.err());
    JsonObject kernel = run.json().getAsJsonArray("kernels").get(0).getAsJsonObject();
    return kernel.get("instruction").getAsString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--width 0            | [bench] width 0: use 1 or more.",
        "--height -8          | [bench] height -8: use 1 or more.",
        "--width 63           | [bench] width 63 is not a multiple of 4: use 64.",
        "--precision f16      | [precision] no precision \"f16\": use one of f32, f32-fast",
        "--batch 0            | [bench] batch 0: use 1 or more.",
        "--steps 0            | [bench] steps 0: use 1 or more.",
        "--runs 0             | [bench] --runs 0 --warmup 1: at least one run is needed",
        "--width 4000000 --height 400000 | and 2^31-1 are the most: use a smaller size.",
        "--kernels            | [bench] give --stage text, unet, vae or image, or --kernels.",
        "--threads 0          | [threads] 0 threads: use 1 to 1024.",
        "--width x            | is not an int"
      })
  void whatIsImpossibleIsOneSentence(String args, String message) {
    refused(2, message, Stream.concat(Stream.of("--stage", "unet"), Stream.of(args.split(" "))));
    if (args.contains("000")) {
      refused(2, message, Stream.concat(Stream.of("--stage", "vae"), Stream.of(args.split(" "))));
    }
  }

  @Test
  void unknownNamesAndMissingFilesAreSentences() {
    refused(2, "[bench] --stage clip: use text, unet, vae or image.", Stream.of("--stage", "clip"));
    refused(2, "[bench] give --stage", Stream.of());
    refused(2, "no kernel has that in its name", Stream.of("--kernels", "--only", "fft"));
    refused(
        1,
        "config.json: there is no such file",
        Stream.of("--stage", "unet", "--model", folder.resolve("none").toString()));
  }

  private static void refused(int exitCode, String message, Stream<String> args) {
    Run run = bench(args.toArray(String[]::new));
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertEquals("", run.out());
  }
}
