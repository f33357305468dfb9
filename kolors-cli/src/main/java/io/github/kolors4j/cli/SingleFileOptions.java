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
      paramLabel = "FILE|taesd",
      description =
          "Take the VAE's weights from this safetensors file. taesd, or the folder or file of a"
              + " tiny autoencoder: decode by it, in a fraction of the time and with invented"
              + " detail.")
  private String vae;

  @Option(
      names = "--preview-vae",
      paramLabel = "DIR|taesd",
      description = "Show the picture in the terminal by this tiny autoencoder.")
  private String previewVae;

  @Option(
      names = "--text-encoder",
      paramLabel = "FILE",
      description =
          "Take the text encoder's weights from this safetensors file, in 16, 8 or 4 bits.")
  private Path textEncoder;

  /** The name that stands for TAESD of SDXL, which is Kolors' VAE, too. */
  private static final String TAESD = "taesd";

  private static final String TAESD_REPO = "madebyollin/taesdxl";

  KolorsPipeline.Builder apply(KolorsPipeline.Builder builder, Repositories repositories)
      throws IOException {
    if (unet != null) {
      builder.unet(existing(unet));
    }
    if (vae != null) {
      builder.vae(vae(vae, repositories));
    }
    if (previewVae != null) {
      builder.previewVae(vae(previewVae, repositories));
    }
    return textEncoder == null ? builder : builder.textEncoder(existing(textEncoder));
  }

  private static Path vae(String given, Repositories repositories) throws IOException {
    return given.equals(TAESD) ? repositories.directory(TAESD_REPO) : existing(Path.of(given));
  }

  private static Path existing(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new IOException("[file] " + file + " does not exist.");
    }
    return file;
  }
}
