package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How many pictures, and the noise that each begins with. */
final class NoiseOptions {
  @Option(
      names = "--seed",
      paramLabel = "S[,S...]",
      description =
          "One for all images, which get S, S+1 ..., or one an image. Default: random, reported.")
  private String seed;

  @Option(
      names = "--rng",
      paramLabel = "NAME",
      converter = Rng.class,
      description =
          "Which of PyTorch's generators the seeds are for: cpu, cpu-f16, cuda or cuda-f16."
              + " Default: cpu.")
  private GeneratorType rng;

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
    given(rng, request::rng);
    if (latents != null) {
      request.latents(Latents.read(latents));
    }
  }

  /** A generator by its name. */
  private static final class Rng implements ITypeConverter<GeneratorType> {
    @Override
    public GeneratorType convert(String text) {
      try {
        return GeneratorType.byName(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
