package io.github.kolors4j.cli;

import io.github.kolors4j.request.ImageRequest;
import picocli.CommandLine.Option;

/** How much memory the VAE may take. */
final class VaeTilingOption {
  @Option(
      names = "--vae-tiling",
      description =
          "Let the VAE work on overlapping tiles: less memory, and a picture that differs a"
              + " little.")
  private boolean vaeTiling;

  void apply(ImageRequest.Builder request) {
    request.vaeTiling(vaeTiling);
  }
}
