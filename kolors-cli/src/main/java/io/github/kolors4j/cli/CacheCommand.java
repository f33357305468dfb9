package io.github.kolors4j.cli;

import io.github.kolors4j.hub.CacheFault;
import io.github.kolors4j.hub.CachedRepo;
import io.github.kolors4j.hub.HubCache;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.RepoId;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What pulls, here and in Python, have left. */
@Command(
    name = "cache",
    description = "Shows, checks or deletes what was downloaded, here or by Python.",
    sortOptions = false)
final class CacheCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(
      index = "0",
      paramLabel = "list|verify|remove",
      completionCandidates = Candidates.CacheActions.class,
      description =
          "list: repositories and their sizes; verify: compare each file with its hash; remove:"
              + " delete a repository, or one revision of it.")
  private String action;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "REPO[@REVISION]",
      description = "owner/name, for remove also a revision. Default: all, except for remove.")
  private String repo;

  @Option(names = "--json", description = "One line of JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  CacheCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    HubCache cache = UsageException.check(HubEnvironment::current).cache();
    switch (action) {
      case "list" -> list(cache);
      case "verify" -> verify(cache);
      case "remove" -> remove(cache);
      default ->
          throw new UsageException("[arguments] cache " + action + ": use list, verify or remove.");
    }
    return KolorsCommand.OK;
  }

  /** All, or the one that is named. */
  private List<CachedRepo> repos(HubCache cache) throws IOException {
    if (repo == null) {
      return cache.list();
    }
    RepoId named = named();
    List<CachedRepo> found =
        cache.list().stream().filter(each -> each.repo().path().equals(named.path())).toList();
    if (found.isEmpty()) {
      throw absent(cache, named);
    }
    return found;
  }

  private RepoId named() {
    return UsageException.check(() -> RepoId.parse(repo));
  }

  private static IOException absent(HubCache cache, Object repo) {
    return new IOException(
        "[cache] %s has nothing of %s: ./kolors cache list shows what there is."
            .formatted(cache.root(), repo));
  }

  private void list(HubCache cache) throws IOException {
    List<CachedRepo> repos = repos(cache);
    if (json) {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("cache", cache.root().toString());
      all.put("repos", repos.stream().map(CacheCommand::json).toList());
      terminal.out().println(JsonWriter.compact(all));
      return;
    }
    sayEmpty(cache, repos);
    for (CachedRepo each : repos) {
      terminal
          .out()
          .printf(
              Locale.ROOT,
              "%9.3f GB  %s  %s%s%n",
              (each.bytes() + each.sharedBytes()) / 1e9,
              each.repo(),
              each.refs().isEmpty() ? "(no revision)" : String.join(", ", each.refs().keySet()),
              each.partialBytes() == 0
                  ? ""
                  : String.format(Locale.ROOT, "  and %.3f GB begun", each.partialBytes() / 1e9));
    }
  }

  /** On standard error: a list of nothing is what a script gets. */
  private void sayEmpty(HubCache cache, List<CachedRepo> repos) {
    if (repos.isEmpty()) {
      terminal
          .err()
          .println(
              "nothing was downloaded yet: %s %s"
                  .formatted(
                      cache.root(),
                      Files.isDirectory(cache.root()) ? "has no repository" : "does not exist"));
    }
  }

  private static Map<String, Object> json(CachedRepo repo) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("repo", repo.repo().toString());
    json.put("path", repo.folder().toString());
    json.put("bytes", repo.bytes());
    json.put("sharedBytes", repo.sharedBytes());
    json.put("partialBytes", repo.partialBytes());
    json.put("refs", repo.refs());
    json.put("commits", repo.commits());
    json.put("modified", repo.modified().toString());
    return json;
  }

  private void verify(HubCache cache) throws IOException {
    List<CachedRepo> repos = repos(cache);
    List<CacheFault> faults = new ArrayList<>();
    try (ProgressBar bar = new ProgressBar(terminal)) {
      long all = repos.stream().mapToLong(each -> each.bytes() + each.sharedBytes()).sum();
      long begin = System.nanoTime();
      long before = 0;
      for (CachedRepo each : repos) {
        long done = before;
        faults.addAll(
            cache.verify(
                each.repo(),
                bytes -> {
                  if (!json) {
                    bar.bytes(Math.min(done + bytes, all), all, begin);
                  }
                },
                interruption.token()::isCancelled));
        before += each.bytes() + each.sharedBytes();
      }
    }
    if (json) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("repos", repos.stream().map(each -> each.repo().toString()).toList());
      result.put("faults", faults.stream().map(CacheCommand::json).toList());
      terminal.out().println(JsonWriter.compact(result));
    } else {
      faults.forEach(fault -> terminal.out().println(line(fault)));
    }
    long wrong =
        faults.stream().filter(fault -> fault.kind() != CacheFault.Kind.HASH_UNKNOWN).count();
    if (wrong > 0) {
      throw new IOException(
          "[cache] %d files are damaged or missing: delete those that are named, then ./kolors pull fetches them again."
              .formatted(wrong));
    }
    if (!json && repos.isEmpty()) {
      sayEmpty(cache, repos);
    } else if (!json) {
      terminal.err().println("all files are as they were published: " + repos.size() + " checked");
    }
  }

  private static String line(CacheFault fault) {
    return switch (fault.kind()) {
      case MISSING -> fault.file() + " is a link to nothing";
      case DAMAGED -> fault.content() + " is damaged: its hash is another";
      case HASH_UNKNOWN -> fault.file() + " cannot be checked: nothing says which hash it has";
    };
  }

  private static Map<String, Object> json(CacheFault fault) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("file", fault.file().toString());
    json.put("content", fault.content().toString());
    json.put("kind", fault.kind().name().toLowerCase(Locale.ROOT));
    return json;
  }

  private void remove(HubCache cache) throws IOException {
    if (repo == null) {
      throw new UsageException("[arguments] cache remove: name the repository, as owner/name.");
    }
    String named = repo;
    Optional<Long> removed;
    if (repo.contains("@")) {
      RepoRevision revision = UsageException.check(() -> RepoRevision.parse(repo));
      removed = cache.remove(revision);
    } else {
      removed = cache.remove(named());
    }
    long bytes = removed.orElseThrow(() -> absent(cache, named));
    if (json) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("repo", named);
      result.put("bytes", bytes);
      terminal.out().println(JsonWriter.compact(result));
    } else {
      terminal.err().printf(Locale.ROOT, "%.3f GB of %s deleted%n", bytes / 1e9, named);
    }
  }
}
