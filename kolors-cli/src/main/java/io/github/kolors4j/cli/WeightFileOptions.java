package io.github.kolors4j.cli;

import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Weights in files of their own, in the place of the checkpoint's. */
final class WeightFileOptions {
  @Option(
      names = "--unet",
      paramLabel = "FILE|mini-inpainting",
      description =
          "Take the U-Net's weights from this safetensors file: a U-Net alone, or a checkpoint of"
              + " ComfyUI. mini-inpainting: the mini checkpoint's own for masks.")
  private String unet;

  @Option(
      names = "--vae",
      paramLabel = "FILE|taesd",
      description =
          "Take the VAE's weights from this safetensors file. taesd, or the folder or file of a"
              + " tiny autoencoder: decode by it, in a fraction of the time and with invented"
              + " detail.")
  private String vae;

  @Option(
      names = "--text-encoder",
      paramLabel = "FILE",
      description =
          "Take the text encoder's weights from this safetensors file, in 16, 8 or 4 bits.")
  private Path textEncoder;

  /** The name that stands for the U-Net that is shipped with the mini checkpoint. */
  private static final String MINI_INPAINTING = "mini-inpainting";

  /** The name that stands for TAESD of SDXL, which is Kolors' VAE, too. */
  private static final String TAESD = "taesd";

  private static final String CONFIG = "config.json";

  private static final String TAESD_REPO = "madebyollin/taesdxl";

  /** The U-Net's file, which is there. */
  Optional<Path> unet() throws IOException {
    if (unet == null) {
      return Optional.empty();
    }
    return Optional.of(
        unet.equals(MINI_INPAINTING) ? MiniCheckpoint.inpaintingUnet() : existing(Path.of(unet)));
  }

  /** The VAE's file, which is there. */
  Optional<Path> vae(Repositories repositories) throws IOException {
    return vae == null ? Optional.empty() : Optional.of(vae(vae, repositories));
  }

  /** The text encoder's file, which is there. */
  Optional<Path> textEncoder() throws IOException {
    return textEncoder == null ? Optional.empty() : Optional.of(existing(textEncoder));
  }

  boolean hasUnet() {
    return unet != null;
  }

  boolean hasVae() {
    return vae != null;
  }

  boolean hasTextEncoder() {
    return textEncoder != null;
  }

  /** What an option of a VAE means: a file, a folder, or TAESD. */
  static Path vae(String given, Repositories repositories) throws IOException {
    if (given.equals(TAESD)) {
      return repositories.directory(TAESD_REPO);
    }
    Path path = existing(Path.of(given));
    if (!Files.isDirectory(path) || hasConfig(path)) {
      return path;
    }
    Path inIt = path.resolve(TAESD); // as synthesize writes one
    if (hasConfig(inIt)) {
      return inIt;
    }
    throw new IOException(
        "[file] %s is a folder without %s: name that of a tiny autoencoder, or a safetensors file."
            .formatted(path, CONFIG));
  }

  private static boolean hasConfig(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  private static Path existing(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new IOException("[file] " + file + " does not exist.");
    }
    return file;
  }
}
