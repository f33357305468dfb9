package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.Variant;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options of commands that read a checkpoint, and the way from its name to its folder. */
final class ModelOption {
  private static final String SCHEME = "://";

  @Option(
      names = "--model",
      paramLabel = "DIR|REPO",
      description =
          "A checkpoint in diffusers' layout: a folder, or owner/name[@revision] of the Hugging Face"
              + " hub or after modelscope://. Default: the shipped mini checkpoint.")
  private String model;

  @Option(
      names = "--pull",
      description = "Download --model where the cache does not have it, without a question.")
  private boolean pull;

  @Option(
      names = "--variant",
      paramLabel = "V",
      description =
          "Take these weights only. Default: fp16 where it is there, else the plain ones.")
  private String variant;

  /** Begins to open the pipeline. */
  KolorsPipeline.Builder pipeline(Terminal terminal, Interruption interruption) throws IOException {
    KolorsPipeline.Builder pipeline = KolorsPipeline.builder(directory(terminal, interruption));
    return variant == null ? pipeline : pipeline.variant(variant);
  }

  /** The folder, which is downloaded where the user wants it. */
  Path directory(Terminal terminal, Interruption interruption) throws IOException {
    if (model == null) {
      return MiniCheckpoint.directory();
    }
    if (isFolder(model)) {
      return Path.of(model);
    }
    RepoRevision revision = UsageException.check(() -> RepoRevision.parse(model));
    Variant chosen = variant(Optional.ofNullable(variant));
    HubClient hub = client(interruption);
    Optional<Path> cached = hub.find(revision, chosen);
    if (cached.isPresent()) {
      return cached.get();
    }
    boolean ask = !pull && canAnswer(terminal);
    if (!pull && !ask) {
      throw new IOException(
          "[hub] %s is no folder, and %s does not have it: run ./kolors pull %s, or give --pull."
              .formatted(model, hub.cache().root(), model));
    }
    PullPlan plan = hub.plan(revision, chosen);
    if (ask && !agrees(terminal, plan, hub.cache().root())) {
      throw new IOException(
          "[hub] %s was not downloaded: name a folder as --model, or leave it out."
              .formatted(model));
    }
    try (PullReport report = new PullReport(terminal, false)) {
      return hub.pull(plan, report);
    }
  }

  static Variant variant(Optional<String> name) {
    return UsageException.check(() -> name.map(Variant::only).orElse(Variant.DEFAULT));
  }

  static HubClient client(Interruption interruption) throws IOException {
    return new HubClient(UsageException.check(HubEnvironment::current))
        .cancelledBy(interruption.token()::isCancelled);
  }

  /**
   * What is there is a folder; what is not, and is no name of a repository, is one to be missed.
   */
  private static boolean isFolder(String model) {
    if (model.contains(SCHEME)) {
      return false;
    }
    try {
      if (Files.exists(Path.of(model))) {
        return true;
      }
      RepoRevision.parse(model);
      return false;
    } catch (InvalidPathException _) {
      return false;
    } catch (IllegalArgumentException _) {
      return true;
    }
  }

  private static boolean canAnswer(Terminal terminal) {
    return terminal.interactive() && System.console() != null && System.console().isTerminal();
  }

  private static boolean agrees(Terminal terminal, PullPlan plan, Path cache) throws IOException {
    terminal
        .err()
        .printf(
            Locale.ROOT,
            "%s is not in %s. It has %.2f GB in %d files; licence: %s.%nDownload it? [y/N] ",
            plan.listing().revision().repo(),
            cache,
            plan.bytes() / 1e9,
            plan.files().size(),
            plan.listing().licence());
    terminal.err().flush();
    // not closed: it is the process's own
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    String answer = in.readLine();
    return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
  }
}
