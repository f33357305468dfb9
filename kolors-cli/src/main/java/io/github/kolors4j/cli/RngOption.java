package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.tensor.random.GeneratorType;
import picocli.CommandLine.Option;

/** Which random numbers a seed stands for. */
final class RngOption {
  @Option(
      names = "--rng",
      completionCandidates = Candidates.Generators.class,
      paramLabel = "NAME",
      description =
          "Which of PyTorch's generators the seeds are for: cpu, cpu-f16, cuda or cuda-f16."
              + " Default: cpu.")
  private String rng;

  void apply(ImageRequest.Builder request) {
    given(rng, name -> request.rng(UsageException.check(() -> GeneratorType.byName(name))));
  }
}
