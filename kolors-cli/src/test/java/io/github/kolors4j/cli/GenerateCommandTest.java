package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the mini checkpoint, at its smallest size and with few steps. */
class GenerateCommandTest {
  @TempDir private Path folder;

  private Run generate(String... more) {
    List<String> args = new ArrayList<>(List.of("generate", "一只瓢虫", "--width", "32"));
    args.addAll(List.of("--height", "24", "--steps", "2"));
    args.addAll(List.of(more));
    return Run.of(args.toArray(String[]::new));
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  @Test
  void aPictureHasItsSizeAndIsNamedOnStandardOutput() throws IOException {
    Run run = generate("--out", file("图.png"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(file("图.png") + System.lineSeparator(), run.out());
    BufferedImage image = ImageIO.read(folder.resolve("图.png").toFile());
    assertEquals(32, image.getWidth());
    assertEquals(24, image.getHeight());
    assertTrue(run.err().contains("step 2/2"), run.err());
    assertTrue(run.err().contains("seed "), run.err());
  }

  @Test
  void jsonHasEveryKeyOfTheContract() {
    JsonObject json = generate("--out", file("a.png"), "--seed", "7", "--json").json();
    assertEquals(
        Set.of(
            "files", "seeds", "width", "height", "steps", "guidanceScale", "scheduler", "timings"),
        json.keySet());
    assertEquals("[\"" + file("a.png") + "\"]", json.get("files").toString());
    assertEquals("[7]", json.get("seeds").toString());
    assertEquals("32", json.get("width").toString());
    assertEquals("24", json.get("height").toString());
    assertEquals("2", json.get("steps").toString());
    assertEquals("5.0", json.get("guidanceScale").toString());
    assertEquals("EulerDiscreteScheduler", json.get("scheduler").getAsString());
    JsonObject timings = json.getAsJsonObject("timings");
    assertEquals(Set.of("load", "text", "denoise", "decode", "total"), timings.keySet());
    double parts = 0;
    for (String part : List.of("load", "text", "denoise", "decode")) {
      assertTrue(timings.get(part).getAsDouble() > 0, part);
      parts += timings.get(part).getAsDouble();
    }
    assertTrue(timings.get("total").getAsDouble() >= parts, timings.toString());
  }

  @Test
  void oneSeedAndSeveralImagesMeanItsSuccessorsEachAsIfAlone() throws IOException {
    JsonObject json =
        generate("--out", file("k.v1.png"), "--seed", "5", "--images", "2", "--json").json();
    assertEquals("[5,6]", json.get("seeds").toString());
    assertEquals(2, json.getAsJsonArray("files").size());
    assertEquals(0, generate("--out", file("alone.png"), "--seed", "6").exitCode());
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("alone.png")),
        Files.readAllBytes(folder.resolve("k.v1-1.png")));
    assertTrue(Files.exists(folder.resolve("k.v1-0.png")));
  }

  @Test
  void severalSeedsSetTheNumberOfImages() {
    JsonObject json = generate("--out", file("k.png"), "--seed", "9,3,9", "--json").json();
    assertEquals("[9,3,9]", json.get("seeds").toString());
    assertEquals(3, json.getAsJsonArray("files").size());
  }

  @Test
  void aDrawnSeedIsReportedAndMakesTheSamePictureAgain() throws IOException {
    JsonObject json = generate("--out", file("a.png"), "--json").json();
    String seed = json.getAsJsonArray("seeds").get(0).toString();
    assertEquals(0, generate("--out", file("b.png"), "--seed", seed).exitCode());
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("a.png")), Files.readAllBytes(folder.resolve("b.png")));
  }

  @Test
  void latentsAreOneFileAndDoNotDependOnTheNumberOfThreads() throws IOException {
    assertEquals(0, latents("a", "--images", "2", "--threads", "1").exitCode());
    assertEquals(0, latents("b", "--images", "2", "--threads", "7").exitCode());
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("a.safetensors"))) {
      assertEquals(Set.of("latents"), file.names());
      assertEquals(List.of(2L, 4L, 6L, 8L), file.find("latents").orElseThrow().shape());
      assertEquals(DType.F32, file.find("latents").orElseThrow().dtype());
    }
    assertEquals(
        -1, Files.mismatch(folder.resolve("a.safetensors"), folder.resolve("b.safetensors")));
  }

  private Run latents(String name, String... more) {
    List<String> args = new ArrayList<>(List.of("--out", file(name + ".safetensors")));
    args.addAll(List.of("--output-type", "latent", "--seed", "1"));
    args.addAll(List.of(more));
    return generate(args.toArray(String[]::new));
  }

  @Test
  void givenLatentsReplaceTheNoise() throws IOException {
    write("given", new float[4 * 6 * 8], 1, 4, 6, 8);
    Run first = latents("a", "--latents", file("given"), "--seed=1");
    assertEquals(2, first.exitCode(), "a second --seed is refused");
    String[] args = {"--latents", file("given"), "--output-type", "latent"};
    assertEquals(0, generate(with(args, "--out", file("a"), "--seed", "1")).exitCode());
    assertEquals(0, generate(with(args, "--out", file("b"), "--seed", "2")).exitCode());
    assertEquals(-1, Files.mismatch(folder.resolve("a"), folder.resolve("b")));
  }

  @Test
  void latentsOfAnotherShapeOrTypeAreRefused() throws IOException {
    write("wrong", new float[4 * 8 * 8], 1, 4, 8, 8);
    write("two", new float[2 * 4 * 6 * 8], 2, 4, 6, 8);
    write("flat", new float[4 * 6 * 8], 192);
    for (String name : List.of("wrong", "two", "flat")) {
      Run run = generate("--latents", file(name), "--out", file("x.png"));
      assertEquals(2, run.exitCode(), run.err());
      assertTrue(run.err().contains("latents"), run.err());
      assertEquals(1, run.err().lines().count(), run.err());
    }
    SafetensorsWriter.write(
        folder.resolve("ids"),
        Map.of(),
        Map.of("latents", TensorData.i64(new long[192], 1, 4, 6, 8)));
    Run run = generate("--latents", file("ids"), "--out", file("x.png"));
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("I64"), run.err());
    assertFalse(Files.exists(folder.resolve("x.png")));
  }

  private void write(String name, float[] values, long... shape) throws IOException {
    SafetensorsWriter.write(
        folder.resolve(name), Map.of(), Map.of("latents", TensorData.f32(values, shape)));
  }

  @Test
  void anotherSchedulerTakesOverTheCheckpointsConfig() {
    JsonObject json =
        generate(
                "--scheduler",
                "dpmsolver++",
                "--scheduler-option",
                "use_karras_sigmas=true",
                "--scheduler-option",
                "algorithm_type=dpmsolver++",
                "--out",
                file("a.png"),
                "--json")
            .json();
    assertEquals("DPMSolverMultistepScheduler", json.get("scheduler").getAsString());
  }

  @Test
  void anOptionAloneAppliesToTheCheckpointsScheduler() throws IOException {
    assertEquals(0, latents("plain").exitCode());
    assertEquals(0, latents("same", "--scheduler", "EulerDiscreteScheduler").exitCode());
    assertEquals(0, latents("k", "--scheduler-option", "use_karras_sigmas=true").exitCode());
    Path plain = folder.resolve("plain.safetensors");
    assertEquals(-1, Files.mismatch(plain, folder.resolve("same.safetensors")));
    assertTrue(Files.mismatch(plain, folder.resolve("k.safetensors")) >= 0);
  }

  @Test
  void anExistingFileIsReplacedAndAnUnfitRequestLeavesItAlone() throws IOException {
    Path file = Files.writeString(folder.resolve("a.png"), "old");
    assertEquals(2, generate("--out", file.toString(), "--scheduler", "none").exitCode());
    assertEquals("old", Files.readString(file));
    assertEquals(0, generate("--out", file.toString()).exitCode());
    assertEquals(24, ImageIO.read(file.toFile()).getHeight());
  }

  @Test
  void aPromptMayBeEmptyOrLookLikeAnOption() {
    Run empty = Run.of(small("", "--out", file("a.png")));
    assertEquals(0, empty.exitCode(), empty.err());
    Run hyphen = Run.of(small("--guidance-scale=1", "--out", file("b.png"), "--", "--seed"));
    assertEquals(0, hyphen.exitCode(), hyphen.err());
    Run at = Run.of(small("@no-such-file", "--out", file("c.png")));
    assertEquals(0, at.exitCode(), at.err());
  }

  @Test
  void whatIsLostOfALongPromptIsSaid() {
    String prompt = "ladybug ".repeat(300) + "penguin";
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    PrintStream err = System.err;
    System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8)); // the logger's
    try {
      Run run = Run.of(small(prompt, "--out", file("a.png")));
      assertEquals(0, run.exitCode(), run.err());
    } finally {
      System.setErr(err);
    }
    String warning = log.toString(StandardCharsets.UTF_8);
    assertTrue(warning.startsWith("WARN") && warning.contains("penguin"), warning);
  }

  @Test
  void onAScreenTheBarOverwritesItsLine() {
    Run run = Run.with(true, small("x", "--out", file("a.png")));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().contains("\r") && run.err().contains("##"), run.err());
    assertFalse(run.out().contains("\r#"), run.out());
  }

  private static String[] small(String first, String... more) {
    String[] args = {"generate", "--width", "16", "--height", "16", "--steps", "1", first};
    return with(args, more);
  }

  private static String[] with(String[] args, String... more) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }
}
