package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.checkpoint.HubCacheFolder;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.tensor.ThreadPool;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
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
      if (model == null) {
        return MiniCheckpoint.directory();
      }
      HubCacheFolder.refuse(model);
      return model;
    }
  }

  /** The options of commands that open all of a checkpoint. */
  static final class WeightsOption {
    @Mixin private ModelOption model;

    @Option(
        names = "--variant",
        paramLabel = "V",
        description =
            "Which copy of the weights: bf16 for files as model.bf16.safetensors, empty text for the"
                + " plain ones. Default: fp16, else the plain ones, else the only ones.")
    private String variant;

    KolorsPipeline.Builder builder(int threads) throws IOException {
      KolorsPipeline.Builder builder = KolorsPipeline.builder(model.directory()).threads(threads);
      if (variant != null) {
        UsageException.check(() -> builder.variant(variant));
      }
      return builder;
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
      return UsageException.check(() -> ThreadPool.checkThreads(threads));
    }
  }
}
