package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.checkpoint.HubCacheFolder;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.ThreadPool;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
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

  /** The options of commands that read a checkpoint. */
  static final class ModelOption {
    @Option(
        names = "--model",
        paramLabel = "DIR|REPO",
        description =
            "A checkpoint in diffusers' layout: a folder, or owner/name[@revision] of the Hugging"
                + " Face hub or after modelscope://. Default: the shipped mini checkpoint.")
    private String model;

    @Option(
        names = "--pull",
        description =
            "Download what is named by its repository, and taesd, where the cache does not have it,"
                + " without a question.")
    private boolean pull;

    /** The folder, which is downloaded where the user wants it. */
    Path directory(Terminal terminal, Interruption interruption) throws IOException {
      return directory(terminal, interruption, Variant.DEFAULT);
    }

    /** Another folder, file or repository, which is downloaded on the same terms. */
    Path repository(Terminal terminal, Interruption interruption, String repo) throws IOException {
      return new ModelLocation(terminal, interruption, pull).directory(repo, Variant.DEFAULT);
    }

    private Path directory(Terminal terminal, Interruption interruption, Variant variant)
        throws IOException {
      if (model == null) {
        return MiniCheckpoint.directory();
      }
      if (model.isBlank()) {
        throw new UsageException(
            "[arguments] --model is empty: name a folder or owner/name, or leave it out for the"
                + " mini checkpoint.");
      }
      Path directory = new ModelLocation(terminal, interruption, pull).directory(model, variant);
      HubCacheFolder.refuse(directory);
      return directory;
    }
  }

  /** The options of commands that open all of a checkpoint. */
  static final class WeightsOption {
    @Mixin private ModelOption model;

    @Option(
        names = "--variant",
        paramLabel = "V",
        description =
            "Which copy of the weights: bf16 for files as model.bf16.safetensors, empty text for"
                + " the plain ones. Default: fp16, else the plain ones, else the only ones.")
    private String variant;

    /** The folder, which is downloaded where the user wants it. */
    Path directory(Terminal terminal, Interruption interruption) throws IOException {
      return model.directory(terminal, interruption, ModelLocation.variant(variant()));
    }

    /** Which copy was asked for. */
    Optional<String> variant() {
      return Optional.ofNullable(variant);
    }

    /** The folder of another repository, which is downloaded on the same terms. */
    Path repository(Terminal terminal, Interruption interruption, String repo) throws IOException {
      return model.repository(terminal, interruption, repo);
    }

    /** Begins to open the pipeline, whose files are downloaded where the user wants it. */
    KolorsPipeline.Builder builder(Terminal terminal, Interruption interruption, int threads)
        throws IOException {
      KolorsPipeline.Builder builder =
          KolorsPipeline.builder(directory(terminal, interruption)).threads(threads);
      return variant == null ? builder : builder.variant(variant);
    }
  }

  /** The option of commands that compute a model. */
  static final class PrecisionOption {
    @Option(
        names = "--precision",
        paramLabel = "f32|f32-fast|bf16",
        completionCandidates = Candidates.Precisions.class,
        description =
            "How products are computed, where the CPU has BF16 for the last two. Default: f32.")
    private String precision;

    Precision value() {
      return precision == null
          ? Precision.F32
          : UsageException.check(() -> Precision.of(precision));
    }

    /** What a line about pictures ends with: nothing where they are in F32. */
    static String said(Precision computed) {
      return computed == Precision.F32 ? "" : ", in " + computed;
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
