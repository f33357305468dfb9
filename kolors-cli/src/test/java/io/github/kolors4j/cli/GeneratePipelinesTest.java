package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of the arguments that the pipelines have beyond the plain ones, on the mini checkpoint. */
class GeneratePipelinesTest {
  private static final String PROMPT = "一只瓢虫";

  @TempDir private Path folder;

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  /** A run at a small size, with a seed, to a file of that name. */
  private Run generate(String name, String... more) {
    List<String> args = new ArrayList<>(List.of("generate", "--width", "32", "--height", "24"));
    args.addAll(List.of("--seed", "1", "--out", file(name)));
    args.addAll(List.of(more));
    return Run.of(args.toArray(String[]::new));
  }

  /** The latents of two steps. */
  private Path latents(String name, String... more) {
    List<String> args = new ArrayList<>(List.of(PROMPT, "--output-type", "latent"));
    args.addAll(List.of(more));
    Run run = generate(name, args.toArray(String[]::new));
    assertEquals(0, run.exitCode(), run.err());
    return folder.resolve(name);
  }

  private static void assertSame(Path a, Path b) throws IOException {
    assertEquals(-1, Files.mismatch(a, b));
  }

  private static void assertDifferent(Path a, Path b) throws IOException {
    assertTrue(Files.mismatch(a, b) >= 0, a + " is the same as " + b);
  }

  private Path image(String name, int width, int height) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, new Color(255 * x / width, 255 * y / height, 128).getRGB());
      }
    }
    ImageIO.write(image, "png", folder.resolve(name).toFile());
    return folder.resolve(name);
  }

  @Test
  void theTimestepsThatTwoStepsHaveGiveTheSameLatents() throws IOException {
    // leading: 1100 / 2 · [1, 0] + 1
    Path steps = latents("steps", "--steps", "2");
    assertSame(steps, latents("timesteps", "--timesteps", "551,1"));
    assertDifferent(steps, latents("others", "--timesteps", "900,1"));
  }

  @Test
  void jsonCountsChosenTimestepsAndSigmas() {
    Run timesteps = generate("a.png", PROMPT, "--timesteps", "900,500,1", "--json");
    assertEquals(3, timesteps.json().get("steps").getAsInt());
    Run sigmas = generate("a.png", PROMPT, "--sigmas", "14.6,2,0", "--json");
    assertEquals(2, sigmas.json().get("steps").getAsInt());
  }

  @Test
  void embeddingsThatEncodeHasWrittenStandForTheirPrompts() throws IOException {
    String[] encode = {"encode", PROMPT, "--negative-prompt", "", "--out", file("embeds")};
    assertEquals(0, Run.of(encode).exitCode());
    Path expected = latents("prompt", "--steps", "1");
    String[] args = {"--embeds", file("embeds"), "--output-type", "latent", "--steps", "1"};
    Run run = generate("embeds.safetensors", args);
    assertEquals(0, run.exitCode(), run.err());
    assertSame(expected, folder.resolve("embeds.safetensors"));
  }

  @Test
  void embeddingsNeedTheTensorsThatEncodeWrites() throws IOException {
    latents("latents", "--steps", "1");
    Run run = generate("a.png", "--embeds", file("latents"));
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("prompt_embeds"), run.err());
  }

  @Test
  void withoutWidthAndHeightAnImageKeepsItsSizeRoundedDown() throws IOException {
    Path image = image("given.png", 45, 31);
    String[] args = {"generate", PROMPT, "--image", image.toString(), "--strength", "0.5"};
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--steps", "4", "--json", "--out", file("a.png")));
    JsonObject json = Run.of(all.toArray(String[]::new)).json();
    assertEquals(40, json.get("width").getAsInt());
    assertEquals(24, json.get("height").getAsInt());
    assertEquals(40, ImageIO.read(folder.resolve("a.png").toFile()).getWidth());
  }

  @Test
  void anImageIsResizedToWidthAndHeight() throws IOException {
    Path image = image("given.png", 100, 50);
    Run run = generate("a.png", PROMPT, "--image", image.toString(), "--steps", "4");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(32, ImageIO.read(folder.resolve("a.png").toFile()).getWidth());
    assertEquals(24, ImageIO.read(folder.resolve("a.png").toFile()).getHeight());
  }

  /** By a decoder of another module, which has to be on the class path and in the jar. */
  @Test
  void aWebpBeginsWithItsPixels() throws IOException {
    BufferedImage pixels = new BufferedImage(32, 24, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 32 * 24; i++) {
      pixels.setRGB(i % 32, i / 32, new Color(200, 30, 60).getRGB());
    }
    Path png = folder.resolve("red.png");
    ImageIO.write(pixels, "png", png.toFile());
    // Of Pillow: Image.new("RGB", (32, 24), (200, 30, 60)).save("red.webp", lossless=True)
    byte[] bytes =
        HexFormat.of()
            .parseHex(
                "524946461e000000574542505650384c"
                    + "110000002f1fc0050007508f2297a7ff8188e87f0000");
    Path webp = Files.write(folder.resolve("red.webp"), bytes);
    Path expected = latents("a", "--image", png.toString(), "--steps", "4");
    assertSame(expected, latents("b", "--image", webp.toString(), "--steps", "4"));
  }

  @Test
  void anImageWithoutALatentCellIsRefused() throws IOException {
    Path image = image("dot.png", 3, 3);
    Run run = Run.of("generate", PROMPT, "--image", image.toString(), "--out", file("a.png"));
    assertEquals(2, run.exitCode(), run.err());
  }

  @Test
  void strengthDecidesHowMuchIsRedrawn() throws IOException {
    String image = image("given.png", 32, 24).toString();
    Path little = latents("little", "--steps", "4", "--image", image, "--strength", "0.25");
    Path much = latents("much", "--steps", "4", "--image", image, "--strength", "1");
    assertDifferent(little, much);
    assertSame(much, latents("again", "--steps", "4", "--image", image, "--strength", "1"));
  }

  @Test
  void strengthBesideDenoisingStartIsSaidToHaveNoEffect() throws IOException {
    String image = image("given.png", 32, 24).toString();
    Run run =
        generate(
            "a.png", PROMPT, "--steps=4", "--image", image, "--strength=1", "--denoising-start=.5");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().contains("warning") && run.err().contains("--strength"), run.err());
  }

  @Test
  void denoisingThatWouldStartAfterItsEndIsRefused() throws IOException {
    String image = image("given.png", 32, 24).toString();
    Run run =
        generate("a.png", PROMPT, "--image", image, "--denoising-start=.8", "--denoising-end=.2");
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains("denoising_start"), run.err());
  }

  @Test
  void aMaskSaysWhereAnImageIsRedrawn() throws IOException {
    String image = image("given.png", 32, 24).toString();
    String mask = image("mask.png", 32, 24).toString(); // brighter to the lower right
    Path all = latents("all", "--steps=3", "--image", image, "--strength=.9999");
    Path part = latents("part", "--steps=3", "--image", image, "--mask", mask);
    assertDifferent(all, part);
    assertSame(
        part, latents("same", "--steps=3", "--image", image, "--mask", mask, "--strength=.9999"));
    assertDifferent(
        part,
        latents("map", "--steps=3", "--image", image, "--strength-map", mask, "--strength=.8"));
    String[] cropped = {"--padding-mask-crop=3", "--mask-blur=2", "--steps=3"};
    List<String> args = new ArrayList<>(List.of(PROMPT, "--image", image, "--mask", mask));
    args.addAll(List.of(cropped));
    Run run = generate("cropped.png", args.toArray(String[]::new));
    assertEquals(0, run.exitCode(), run.err());
    assertRefused("--mask", "--mask", mask);
    assertRefused("--strength-map", "--strength-map", mask);
    assertRefused("--padding-mask-crop", "--image", image, "--padding-mask-crop=3");
    assertRefused("both", "--image", image, "--mask", mask, "--strength-map", mask);
  }

  @Test
  void aMaskOfWhichABlurLeavesNothingIsWarnedOf() throws IOException {
    String image = image("given.png", 32, 24).toString();
    BufferedImage dot = new BufferedImage(32, 24, BufferedImage.TYPE_INT_RGB);
    dot.setRGB(16, 12, Color.WHITE.getRGB());
    ImageIO.write(dot, "png", folder.resolve("dot.png").toFile());
    String[] masked = {PROMPT, "--steps=2", "--image=" + image, "--mask=" + file("dot.png")};
    assertEquals("", logged(() -> generate("plain.png", masked)));
    List<String> blurred = new ArrayList<>(List.of(masked));
    blurred.add("--mask-blur=2");
    String[] args = blurred.toArray(String[]::new);
    String warning = logged(() -> generate("blurred.png", args));
    assertTrue(
        warning.contains("WARN [request] the mask marks nothing of the 8x6 latents"), warning);
    blurred.set(blurred.size() - 1, "--mask-blur=20");
    blurred.add("--padding-mask-crop=1");
    assertRefused("the mask is all black", blurred.subList(1, 6).toArray(String[]::new));
  }

  /** What the engine logs of a run that succeeds. */
  private static String logged(Supplier<Run> command) {
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    PrintStream err = System.err;
    System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
    try {
      Run run = command.get();
      assertEquals(0, run.exitCode(), run.err());
    } finally {
      System.setErr(err);
    }
    return log.toString(StandardCharsets.UTF_8);
  }

  private void assertRefused(String named, String... more) {
    List<String> args = new ArrayList<>(List.of(PROMPT));
    args.addAll(List.of(more));
    Run run = generate("a.png", args.toArray(String[]::new));
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains(named), run.err());
  }

  @Test
  void controlNetsLeadAndEachHasTheOptionsThatFollowIt() throws IOException {
    String mini = MiniCheckpoint.directory().toString();
    Run made =
        Run.of("synthesize", "--config", mini, "--parts", "controlnet", "--out", file("made"));
    assertEquals(0, made.exitCode(), made.err());
    String net = folder.resolve("made").resolve("controlnet").toString();
    String image = image("given.png", 32, 24).toString();
    String scale = "--controlnet-conditioning-scale";
    Path plain = latents("plain", "--steps=2");
    Path led = latents("led", "--steps=2", "--controlnet", net, "--control-image", image);
    assertDifferent(plain, led);
    assertSame(
        plain,
        latents("zero", "--steps=2", "--controlnet", net, "--control-image", image, scale, "0"));
    assertSame(
        led,
        latents(
            "second",
            "--steps=2",
            "--controlnet",
            net,
            "--control-image",
            image,
            scale,
            "0",
            "--controlnet",
            net,
            "--control-image",
            image,
            scale,
            "0.8"));
    assertDifferent(
        led,
        latents("canny", "--steps=2", "--controlnet", net, "--control-image", image, "--canny"));
    assertRefused("--control-image", "--controlnet", net);
    assertRefused("--controlnet", "--control-image", image);
    Run absent =
        generate("a.png", PROMPT, "--controlnet", file("absent"), "--control-image", image);
    assertEquals(1, absent.exitCode(), absent.err());
    Run away =
        generate("a.png", PROMPT, "--controlnet", "Owner/none-such", "--control-image", image);
    assertEquals(1, away.exitCode(), away.err());
    assertTrue(away.err().contains("run ./kolors pull Owner/none-such"), away.err());
  }

  @Test
  void whatIsShippedWithTheMiniCheckpointHasAName() throws IOException {
    String image = image("given.png", 32, 24).toString();
    Path plain = latents("plain", "--steps=2");
    assertDifferent(
        plain, latents("led", "--steps=2", "--controlnet=mini", "--control-image=" + image));
    assertDifferent(
        plain, latents("like", "--steps=2", "--ip-adapter=mini", "--ip-adapter-image=" + image));
  }

  @Test
  void whereThereIsOneItsOptionsMayComeBeforeIt() throws IOException {
    String image = "--control-image=" + image("given.png", 32, 24);
    assertSame(
        latents("behind", "--steps=2", "--controlnet=mini", image, "--canny"),
        latents("before", "--steps=2", "--canny", image, "--controlnet=mini"));
  }

  @Test
  void anOptionOfOneControlNetThatIsThereTwiceIsNamed() throws IOException {
    String image = image("given.png", 32, 24).toString();
    for (String option : List.of("--control-image=" + image, "--guess-mode")) {
      Run run =
          generate(
              "a.png", PROMPT, "--controlnet=mini", "--control-image=" + image, option, option);
      assertEquals(2, run.exitCode(), run.err());
      String name = option.replaceFirst("=.*", "");
      assertTrue(run.err().contains(name + " is there twice for one --controlnet"), run.err());
    }
    Run orphan = generate("a.png", PROMPT, "--control-image=" + image);
    assertEquals(2, orphan.exitCode(), orphan.err());
    assertTrue(orphan.err().contains("--control-image without --controlnet"), orphan.err());
  }

  @Test
  void anAdapterThatDoesNotFitIsAFaultOfItsFile() {
    Path lora = folder.resolve("tiny");
    Run made = Run.of("synthesize", "--config=tiny", "--parts=lora", "--rank=2", "--out=" + lora);
    assertEquals(0, made.exitCode(), made.err());
    Run run = generate("a.png", PROMPT, "--steps=1", "--lora=" + lora);
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("pytorch_lora_weights.safetensors"), run.err());
  }

  @Test
  void valuesThatAreNotFiniteAreSaidWithTheAdapterAndOptionsOfTheCommandLine() throws IOException {
    Path lora = folder.resolve("mini");
    Run made =
        Run.of(
            "synthesize",
            "--config=" + MiniCheckpoint.directory(),
            "--parts=lora",
            "--rank=2",
            "--out=" + lora);
    assertEquals(0, made.exitCode(), made.err());
    Run run = generate("a.png", PROMPT, "--steps=1", "--lora=" + lora + "=1e38");
    assertEquals(1, run.exitCode(), run.err());
    for (String part : List.of("pytorch_lora_weights", "inspect --check", "--compat diffusers")) {
      assertTrue(run.err().contains(part), run.err());
    }
    assertFalse(run.err().contains("Kolors" + "Pipeline"), run.err());
  }

  @Test
  void perturbedAttentionActsAboveScale0() throws IOException {
    Path plain = latents("plain", "--steps", "2");
    assertSame(plain, latents("zero", "--steps", "2", "--pag-scale", "0"));
    assertDifferent(plain, latents("pag", "--steps", "2", "--pag-scale", "3"));
    assertDifferent(
        folder.resolve("pag"),
        latents("layers", "--steps=2", "--pag-scale=3", "--pag-applied-layers=mid,up_blocks.1"));
    assertDifferent(
        folder.resolve("pag"),
        latents("adaptive", "--steps=2", "--pag-scale=3", "--pag-adaptive-scale=0.005"));
  }

  @Test
  void aLayerThatTheModelDoesNotHaveIsRefused() {
    Run run = generate("a.png", PROMPT, "--pag-scale=3", "--pag-applied-layers=left");
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains("left"), run.err());
  }

  @Test
  void eachGeneratorHasNumbersOfItsOwn() throws IOException {
    Path cpu = latents("cpu", "--steps", "1");
    assertSame(cpu, latents("same", "--steps", "1", "--rng", "cpu"));
    for (String rng : List.of("cpu-f16", "cuda", "cuda-f16")) {
      assertDifferent(cpu, latents(rng, "--steps", "1", "--rng", rng));
    }
  }

  @Test
  void sizesThatTheModelIsToldChangeThePicture() throws IOException {
    Path plain = latents("plain", "--steps", "1");
    assertSame(plain, latents("own", "--steps=1", "--original-size=32x24", "--target-size=32x24"));
    assertDifferent(plain, latents("original", "--steps=1", "--original-size=8x8"));
    assertDifferent(plain, latents("target", "--steps=1", "--target-size=8x8"));
    assertDifferent(plain, latents("crop", "--steps=1", "--crops-coords-top-left=8,0"));
    assertDifferent(
        plain,
        latents(
            "negative",
            "--steps=1",
            "--negative-original-size=8x8",
            "--negative-target-size=32x24"));
  }

  @Test
  void oneNegativeSizeAloneIsSaidToHaveNoEffect() {
    Run run = generate("a.png", PROMPT, "--steps=1", "--negative-original-size=8x8");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().contains("--negative-target-size"), run.err());
  }

  @Test
  void guidanceRescaleEtaAndAnEarlyEndAct() throws IOException {
    Path plain = latents("plain", "--steps", "2");
    assertSame(plain, latents("zero", "--steps=2", "--guidance-rescale=0", "--eta=0"));
    assertDifferent(plain, latents("rescaled", "--steps=2", "--guidance-rescale=0.7"));
    assertDifferent(plain, latents("early", "--steps=2", "--denoising-end=0.5"));
    Path ddim = latents("ddim", "--steps=2", "--scheduler=ddim");
    assertDifferent(ddim, latents("eta", "--steps=2", "--scheduler=ddim", "--eta=1"));
  }

  @Test
  void aShorterContextActsExceptWhereTheReferenceIgnoresIt() throws IOException {
    Path plain = latents("plain", "--steps", "1");
    Path shorter = latents("short", "--steps=1", "--max-sequence-length=8");
    assertDifferent(plain, shorter);
    assertSame(
        plain, latents("compat", "--steps=1", "--max-sequence-length=8", "--compat=diffusers"));
  }

  @Test
  void tilesAreForPicturesThatAreLarger() throws IOException {
    Run plain = generate("plain.png", PROMPT, "--steps=1", "--no-metadata");
    assertEquals(0, plain.exitCode(), plain.err());
    Run tiled = generate("tiled.png", PROMPT, "--steps=1", "--vae-tiling", "--no-metadata");
    assertEquals(0, tiled.exitCode(), tiled.err());
    assertSame(folder.resolve("plain.png"), folder.resolve("tiled.png"));
  }

  @Test
  void aRefusedPromptAndAFileAreRepeatedAsTheyWereTyped() {
    Run run = generate("a.png", "100 %s of it", "--embeds", "my%d.safetensors");
    assertEquals(2, run.exitCode());
    assertTrue(
        run.err()
            .contains("both PROMPT \"100 %s of it\" and --embeds my%d.safetensors: the file takes"),
        run.err());
  }
}
