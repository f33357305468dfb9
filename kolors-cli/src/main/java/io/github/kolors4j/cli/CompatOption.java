package io.github.kolors4j.cli;

import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import picocli.CommandLine.Option;

/** Whether the reference's faults are wanted too. */
final class CompatOption {
  @Option(
      names = "--compat",
      paramLabel = "diffusers",
      completionCandidates = Candidates.Compatibilities.class,
      description = "Restore the reference's known faults, for its exact pictures.")
  private String compat;

  void apply(ImageRequest.Builder request) {
    request.compatibility(value());
  }

  private Compatibility value() {
    return switch (compat) {
      case null -> Compatibility.MENDED;
      case "diffusers" -> Compatibility.DIFFUSERS;
      default ->
          throw new UsageException(
              "[arguments] --compat " + compat + ": use diffusers, or leave it out.");
    };
  }
}
