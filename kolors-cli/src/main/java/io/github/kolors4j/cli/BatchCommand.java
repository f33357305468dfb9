package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.batch.BatchListener;
import io.github.kolors4j.batch.BatchProgress;
import io.github.kolors4j.batch.BatchReport;
import io.github.kolors4j.batch.BatchSummary;
import io.github.kolors4j.batch.BatchTable;
import io.github.kolors4j.batch.KolorsBatch;
import io.github.kolors4j.estimate.MachineSpeed;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A table of requests, and a picture for each of its rows. */
@Command(
    name = "batch",
    description = {
      "Makes the pictures of a table of requests: a row is a picture, its columns are called as",
      "diffusers' arguments (prompt, negative_prompt, seed, num_inference_steps, guidance_scale,",
      "width, height, scheduler, image, adapters ...), and others are carried into the manifest.",
      "Ended in the middle, the same call goes on where it was.",
      "Exit code 0 means that every row has its picture, 1 that the manifest has errors."
    },
    sortOptions = false)
final class BatchCommand implements Callable<Integer> {
  /** Texts of the full model, some 250: the encoder is read again after as many pictures. */
  private static final long PROMPT_BYTES = 1L << 30;

  private static final String PROMPTS = ".prompts";

  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(
      paramLabel = "FILE",
      description = "The table: .csv with a line of names at its beginning, or .jsonl.")
  private Path file;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "The folder that gets the pictures and manifest.jsonl. Made if needed.")
  private Path out;

  @Option(
      names = "--report",
      description = "Write report.html too: a contact sheet, for any browser.")
  private boolean report;

  @Mixin private CommonOptions.WeightsOption model;
  @Mixin private SingleFileOptions singleFiles;
  @Mixin private BatchOptions options;

  @Option(
      names = "--no-metadata",
      description = "Leave out of the files how the pictures were made.")
  private boolean noMetadata;

  @Option(
      names = "--no-prompt-cache",
      description =
          "Encode the prompts of each row when it is its turn, and not those of many rows before"
              + " their pictures.")
  private boolean noPromptCache;

  @Mixin private CommonOptions.PrecisionOption precision;
  @Mixin private CommonOptions.ThreadsOption threads;

  @Option(names = "--json", description = "One line of JSON instead of the files' names.")
  private boolean json;

  @Mixin private CommonOptions common;

  BatchCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    final int threadCount = threads.number();
    final Precision wantedPrecision = precision.value();
    BatchTable table = BatchTable.read(file);
    ImageRequest ofDefaults =
        UsageException.check(() -> options.request(terminal, this::repository));
    Map<String, Object> defaults = options.defaults(ofDefaults);
    table.checkIds();
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new IOException("[output] " + out + " is a file: give the name of a folder.");
    }
    try (ProgressBar bar = new ProgressBar(terminal)) {
      bar.stage("load");
      BatchSummary summary;
      Precision computed;
      try (KolorsPipeline pipeline =
          withPromptCache(
                  singleFiles
                      .apply(model.builder(terminal, interruption, threadCount), this::repository)
                      .precision(wantedPrecision))
              .open()) {
        checkSize(pipeline, ofDefaults);
        computed = pipeline.precision();
        summary = run(pipeline, table, defaults, bar);
      }
      bar.end();
      removePrompts();
      Optional<Path> page = report ? Optional.of(BatchReport.write(out)) : Optional.empty();
      report(summary, page, computed);
      return summary.failed() == 0 ? KolorsCommand.OK : KolorsCommand.FAILED;
    }
  }

  private Path repository(String name) throws IOException {
    return model.repository(terminal, interruption, name);
  }

  /** In a folder of its own, as texts of a batch are many, and of no use when it is done. */
  private KolorsPipeline.Builder withPromptCache(KolorsPipeline.Builder builder) {
    builder.textEncoderOnDemand();
    return noPromptCache
        ? builder
        : builder.promptCache(PromptCache.at(out.resolve(PROMPTS), PROMPT_BYTES));
  }

  /** A size that no row could be made with is the caller's fault, and not one of each row. */
  private static void checkSize(KolorsPipeline pipeline, ImageRequest defaults) {
    if (defaults.width().isPresent() || defaults.height().isPresent()) {
      UsageException.check(() -> pipeline.estimate(defaults, new MachineSpeed(1, 1, 1)));
    }
  }

  private BatchSummary run(
      KolorsPipeline pipeline, BatchTable table, Map<String, Object> defaults, ProgressBar bar)
      throws IOException {
    BatchProgress[] last = new BatchProgress[1];
    interruption.beforeTheEnd(
        () -> {
          if (last[0] != null) {
            terminal
                .err()
                .printf(
                    Locale.ROOT,
                    "%d of %d pictures are made; the same call goes on.%n",
                    last[0].made() + last[0].kept(),
                    last[0].rows());
          }
        });
    KolorsBatch.Builder batch =
        KolorsBatch.builder(pipeline, out)
            .defaults(defaults)
            .files(new TableFiles(table.folder(), this::repository))
            .cancellation(interruption.token())
            .listener(
                new BatchListener() {
                  @Override
                  public void onProgress(BatchProgress progress) {
                    last[0] = progress;
                    bar.batch(progress);
                  }

                  @Override
                  public void onRow(Row row) {
                    row.error()
                        .ifPresent(
                            error -> {
                              bar.end();
                              terminal.error("row %s: %s".formatted(row.id(), error));
                            });
                    if (!json) {
                      row.file().ifPresent(terminal.out()::println);
                    }
                  }
                });
    return (noMetadata ? batch.withoutMetadata() : batch).build().run(table);
  }

  private void removePrompts() throws IOException {
    Path prompts = out.resolve(PROMPTS);
    if (Files.isDirectory(prompts)) {
      try (Stream<Path> files = Files.list(prompts)) {
        for (Path each : files.toList()) {
          Files.deleteIfExists(each);
        }
      }
      Files.deleteIfExists(prompts);
    }
  }

  private void report(BatchSummary summary, Optional<Path> page, Precision computed) {
    if (!summary.columns().isEmpty()) {
      terminal
          .err()
          .println(
              "carried along, as no argument is called so: "
                  + String.join(", ", summary.columns()));
    }
    double seconds = summary.elapsed().toMillis() / 1e3;
    if (json) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("directory", out.toString());
      line.put("manifest", summary.manifest().toString());
      line.put("report", page.map(Path::toString).orElse(null));
      line.put("rows", summary.rows());
      line.put("made", summary.made());
      line.put("kept", summary.kept());
      line.put("failed", summary.failed());
      line.put("seconds", seconds);
      line.put("computing", summary.computing().toMillis() / 1e3);
      terminal.out().println(JsonWriter.compact(line));
    }
    page.ifPresent(each -> terminal.err().println("report: " + each));
    terminal
        .err()
        .println(
            String.format(
                Locale.ROOT,
                "%d %s made, %d were there, %d errors; %.1f s%s%s",
                summary.made(),
                summary.made() == 1 ? "picture" : "pictures",
                summary.kept(),
                summary.failed(),
                seconds,
                summary.made() == 0
                    ? ""
                    : String.format(Locale.ROOT, ", %.0f an hour", summary.made() / seconds * 3600),
                CommonOptions.PrecisionOption.said(computed)));
  }
}
