package io.github.kolors4j.cli;

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

  /** The folder of a tiny autoencoder that synthesize writes. */
  private static final String TAESD = "taesd";

  private static final String CONFIG = "config.json";

  /** The U-Net's file, which is there. */
  Optional<Path> unet() throws IOException {
    return unet == null
        ? Optional.empty()
        : Optional.of(NamedModel.UNET.find("--unet", unet, Path::of));
  }

  /** The VAE's file, which is there. */
  Optional<Path> vae(Repositories repositories) throws IOException {
    return vae == null ? Optional.empty() : Optional.of(vae("--vae", vae, repositories));
  }

  /** The text encoder's file, which is there. */
  Optional<Path> textEncoder() throws IOException {
    if (textEncoder != null && !Files.exists(textEncoder)) {
      throw new IOException("[file] --text-encoder " + textEncoder + " does not exist.");
    }
    return Optional.ofNullable(textEncoder);
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
  static Path vae(String option, String given, Repositories repositories) throws IOException {
    Path path = NamedModel.VAE.find(option, given, repositories);
    if (!Files.isDirectory(path) || hasConfig(path)) {
      return path;
    }
    Path inIt = path.resolve(TAESD); // as synthesize writes one
    if (hasConfig(inIt)) {
      return inIt;
    }
    throw NamedModel.VAE.wrong("%s %s is a folder without %s".formatted(option, given, CONFIG));
  }

  private static boolean hasConfig(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }
}
