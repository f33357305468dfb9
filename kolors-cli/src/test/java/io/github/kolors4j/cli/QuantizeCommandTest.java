package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of half the size, and weights in files of their own. */
class QuantizeCommandTest {
  @TempDir private Path folder;

  private byte[] picture(String... options) throws IOException {
    Path file = Files.createTempFile(folder, "picture", ".png");
    String[] all = new String[options.length + 9];
    String[] first = {
      "generate",
      "ladybug",
      "--steps=1",
      "--width=32",
      "--height=32",
      "--seed=1",
      "--no-metadata",
      "--no-prompt-cache",
      "--out=" + file
    };
    System.arraycopy(first, 0, all, 0, first.length);
    System.arraycopy(options, 0, all, first.length, options.length);
    Run run = Run.of(all);
    assertEquals(0, run.exitCode(), run.err());
    return Files.readAllBytes(file);
  }

  @Test
  void whatIsWrittenIsSmallerAndSaysWhatItIs() throws IOException {
    Path out = folder.resolve("int8");
    Run run = Run.of("quantize", "--out", out.toString(), "--text", "f16");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(out + System.lineSeparator(), run.out());
    assertTrue(Files.readString(out.resolve("unet/config.json")).contains("quantization_config"));
    assertTrue(
        !Files.readString(out.resolve("text_encoder/config.json")).contains("quantization_config"));
    String tensors = Run.of("inspect", out.resolve("unet").toString()).out();
    assertTrue(tensors.contains("I8"), tensors);
    String plain = Run.of("inspect", MiniCheckpoint.directory().resolve("unet").toString()).out();
    assertEquals(
        plain.lines().findFirst(), tensors.lines().findFirst(), "scales are no parameters");

    Path unet = out.resolve("unet/diffusion_pytorch_model.safetensors");
    assertArrayEquals(
        picture("--model=" + out), picture("--unet=" + unet), "the U-Net alone, in the mini one");
  }

  @Test
  void withLoraItWritesTheSums() throws IOException {
    String lora = folder.resolve("lora").toString();
    String mini = MiniCheckpoint.directory().toString();
    Run made =
        Run.of("synthesize", "--config=" + mini, "--parts=lora", "--rank=2", "--out=" + lora);
    assertEquals(0, made.exitCode(), made.err());
    Path out = folder.resolve("sum");
    String weights = lora + "=0.8,up_blocks.0=2";
    Run run = Run.of("quantize", "--text=f16", "--unet=f16", "--lora=" + weights, "--out=" + out);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(!Files.readString(out.resolve("unet/config.json")).contains("quantization_config"));
    double difference = difference(picture("--model=" + out), picture("--lora=" + weights));
    double update = difference(picture("--lora=" + weights), picture());
    assertTrue(difference < update / 4, difference + " of " + update);
    Run wrong = Run.of("generate", "ladybug", "--lora=" + lora + "=1,up_block.0=2");
    assertEquals(KolorsCommand.USAGE, wrong.exitCode());
    assertTrue(wrong.err().contains("a weight is given for \"up_block.0\", and"), wrong.err());
  }

  /** Of two pictures as PNG: the mean difference of a value. */
  private static double difference(byte[] a, byte[] b) throws IOException {
    byte[] first = KolorsImage.read(a, "picture", PictureLimits.DEFAULT).rgb();
    byte[] second = KolorsImage.read(b, "picture", PictureLimits.DEFAULT).rgb();
    double sum = 0;
    for (int i = 0; i < first.length; i++) {
      sum += Math.abs((first[i] & 0xff) - (second[i] & 0xff));
    }
    return sum / first.length;
  }

  @Test
  void wrongValuesAndFilesEndInASentence() {
    Run value = Run.of("quantize", "--out", folder.resolve("x").toString(), "--unet", "int4");
    assertEquals(KolorsCommand.USAGE, value.exitCode());
    assertTrue(value.err().contains("--unet int4: use int8 or f16"), value.err());
    Run file = Run.of("generate", "ladybug", "--vae", folder.resolve("none").toString());
    assertEquals(KolorsCommand.FAILED, file.exitCode());
    assertTrue(file.err().contains("none does not exist"), file.err());
  }
}
