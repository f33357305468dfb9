package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureText;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pictures of the mini checkpoint that know how they were made: {@code replay} and {@code show}.
 */
class ReplayCommandTest {
  @TempDir private Path folder;

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private void generate(String name, String... more) {
    List<String> args = new ArrayList<>(List.of("generate", "一只瓢虫", "--width", "32"));
    args.addAll(List.of("--height", "24", "--steps", "2", "--seed", "3", "--out", file(name)));
    args.addAll(List.of(more));
    Run run = Run.of(args.toArray(String[]::new));
    assertEquals(0, run.exitCode(), run.err());
  }

  private KolorsImage read(String name) throws IOException {
    return KolorsImage.read(folder.resolve(name));
  }

  @Test
  void aReplayedPictureHasTheSamePixelsAndTheSameFile() throws IOException {
    generate("a.png", "--scheduler", "dpmsolver++", "--negative-prompt", "模糊", "--threads", "1");
    Run run = Run.of("replay", file("a.png"), "--out", file("b.png"), "--threads", "3");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(file("b.png") + System.lineSeparator(), run.out());
    assertTrue(run.err().contains("the same pixels"), run.err());
    assertEquals(-1, Files.mismatch(folder.resolve("a.png"), folder.resolve("b.png")));
  }

  @Test
  void withoutAnOutItGoesBesideThePictureAndJsonIsOneLine() throws IOException {
    generate("a.png");
    JsonObject json = Run.of("replay", file("a.png"), "--json").json();
    assertEquals(file("a-replay.png"), json.get("file").getAsString());
    assertTrue(json.get("same").getAsBoolean());
    assertEquals("[]", json.get("differences").toString());
    assertEquals(read("a.png"), read("a-replay.png"));
  }

  @Test
  void eachOfSeveralPicturesIsReplayedAlone() throws IOException {
    generate("k.png", "--images", "2");
    assertEquals(0, Run.of("replay", file("k-1.png"), "--out", file("b.png")).exitCode());
    assertEquals(read("k-1.png"), read("b.png"));
  }

  @Test
  void imageToImageIsReplayedWithoutTheImagesFile() throws IOException {
    byte[] rgb = new byte[64 * 50 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i % 253);
    }
    KolorsImage.of(64, 50, rgb).save(folder.resolve("given.png"));
    generate("a.png", "--image", file("given.png"), "--strength", "0.6");
    Files.delete(folder.resolve("given.png"));
    Run run = Run.of("replay", file("a.png"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(read("a.png"), read("a-replay.png"));
  }

  @Test
  void aJpegKnowsTheSameAndIsReplayedAsAPng() throws IOException {
    generate("a.jpg");
    generate("a.png");
    Run run = Run.of("replay", file("a.jpg"), "--out", file("b.png"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(read("a.png"), read("b.png"));
  }

  @Test
  void withoutMetadataNothingIsInTheFileAndNothingIsReplayed() throws IOException {
    generate("a.png", "--no-metadata");
    generate("b.png");
    assertEquals(Map.of(), PictureText.read(folder.resolve("a.png")));
    assertEquals(read("b.png"), read("a.png"));
    for (String command : List.of("replay", "show")) {
      Run run = Run.of(command, file("a.png"));
      assertEquals(1, run.exitCode());
      assertTrue(run.err().contains("--no-metadata"), run.err());
      assertEquals("", run.out());
    }
    assertFalse(Files.exists(folder.resolve("a-replay.png")));
  }

  @Test
  void anotherModelIsNamedBeforeAnythingIsComputed() throws IOException {
    generate("a.png");
    Path model = folder.resolve("other");
    copy(MiniCheckpoint.directory(), model);
    Path vae;
    try (Stream<Path> files = Files.list(model.resolve("vae"))) {
      vae =
          files.filter(each -> each.toString().endsWith(".safetensors")).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(vae);
    for (int i = bytes.length / 2; i < bytes.length; i++) {
      bytes[i] ^= 1;
    }
    Files.write(vae, bytes);
    Run run = Run.of("replay", file("a.png"), "--model", model.toString());
    assertEquals(1, run.exitCode());
    assertTrue(
        run.err()
            .contains(
                "has another vae: give that model with --model, or, if it was made with --vae, the"
                    + " same --vae here."),
        run.err());
    assertFalse(run.err().contains("step"), run.err());
    assertFalse(Files.exists(folder.resolve("a-replay.png")));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  @Test
  void otherPixelsAreSaidWithHowFarTheyAreApartAndWhatElseDiffers() throws IOException {
    generate("a.png");
    KolorsImage picture = read("a.png");
    String json =
        PictureText.read(folder.resolve("a.png"))
            .get(PictureMetadata.KEYWORD)
            .replace("\"seed\":3", "\"seed\":4")
            .replace("\"library\":\"", "\"library\":\"0.0.1-");
    picture.save(folder.resolve("a.png"), ImageFormat.PNG, Map.of(PictureMetadata.KEYWORD, json));
    Run run = Run.of("replay", file("a.png"));
    assertEquals(1, run.exitCode());
    assertTrue(
        run.err().matches("(?s).*[1-9][0-9,]* of 2,304 values differ, by at most .*"), run.err());
    assertTrue(run.err().contains("kolors4j 0.0.1-"), run.err());
    assertEquals(file("a-replay.png") + System.lineSeparator(), run.out());
  }

  @Test
  void whatTheMiniCheckpointHasItselfIsFoundByItsHash() throws IOException {
    KolorsImage.of(32, 24, new byte[32 * 24 * 3]).save(folder.resolve("given.png"));
    generate(
        "a.png",
        "--controlnet=mini",
        "--control-image=" + file("given.png"),
        "--controlnet-conditioning-scale=0.7",
        "--control-guidance-end=0.6",
        "--ip-adapter=mini",
        "--ip-adapter-image=" + file("given.png"),
        "--ip-adapter-scale=0.5");
    Run run = Run.of("replay", file("a.png"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(-1, Files.mismatch(folder.resolve("a.png"), folder.resolve("a-replay.png")));

    String shown = Run.of("show", file("a.png")).out();
    assertTrue(
        shown.contains("controlnet: controlnet at 0.7, from 0.0 to 0.6 of the steps, hash "),
        shown);
    assertTrue(
        shown.matches("(?s).*\nip_adapter: \\S+ at 0\\.5, 1 image, hash [0-9a-f]{12}\n.*"), shown);

    String another = synthesize("other", "controlnet", 5).resolve("controlnet").toString();
    run = Run.of("replay", file("a.png"), "--controlnet", another);
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("--controlnet " + another), run.err());
    assertTrue(run.err().contains("was not made with it; leave it out."), run.err());
  }

  @Test
  void theMiniCheckpointsOwnUNetForMasksIsFoundByItsHash() throws IOException {
    byte[] white = new byte[32 * 24 * 3];
    Arrays.fill(white, (byte) 255);
    KolorsImage.of(32, 24, white).save(folder.resolve("given.png"));
    String given = file("given.png");
    generate("a.png", "--unet=mini-inpainting", "--image=" + given, "--mask=" + given);
    Run run = Run.of("replay", file("a.png"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(-1, Files.mismatch(folder.resolve("a.png"), folder.resolve("a-replay.png")));
  }

  @Test
  void adaptersOfOneNameAreToldApartByTheirHashes() throws IOException {
    Path a = synthesize("a", "lora", 1).resolve("pytorch_lora_weights.safetensors");
    Path b = synthesize("b", "lora", 2).resolve("pytorch_lora_weights.safetensors");
    generate("a.png", "--lora=" + a + "=0.3", "--lora=" + b + "=0.25");
    Run without = Run.of("replay", file("a.png"));
    Run one = Run.of("replay", file("a.png"), "--lora", a.toString());
    for (Run run : List.of(without, one)) {
      assertEquals(1, run.exitCode(), run.err());
      assertTrue(run.err().contains("the LoRA pytorch_lora_weights.safetensors, whose hash is "));
      assertTrue(run.err().contains("nor given: name it with --lora."), run.err());
    }
    Run both = Run.of("replay", file("a.png"), "--lora", b.toString(), "--lora", a.toString());
    assertEquals(0, both.exitCode(), both.err());
    assertEquals(-1, Files.mismatch(folder.resolve("a.png"), folder.resolve("a-replay.png")));
    String shown = Run.of("show", file("a.png")).out();
    assertTrue(shown.contains("adapters: pytorch_lora_weights.safetensors at 0.25, hash "), shown);
  }

  @Test
  void aControlNetFromElsewhereIsNamedByAnOption() throws IOException {
    Path net = synthesize("net", "controlnet", 5).resolve("controlnet");
    KolorsImage.of(32, 24, new byte[32 * 24 * 3]).save(folder.resolve("given.png"));
    generate("a.png", "--controlnet=" + net, "--control-image=" + file("given.png"));
    Run without = Run.of("replay", file("a.png"));
    assertEquals(1, without.exitCode(), without.err());
    assertTrue(without.err().contains("nor given: name it with --controlnet."), without.err());
    Run run = Run.of("replay", file("a.png"), "--controlnet", net.toString());
    assertEquals(0, run.exitCode(), run.err());
  }

  private Path synthesize(String name, String part, int seed) throws IOException {
    Path out = folder.resolve(name);
    Run run =
        Run.of(
            "synthesize",
            "--config=" + MiniCheckpoint.directory(),
            "--parts=" + part,
            "--rank=2",
            "--seed=" + seed,
            "--out=" + out);
    assertEquals(0, run.exitCode(), run.err());
    return out;
  }

  @Test
  void showSaysHowAPictureWasMade() throws IOException {
    generate("a.png");
    Run run = Run.of("show", file("a.png"));
    assertEquals(0, run.exitCode(), run.err());
    for (String line :
        List.of(
            "prompt: 一只瓢虫",
            "num_inference_steps: 2",
            "seed: 3",
            "width: 32",
            "scheduler: EulerDiscreteScheduler",
            "pixels: as they were made")) {
      assertTrue(run.out().lines().anyMatch(line::equals), run.out());
    }
    JsonObject json = Run.of("show", file("a.png"), "--json").json();
    assertEquals("一只瓢虫", json.getAsJsonObject("request").get("prompt").getAsString());
    assertEquals(64, json.get("pixels").getAsString().length());
  }

  @Test
  void showPrintsTheParametersOfOtherPrograms() throws IOException {
    KolorsImage.of(1, 1, new byte[3])
        .save(folder.resolve("a.png"), ImageFormat.PNG, Map.of("parameters", "a cat\nSteps: 20"));
    assertTrue(Run.of("show", file("a.png")).out().startsWith("a cat"));
    JsonObject json = Run.of("show", file("a.png"), "--json").json();
    assertEquals("a cat\nSteps: 20", json.get("parameters").getAsString());
  }

  @Test
  void aFileThatIsNotThereOrNoPictureIsOneSentence() throws IOException {
    Files.writeString(folder.resolve("a.txt"), "text");
    for (String name : List.of("none.png", "a.txt")) {
      for (String command : List.of("replay", "show")) {
        Run run = Run.of(command, file(name));
        assertEquals(1, run.exitCode());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(name), run.err());
        boolean exists = name.equals("a.txt");
        assertEquals(exists, run.err().contains("is no picture"), run.err());
      }
    }
  }
}
