package io.github.kolors4j.cli;

import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.Licence;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Weights from the hub. */
@Command(
    name = "pull",
    description =
        "Downloads a checkpoint into the cache that Python's huggingface_hub shares, and prints its"
            + " folder. What is there already is not fetched again, also after an interruption.",
    sortOptions = false,
    footer = {
      "",
      "HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the proxies' variables hold"
          + " as in Python."
    })
final class PullCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(
      paramLabel = "REPO[@REVISION]",
      description =
          "owner/name of the Hugging Face hub, or modelscope://owner/name, with a branch, a tag or a"
              + " commit.")
  private String repo;

  @Option(
      names = "--variant",
      paramLabel = "V",
      description =
          "Take these weights only. Default: fp16 where it is there, else the plain ones.")
  private String variant;

  @Option(names = "--json", description = "One line of JSON, and no progress.")
  private boolean json;

  @Mixin private CommonOptions common;

  PullCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    RepoRevision revision = UsageException.check(() -> RepoRevision.parse(repo));
    Variant chosen = ModelLocation.variant(Optional.ofNullable(variant));
    HubEnvironment environment = UsageException.check(HubEnvironment::current);
    HubClient hub = ModelLocation.client(environment, interruption);
    if (environment.offline()) {
      Optional<Path> cached = hub.find(revision, chosen);
      if (cached.isPresent()) {
        sayCached(revision, cached.get());
        return KolorsCommand.OK;
      }
    }
    PullPlan plan = hub.plan(revision, chosen);
    try (PullReport report = new PullReport(terminal, json)) {
      Path snapshot = hub.pull(plan, report);
      report.end();
      terminal
          .out()
          .println(
              json
                  ? JsonWriter.compact(
                      json(
                          plan.listing().revision(),
                          plan.listing().commit(),
                          snapshot,
                          Optional.of(plan.listing().licence()),
                          plan.files().size(),
                          plan.bytes(),
                          report.bytesFetched()))
                  : snapshot.toString());
    }
    return KolorsCommand.OK;
  }

  /** Without the licence, which the hub alone names. */
  private void sayCached(RepoRevision revision, Path snapshot) throws IOException {
    String commit = snapshot.getFileName().toString();
    List<Path> files;
    try (Stream<Path> all = Files.walk(snapshot)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    if (json) {
      terminal
          .out()
          .println(
              JsonWriter.compact(
                  json(revision, commit, snapshot, Optional.empty(), files.size(), bytes, 0)));
      return;
    }
    terminal
        .err()
        .printf(
            Locale.ROOT,
            "%s at %.12s is in the cache, %.2f GB in %d files; HF_HUB_OFFLINE: the hub was not"
                + " asked for a newer one%n",
            revision.repo(),
            commit,
            bytes / 1e9,
            files.size());
    terminal.out().println(snapshot);
  }

  private static Map<String, Object> json(
      RepoRevision revision,
      String commit,
      Path snapshot,
      Optional<Licence> licence,
      int files,
      long bytes,
      long bytesFetched) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("repo", revision.repo().toString());
    json.put("revision", revision.revision());
    json.put("commit", commit);
    json.put("path", snapshot.toString());
    licence.ifPresent(known -> json.put("licence", terms(known)));
    json.put("files", files);
    json.put("bytes", bytes);
    json.put("bytesFetched", bytesFetched);
    return json;
  }

  private static Map<String, Object> terms(Licence licence) {
    Map<String, Object> terms = new LinkedHashMap<>();
    terms.put("name", licence.name());
    licence.link().ifPresent(link -> terms.put("link", link));
    return terms;
  }
}
