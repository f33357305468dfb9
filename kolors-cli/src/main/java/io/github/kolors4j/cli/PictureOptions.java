package io.github.kolors4j.cli;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.PictureMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** How pictures are written: in the format that their name promises, and with what they know. */
final class PictureOptions {
  @Option(
      names = "--no-metadata",
      description =
          "Leave out of the file how the picture was made: its prompt, its seed and everything else"
              + " that replay needs.")
  private boolean noMetadata;

  /** Writes a picture; what it knows of itself is asked for only where it is written. */
  void save(KolorsImage picture, Path file, Supplier<PictureMetadata> metadata, Terminal terminal)
      throws IOException {
    OutputFiles.write(picture, file, noMetadata ? Map.of() : metadata.get().texts(), terminal);
  }
}
