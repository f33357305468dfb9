package io.github.kolors4j.cli;

import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.Licence;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
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
    HubClient hub = ModelLocation.client(interruption);
    PullPlan plan = hub.plan(revision, chosen);
    try (PullReport report = new PullReport(terminal, json)) {
      Path snapshot = hub.pull(plan, report);
      report.end();
      terminal
          .out()
          .println(
              json
                  ? JsonWriter.compact(json(plan, snapshot, report.bytesFetched()))
                  : snapshot.toString());
    }
    return KolorsCommand.OK;
  }

  private static Map<String, Object> json(PullPlan plan, Path snapshot, long bytesFetched) {
    Licence licence = plan.listing().licence();
    Map<String, Object> terms = new LinkedHashMap<>();
    terms.put("name", licence.name());
    licence.link().ifPresent(link -> terms.put("link", link));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("repo", plan.listing().revision().repo().toString());
    json.put("revision", plan.listing().revision().revision());
    json.put("commit", plan.listing().commit());
    json.put("path", snapshot.toString());
    json.put("licence", terms);
    json.put("files", plan.files().size());
    json.put("bytes", plan.bytes());
    json.put("bytesFetched", bytesFetched);
    return json;
  }
}
