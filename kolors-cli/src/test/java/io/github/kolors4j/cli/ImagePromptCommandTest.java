package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Image prompts and TAESD on the command line, with what {@code synthesize} makes. */
class ImagePromptCommandTest {
  @TempDir private static Path folder;

  private static Path model;
  private static Path image;

  @BeforeAll
  static void synthesize() throws IOException {
    model = folder.resolve("tiny");
    Run run =
        Run.of(
            "synthesize",
            "--config",
            "tiny",
            "--parts",
            "unet,vae,text,taesd,image-encoder,ip-adapter",
            "--out",
            model.toString());
    assertEquals(0, run.exitCode(), run.err());
    byte[] rgb = new byte[40 * 30 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i * 7);
    }
    image = folder.resolve("image.png");
    KolorsImage.of(40, 30, rgb).save(image);
  }

  private static Run generate(String name, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "generate",
                "x",
                "--model",
                model.toString(),
                "--width",
                "16",
                "--height",
                "16",
                "--steps",
                "2",
                "--seed",
                "1",
                "--no-prompt-cache",
                "--out",
                folder.resolve(name).toString()));
    args.addAll(Arrays.asList(more));
    return Run.of(args.toArray(String[]::new));
  }

  private static byte[] pixels(String name, String... more) throws IOException {
    Run run = generate(name, more);
    assertEquals(0, run.exitCode(), run.err());
    return KolorsImage.read(folder.resolve(name)).rgb();
  }

  @Test
  void imagesCountByTheirScaleAndScaleZeroIsNone() throws IOException {
    byte[] plain = pixels("plain.png");
    String adapter = model.toString();
    String file = image.toString();
    byte[] one = pixels("one.png", "--ip-adapter", adapter, "--ip-adapter-image", file);
    assertFalse(Arrays.equals(plain, one));
    assertArrayEquals(
        plain,
        pixels(
            "zero.png",
            "--ip-adapter",
            adapter,
            "--ip-adapter-image",
            file,
            "--ip-adapter-scale",
            "0"));
    byte[] two =
        pixels(
            "two.png",
            "--ip-adapter",
            adapter,
            "--ip-adapter-image",
            file + "," + file,
            "--ip-adapter-scale",
            "0.5",
            "--ip-adapter",
            model.resolve("ip_adapter_plus_general.safetensors").toString(),
            "--ip-adapter-image",
            file,
            "--image-encoder",
            model.resolve("image_encoder").toString(),
            "--ip-adapter-mask",
            file);
    assertFalse(Arrays.equals(one, two));
    Run replay =
        Run.of("replay", folder.resolve("plain.png").toString(), "--model", model.toString());
    assertEquals(0, replay.exitCode(), replay.err());
  }

  @Test
  void whatIsMissingOrWrongIsSaid() {
    Run without = generate("none.png", "--ip-adapter", model.toString());
    assertEquals(2, without.exitCode());
    assertTrue(without.err().contains("--ip-adapter-image"), without.err());
    Run scale =
        generate(
            "none.png",
            "--ip-adapter",
            model.toString(),
            "--ip-adapter-image",
            image.toString(),
            "--ip-adapter-scale",
            "much");
    assertEquals(2, scale.exitCode());
    assertTrue(scale.err().contains("style=0.5"), scale.err());
    Run orphan = generate("none.png", "--ip-adapter-image", image.toString());
    assertEquals(2, orphan.exitCode(), orphan.err());
    assertTrue(
        orphan.err().contains("[arguments] --ip-adapter-image without --ip-adapter: "),
        orphan.err());
    Run twice =
        generate(
            "none.png",
            "--ip-adapter=" + model,
            "--ip-adapter-image=" + image,
            "--ip-adapter-scale=0.5",
            "--ip-adapter-scale=0.6");
    assertEquals(2, twice.exitCode(), twice.err());
    assertTrue(
        twice.err().contains("--ip-adapter-scale is there twice for one --ip-adapter"),
        twice.err());
    Run gone =
        generate(
            "none.png",
            "--ip-adapter",
            folder.resolve("gone.bin").toString(),
            "--ip-adapter-image",
            image.toString());
    assertEquals(1, gone.exitCode(), gone.err());
  }

  @Test
  void taesdDecodesWhereItIsAskedForAndIsForPreviewsElsewhere() throws IOException {
    byte[] plain = pixels("vae.png");
    String taesd = model.resolve("taesd").toString();
    byte[] byTaesd = pixels("taesd.png", "--vae", taesd);
    assertFalse(Arrays.equals(plain, byTaesd));
    Path alone = folder.resolve("alone");
    Run made = Run.of("synthesize", "--config=tiny", "--parts=taesd", "--out=" + alone);
    assertEquals(0, made.exitCode(), made.err());
    assertArrayEquals(byTaesd, pixels("alone.png", "--vae", alone.toString()));
    Run none = generate("none.png", "--vae", folder.toString());
    assertEquals(1, none.exitCode(), none.err());
    assertTrue(none.err().contains("is a folder without config.json"), none.err());
    Run replay =
        Run.of("replay", folder.resolve("taesd.png").toString(), "--model", model.toString());
    assertEquals(1, replay.exitCode(), replay.err());
    assertTrue(replay.err().contains("the same --vae here"), replay.err());
    assertArrayEquals(plain, pixels("preview.png", "--preview-vae", taesd));
  }
}
