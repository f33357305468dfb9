package io.github.kolors4j.cli;

import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.Variant;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * The way from the name of a checkpoint to its folder.
 *
 * @param pull whether to download without a question
 */
record ModelLocation(Terminal terminal, Interruption interruption, boolean pull) {
  /**
   * Finds the folder.
   *
   * @param model as it was given
   * @param chosen which copy of the weights has to be there
   */
  Path directory(String model, Variant chosen) throws IOException {
    RepoRevision revision;
    switch (UsageException.check(() -> ModelReference.parse(model))) {
      case ModelReference.Folder(Path directory) -> {
        return directory;
      }
      case ModelReference.Repository(RepoRevision named) -> revision = named;
    }
    HubEnvironment environment = UsageException.check(HubEnvironment::current);
    HubClient hub = client(environment, interruption);
    Optional<Path> cached = hub.find(revision, chosen);
    if (cached.isPresent()) {
      return cached.get();
    }
    boolean ask = !pull && canAnswer(terminal);
    if (!pull && !ask && !environment.offline()) {
      throw new IOException(
          "[hub] %s is no folder, and %s does not have it: run ./kolors pull %s, or give --pull."
              .formatted(model, hub.cache().root(), model));
    }
    PullPlan plan = hub.plan(revision, chosen); // which refuses where there is to be no network
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

  static HubClient client(HubEnvironment environment, Interruption interruption) {
    return new HubClient(environment).cancelledBy(interruption.token()::isCancelled);
  }

  private static boolean canAnswer(Terminal terminal) {
    return terminal.interactive() && Terminal.isConsole();
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
