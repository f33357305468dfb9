package io.github.kolors4j.components;

import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Weights in files of their own, in the place of a checkpoint's.
 *
 * @param textEncoder of the text encoder
 * @param unet of the U-Net
 * @param vae of the VAE
 */
public record SingleFiles(Optional<Path> textEncoder, Optional<Path> unet, Optional<Path> vae) {
  /** The checkpoint's own weights. */
  public static final SingleFiles NONE =
      new SingleFiles(Optional.empty(), Optional.empty(), Optional.empty());

  /** These, with another text encoder. */
  public SingleFiles withTextEncoder(Path file) {
    return new SingleFiles(Optional.of(file), unet, vae);
  }

  /** These, with another U-Net. */
  public SingleFiles withUnet(Path file) {
    return new SingleFiles(textEncoder, Optional.of(file), vae);
  }

  /** These, with another VAE. */
  public SingleFiles withVae(Path file) {
    return new SingleFiles(textEncoder, unet, Optional.of(file));
  }

  /** What people call a checkpoint with these in it. */
  String name(String ofCheckpoint) {
    return Stream.concat(
            Stream.of(ofCheckpoint),
            Stream.of(textEncoder, unet, vae)
                .flatMap(Optional::stream)
                .map(file -> String.valueOf(file.getFileName())))
        .collect(Collectors.joining(" + "));
  }
}
