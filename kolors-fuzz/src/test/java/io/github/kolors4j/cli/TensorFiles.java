package io.github.kolors4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** What the command line reads for {@code --latents} and {@code --embeds}. */
public final class TensorFiles {
  private TensorFiles() {}

  /** Latents, by value. */
  public static Object latents(Path file) throws IOException {
    try {
      return Arrays.toString(Latents.read(file).values());
    } catch (UsageException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** Embeddings, by value. */
  public static Object embeds(Path file) throws IOException {
    try {
      return Arrays.toString(EmbedsFile.read(file).promptEmbeds().values());
    } catch (UsageException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
