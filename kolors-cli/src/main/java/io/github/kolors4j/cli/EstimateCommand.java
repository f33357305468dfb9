package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;

/** What a call of {@code generate} with the same options would take. */
@Command(
    name = "estimate",
    description = {
      "Says how long generate would take with the same options, and how much memory and disk.",
      "Times are those of earlier runs of this model here, or of a probe of two seconds."
    },
    sortOptions = false)
final class EstimateCommand extends GenerateCommand {
  EstimateCommand(Terminal terminal, Interruption interruption) {
    super(terminal, interruption);
  }

  @Override
  public Integer call() throws IOException {
    checkArguments();
    int threadCount = threads.number();
    Map<String, Object> options = options();
    ImageRequest request = UsageException.check(this::request);
    try (KolorsPipeline opened =
        promptCache
            .apply(
                singleFiles.apply(
                    model.builder(terminal, interruption, threadCount),
                    repo -> model.repository(terminal, interruption, repo)))
            .open()) {
      Scheduler chosen = UsageException.check(() -> scheduler(opened.scheduler(), options));
      KolorsPipeline pipeline = opened.withScheduler(chosen);
      EarlierRuns runs = EarlierRuns.of(pipeline, threadCount);
      CostEstimate estimate = UsageException.check(() -> runs.estimate(pipeline, request));
      if (json) {
        terminal.out().println(JsonWriter.compact(json(estimate)));
      } else {
        terminal.out().println(EarlierRuns.sentence(estimate));
        terminal.out().printf("weights to read: %,d MB%n", estimate.diskBytes() / 1_000_000);
      }
    }
    return KolorsCommand.OK;
  }

  private static Map<String, Object> json(CostEstimate estimate) {
    Map<String, Object> seconds = new LinkedHashMap<>();
    seconds.put("text", toMillis(estimate.text().seconds()));
    seconds.put("denoise", toMillis(estimate.denoise().seconds()));
    seconds.put("decode", toMillis(estimate.decode().seconds()));
    seconds.put("total", toMillis(estimate.totalSeconds()));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("seconds", seconds);
    json.put("heapBytes", estimate.heapBytes());
    json.put("diskBytes", estimate.diskBytes());
    return json;
  }

  private static double toMillis(double seconds) {
    return Math.round(seconds * 1000) / 1000.0;
  }
}
