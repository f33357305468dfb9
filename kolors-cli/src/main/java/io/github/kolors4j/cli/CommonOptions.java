package io.github.kolors4j.cli;

import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options that every command has. */
final class CommonOptions {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  private boolean help;

  @Option(
      names = "--verbose",
      description = "Show the engine's own messages, and a stack trace where something fails.")
  private boolean verbose;

  /** The option of commands that read a checkpoint. */
  static final class ModelOption {
    @Option(
        names = "--model",
        paramLabel = "DIR",
        description =
            "A checkpoint in diffusers' layout, as Kolors-diffusers. Default: the shipped mini"
                + " checkpoint.")
    private Path model;

    Path directory() throws IOException {
      return model != null ? model : MiniCheckpoint.directory();
    }
  }

  /** The option of commands that compute a model. */
  static final class PrecisionOption {
    @Option(
        names = "--precision",
        paramLabel = "f32|f32-fast|bf16",
        description =
            "How products are computed, where the CPU has BF16 for the last two. Default: f32.")
    private String precision;

    Precision value() {
      return precision == null
          ? Precision.F32
          : UsageException.check(() -> Precision.of(precision));
    }
  }

  /** The option of commands that compute. */
  static final class ThreadsOption {
    @Option(
        names = "--threads",
        paramLabel = "N",
        description = "Compute threads. Default: one a core. The result does not depend on it.")
    private Integer threads;

    int number() {
      if (threads == null) {
        return Runtime.getRuntime().availableProcessors();
      }
      if (threads < 1) {
        throw new UsageException("[threads] " + threads + " threads: use 1 or more.");
      }
      return threads;
    }
  }
}
