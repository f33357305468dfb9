package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Weights in files of their own, in the place of the checkpoint's. */
final class SingleFileOptions {
  @Option(
      names = "--unet",
      paramLabel = "FILE",
      description =
          "Take the U-Net's weights from this safetensors file: a U-Net alone, or a checkpoint of"
              + " ComfyUI.")
  private Path unet;

  @Option(
      names = "--vae",
      paramLabel = "FILE",
      description = "Take the VAE's weights from this safetensors file.")
  private Path vae;

  @Option(
      names = "--text-encoder",
      paramLabel = "FILE",
      description =
          "Take the text encoder's weights from this safetensors file, in 16, 8 or 4 bits.")
  private Path textEncoder;

  KolorsPipeline.Builder apply(KolorsPipeline.Builder builder) throws IOException {
    if (unet != null) {
      builder.unet(existing(unet));
    }
    if (vae != null) {
      builder.vae(existing(vae));
    }
    return textEncoder == null ? builder : builder.textEncoder(existing(textEncoder));
  }

  private static Path existing(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new IOException("[file] " + file + " does not exist.");
    }
    return file;
  }
}
