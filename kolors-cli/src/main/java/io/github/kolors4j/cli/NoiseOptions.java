package io.github.kolors4j.cli;

import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How many pictures, and the noise that each begins with. */
final class NoiseOptions {
  @Option(
      names = "--seed",
      paramLabel = "S[,S...]",
      description =
          "One for all images, which get S, S+1 ..., or one an image. Default: random, reported.")
  private String seed;

  @Mixin private RngOption rng;

  @Option(names = "--images", paramLabel = "N", description = "How many images. Default: 1.")
  private Integer images;

  @Option(
      names = "--latents",
      paramLabel = "FILE",
      description = "A safetensors file whose tensor \"latents\" takes the place of drawn noise.")
  private Path latents;

  /** Reads the latents, if there are any. */
  void apply(ImageRequest.Builder request) throws IOException {
    List<Long> seeds = Numbers.seeds(seed);
    int count = images != null ? images : Math.max(1, seeds.size());
    if (seeds.size() > 1 && seeds.size() != count) {
      throw new UsageException(
          "[arguments] --seed has %d seeds for %d images: give one, or one an image."
              .formatted(seeds.size(), count));
    }
    request.numImagesPerPrompt(count).seeds(seeds);
    rng.apply(request);
    if (latents != null) {
      request.latents(Latents.read(latents));
    }
  }
}
