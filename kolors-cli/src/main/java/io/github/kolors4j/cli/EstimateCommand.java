package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.lang.management.ManagementFactory;
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
  /**
   * Processor time that the compilers take for what a picture runs, in seconds: what 25 steps of
   * the mini checkpoint take in a new process more than in one that has run (Zen 5, 2 cores).
   */
  private static final double COMPILERS = 5;

  /** Compilers that ./kolors lets work at once. */
  private static final int MOST_COMPILERS = 3;

  EstimateCommand(Terminal terminal, Interruption interruption) {
    super(terminal, interruption);
  }

  /**
   * What a process takes before it computes as fast as it will: this one's own start until now, and
   * the compilers' work.
   */
  private static double startSeconds() {
    double soFar = ManagementFactory.getRuntimeMXBean().getUptime() / 1000.0;
    int cores = Runtime.getRuntime().availableProcessors();
    return soFar + COMPILERS / Math.min(MOST_COMPILERS, cores);
  }

  @Override
  public Integer call() throws IOException {
    checkArguments();
    final int threadCount = threads.number();
    final Precision wantedPrecision = precision.value();
    Map<String, Object> options = schedulers.options();
    ImageRequest request = UsageException.check(this::request);
    try (KolorsPipeline opened = open(threadCount, wantedPrecision)) {
      Scheduler chosen = UsageException.check(() -> schedulers.chosen(opened.scheduler(), options));
      KolorsPipeline pipeline = opened.withScheduler(chosen);
      double start = startSeconds();
      EarlierRuns runs = EarlierRuns.of(pipeline, threadCount);
      CostEstimate estimate = UsageException.check(() -> runs.estimate(pipeline, request));
      if (json) {
        terminal.out().println(JsonWriter.compact(json(estimate, start)));
      } else {
        terminal.out().println(EarlierRuns.sentence(estimate, start));
        terminal.out().printf("weights to read: %,d MB%n", estimate.diskBytes() / 1_000_000);
      }
    }
    return KolorsCommand.OK;
  }

  private static Map<String, Object> json(CostEstimate estimate, double start) {
    Map<String, Object> seconds = new LinkedHashMap<>();
    seconds.put("start", toMillis(start));
    seconds.put("text", toMillis(estimate.text().seconds()));
    seconds.put("denoise", toMillis(estimate.denoise().seconds()));
    seconds.put("decode", toMillis(estimate.decode().seconds()));
    seconds.put("total", toMillis(start + estimate.totalSeconds()));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("seconds", seconds);
    json.put("heapBytes", estimate.heapBytes());
    json.put("mappedBytes", estimate.mappedBytes());
    json.put("diskBytes", estimate.diskBytes());
    return json;
  }

  private static double toMillis(double seconds) {
    return Math.round(seconds * 1000) / 1000.0;
  }
}
