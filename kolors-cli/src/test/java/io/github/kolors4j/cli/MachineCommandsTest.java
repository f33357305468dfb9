package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.estimate.MachineSpeed;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Before a start: {@code estimate}, {@code doctor} and {@code completion}. */
class MachineCommandsTest {
  @TempDir private Path folder;

  @Test
  void anEstimateHasTheStagesAndBytesOfTheContract() {
    JsonObject json =
        Run.of("estimate", "一只瓢虫", "--width", "512", "--height", "512", "--steps=10", "--json")
            .json();
    assertEquals(Set.of("seconds", "heapBytes", "mappedBytes", "diskBytes"), json.keySet());
    JsonObject seconds = json.getAsJsonObject("seconds");
    assertEquals(Set.of("start", "text", "denoise", "decode", "total"), seconds.keySet());
    double denoise = seconds.get("denoise").getAsDouble();
    assertTrue(denoise > 0 && denoise > seconds.get("decode").getAsDouble(), json.toString());
    double start = seconds.get("start").getAsDouble();
    assertTrue(start > 1, "a new process has to start and to compile: " + json);
    assertTrue(seconds.get("total").getAsDouble() >= start + denoise, json.toString());
    assertTrue(json.get("heapBytes").getAsLong() > 50_000_000, json.toString());
    assertTrue(json.get("diskBytes").getAsLong() > 10_000_000, json.toString());
    // the U-Net of mini, the largest of its models
    assertEquals(11, json.get("mappedBytes").getAsLong() / 1_000_000);
  }

  @Test
  void anEstimateRefusesWhatGenerateRefusesAndWritesNothing() {
    assertEquals(2, Run.of("estimate", "x", "--width", "65").exitCode());
    assertEquals(2, Run.of("estimate").exitCode());
    Run run = Run.of("estimate", "x", "--out", folder.resolve("a.png").toString());
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("denoising"), run.out());
    assertFalse(Files.exists(folder.resolve("a.png")));
  }

  @Test
  void aStageThatRanHereIsForeseenByItsRunsAndTheOthersByAProbe() throws IOException {
    Path file = folder.resolve("speeds.json");
    Files.writeString(file, "{\"mini\": {\"denoise\": 2e9}}");
    EarlierRuns runs = new EarlierRuns(Optional.of(file), "mini", 1, Products.F32);
    ImageRequest request = ImageRequest.of("x");
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      MachineSpeed slow = new MachineSpeed(1e6, 1e6, 1e6);
      CostEstimate estimate = runs.estimate(pipeline, request, () -> slow);
      CostEstimate probed = pipeline.estimate(request, slow);
      assertEquals(probed.text(), estimate.text());
      assertEquals(probed.decode(), estimate.decode());
      assertEquals(probed.denoise().flop() / 2e9, estimate.denoise().seconds(), 1e-9);
      assertTrue(estimate.denoise().seconds() > 0);

      Files.writeString(file, "{\"mini\": {\"text\": 1, \"denoise\": 1, \"decode\": 1}}");
      runs.estimate(pipeline, request, () -> fail("all stages are known"));
    }
  }

  @Test
  void anEstimateIsOfThePrecisionThatIsAskedFor() {
    Run refused = Run.of("estimate", "x", "--precision", "BF16");
    assertEquals(2, refused.exitCode());
    assertTrue(
        refused.err().contains("no precision \"BF16\": use one of f32, f32-fast, bf16."),
        refused.err());
  }

  @Test
  void whatOnePrecisionTakesTeachesNothingAboutAnother() throws IOException {
    Products bf16 = Products.of(Precision.BF16);
    assumeTrue(bf16.kernel().isPresent(), "this CPU has no BF16");
    try (KolorsPipeline exact = KolorsPipeline.open(MiniCheckpoint.directory());
        KolorsPipeline rounded =
            KolorsPipeline.builder(MiniCheckpoint.directory()).precision(Precision.BF16).open()) {
      EarlierRuns ofExact = EarlierRuns.of(exact, 1);
      EarlierRuns ofRounded = EarlierRuns.of(rounded, 1);
      assertEquals(ofExact.key() + ", " + bf16, ofRounded.key());
      assertEquals(Precision.BF16, ofRounded.products().precision(), "what the probe measures");
    }
  }

  @Test
  void shortRunsTeachNothing() throws IOException {
    Path file = folder.resolve("speeds.json");
    EarlierRuns runs = new EarlierRuns(Optional.of(file), "mini", 1, Products.F32);
    CostEstimate.Stage small = new CostEstimate.Stage(9e11, 1);
    CostEstimate.Stage work = new CostEstimate.Stage(1e12, 1);
    CostEstimate estimate = new CostEstimate(small, work, work, 1, 1, 1);
    runs.remember(estimate, ran(1, 9.9, 20));
    assertFalse(Files.exists(file));
    runs.remember(estimate, ran(20, 10, 4)); // a busy machine
    JsonObject speeds =
        JsonParser.parseString(Files.readString(file)).getAsJsonObject().getAsJsonObject("mini");
    assertEquals(Set.of("denoise"), speeds.keySet());
    assertEquals(1e11, speeds.get("denoise").getAsDouble());
  }

  private static ImageResult ran(double text, double denoise, double decode) {
    Timings timings = new Timings(seconds(text), seconds(denoise), seconds(decode), seconds(60));
    return new ImageResult(
        ImageRequest.of("x"), List.of(), Optional.empty(), List.of(), timings, List.of());
  }

  private static Duration seconds(double seconds) {
    return Duration.ofMillis((long) (seconds * 1000));
  }

  @Test
  void theDoctorFindsEveryKnownResultRight() {
    Run run = Run.of("doctor", "--json");
    assertEquals(0, run.exitCode(), run.out());
    Set<String> names = new HashSet<>();
    for (JsonElement each : run.json().getAsJsonArray("checks")) {
      JsonObject check = each.getAsJsonObject();
      assertEquals(Set.of("name", "value", "ok", "advice"), check.keySet());
      assertEquals(check.get("advice").getAsString().isEmpty(), check.get("ok").getAsBoolean());
      names.add(check.get("name").getAsString());
    }
    for (String name :
        List.of(
            "java",
            "flags",
            "cpu",
            "kernels",
            "precisions",
            "threads",
            "memory",
            "heap",
            "cache",
            "hub cache")) {
      assertTrue(names.contains(name), names.toString());
    }
    for (String name : Set.of("tokenizer", "schedule", "noise", "unet step", "decode")) {
      assertTrue(names.contains(name), names.toString());
    }
    Run forPeople = Run.of("doctor");
    assertTrue(forPeople.out().contains("ok decode"), forPeople.out());
    // a path or an option may be longer by itself
    forPeople
        .out()
        .lines()
        .filter(line -> line.length() > 100)
        .forEach(line -> assertFalse(line.substring(16).contains(" "), line));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void bashTakesTheCompletionScript() throws IOException, InterruptedException {
    Run run = Run.of("completion", "bash");
    assertEquals(0, run.exitCode(), run.err());
    Path script = Files.writeString(folder.resolve("complete.sh"), run.out());
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source '"
                    + script
                    + "'; compopt() { :; };" // which works in a completion only
                    + " words() { COMP_WORDS=(kolors \"$@\"); COMP_CWORD=$#; COMPREPLY=();"
                    + " _complete_kolors; echo \"$*:\" \"${COMPREPLY[@]}\"; };"
                    + " words generate --prev; words generate --preview ''; words cache '';"
                    + " words generate --scheduler dpmsolver; words serve --precision '';"
                    + " words generate --rng cuda")
            .redirectErrorStream(true)
            .start();
    String output = new String(bash.getInputStream().readAllBytes());
    assertTrue(bash.waitFor(60, TimeUnit.SECONDS));
    assertTrue(output.contains("generate --prev: --preview-vae --preview\n"), output);
    assertTrue(output.contains("--preview : auto kitty iterm blocks none\n"), output);
    assertTrue(output.contains("cache : list verify remove\n"), output);
    assertTrue(output.contains("dpmsolver: dpmsolver"), output);
    assertTrue(output.contains("--rng cuda: cuda cuda-f16\n"), output);
    assertTrue(output.contains("--precision : f32 f32-fast bf16\n"), output);
    assertTrue(Run.of("completion", "zsh").out().contains("compinit"));
    assertEquals(2, Run.of("completion", "fish").exitCode());
  }
}
