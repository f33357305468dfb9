package io.github.kolors4j.cli;

import static java.util.stream.Collectors.joining;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** From a prompt to pictures. */
@Command(
    name = "generate",
    description = "Makes pictures, or their latents, from a prompt in Chinese or English.",
    sortOptions = false)
class GenerateCommand implements Callable<Integer> {
  private static final String LATENT = "latent";

  final Terminal terminal;
  final Interruption interruption;

  @Mixin private PromptOptions prompts;
  @Mixin CommonOptions.WeightsOption model;
  @Mixin SingleFileOptions singleFiles;

  @Mixin private SizeOptions sizes;
  @Mixin private StepOptions steps;
  @Mixin private GuidanceOptions guidance;
  @Mixin SchedulerOptions schedulers;

  @Mixin private NoiseOptions noise;
  @Mixin private ImageToImageOptions imageToImage;
  @Mixin private AdapterOptions adapters;
  @Mixin private ImagePromptOptions imagePrompts;
  @Mixin private ControlNetOptions controlNets;

  @Option(
      names = "--output-type",
      paramLabel = "image|latent",
      completionCandidates = Candidates.OutputTypes.class,
      defaultValue = "image",
      description = "Pictures, or latents in one safetensors file. Default: ${DEFAULT-VALUE}.")
  private String outputType;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "Where to; a name that ends with .jpg makes a JPEG, - is standard output. Several"
              + " pictures get -0, -1 ... before the suffix. Default: kolors.png, or"
              + " kolors.safetensors for latents.")
  private String out;

  @Mixin private PictureOptions pictureOptions;
  @Mixin PromptCacheOptions promptCache;
  @Mixin private PreviewOptions previewOptions;

  @Mixin private VaeTilingOption vaeTiling;
  @Mixin private CompatOption compat;

  @Mixin CommonOptions.PrecisionOption precision;
  @Mixin CommonOptions.ThreadsOption threads;

  @Option(names = "--json", description = "One line of JSON instead of the files' names.")
  boolean json;

  @Mixin private CommonOptions common;

  GenerateCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    final long begin = System.nanoTime();
    // Everything that can be known without the model comes first.
    checkArguments();
    final int threadCount = threads.number();
    final Precision wantedPrecision = precision.value();
    Map<String, Object> options = schedulers.options();
    ImageRequest request = UsageException.check(this::request);
    List<Path> files = files(request);
    for (Path file : files) {
      OutputFiles.checkWritable(file);
    }

    try (ProgressBar bar = new ProgressBar(terminal)) {
      bar.stage("load");
      try (KolorsPipeline opened = open(threadCount, wantedPrecision)) {
        Scheduler chosen =
            UsageException.check(() -> schedulers.chosen(opened.scheduler(), options));
        long loaded = System.nanoTime();
        ImageResult result =
            generate(opened.withScheduler(chosen), request, threadCount, bar, files);
        bar.end();
        Times times = new Times(loaded - begin, System.nanoTime() - begin);
        report(result, files, chosen, opened.precision(), times);
      }
    }
    return KolorsCommand.OK;
  }

  KolorsPipeline open(int threadCount, Precision wanted) throws IOException {
    return promptCache
        .apply(
            singleFiles
                .apply(model.builder(terminal, interruption, threadCount), this::repository)
                .precision(wanted))
        .open();
  }

  /** Writes each picture when it is made, and what there is where the request fails. */
  private ImageResult generate(
      KolorsPipeline pipeline,
      ImageRequest request,
      int threadCount,
      ProgressBar bar,
      List<Path> files)
      throws IOException {
    EarlierRuns runs = EarlierRuns.of(pipeline, threadCount);
    CostEstimate expected = UsageException.check(() -> runs.announce(pipeline, request, terminal));
    Preview preview = previewOptions.preview(terminal);
    ResultFiles results =
        new ResultFiles(
            terminal,
            interruption,
            files,
            (finished, file) ->
                pictureOptions.save(
                    finished.image().orElseThrow(),
                    file,
                    () -> pipeline.metadata(request, finished),
                    terminal));
    RunControl control =
        RunControl.builder()
            .onProgress(bar)
            .onStepEnd(preview)
            .onImage(
                finished -> {
                  results.onImage(finished);
                  finished.image().ifPresent(preview::finished);
                })
            .cancellation(interruption.token())
            .build();
    try {
      ImageResult result = UsageException.check(() -> pipeline.generate(request, control));
      results.writeLatents();
      runs.remember(expected, result);
      return result;
    } catch (RuntimeException | Error e) {
      rescue(results, e);
      if (e instanceof UncheckedIOException ofFile) {
        throw ofFile.getCause();
      }
      throw e;
    }
  }

  private static void rescue(ResultFiles results, Throwable failure) {
    try {
      results.writeLatents();
    } catch (IOException | CancellationException | OutOfMemoryError e) {
      failure.addSuppressed(e); // The first failure is the one to be heard of.
    }
  }

  void checkArguments() {
    prompts.check();
    steps.check(terminal);
    guidance.check();
    imageToImage.check(terminal);
    controlNets.check();
    Scale.warn(terminal, List.of(adapters.scales(), imagePrompts.scales(), controlNets.scales()));
    sizes.check(terminal);
    prompts.warn(terminal, guidance.withoutNegativePrompt());
  }

  /** The request, with the files that it is made of. */
  ImageRequest request() throws IOException {
    OutputType type = type();
    ImageRequest.Builder request = prompts.request();
    sizes.apply(request);
    steps.apply(request);
    guidance.apply(request);
    noise.apply(request);
    imageToImage.apply(request);
    adapters.apply(request);
    imagePrompts.apply(request, this::repository);
    controlNets.apply(request, this::repository);
    vaeTiling.apply(request);
    compat.apply(request);
    return request.outputType(type).build();
  }

  Path repository(String name) throws IOException {
    return model.repository(terminal, interruption, name);
  }

  private OutputType type() {
    return switch (outputType) {
      case "image" -> OutputType.IMAGE;
      case LATENT -> OutputType.LATENT;
      default ->
          throw new UsageException(
              "[arguments] --output-type " + outputType + ": use image or latent.");
    };
  }

  private List<Path> files(ImageRequest request) throws IOException {
    boolean pictures = request.outputType() == OutputType.IMAGE;
    String suffix = pictures ? OutputFiles.PNG : OutputFiles.SAFETENSORS;
    Path file = out == null ? Path.of("kolors" + suffix) : OutputFiles.path(out);
    int count = pictures ? request.numImagesPerPrompt() : 1;
    if (pictures) {
      OutputFiles.checkPictureSuffix(file);
    } else {
      OutputFiles.checkSuffix(file, suffix);
    }
    OutputFiles.checkStandardOutput(file, count, json);
    return OutputFiles.names(file, count);
  }

  /** Nanoseconds that this command took. */
  private record Times(long load, long total) {}

  private void report(
      ImageResult result, List<Path> files, Scheduler chosen, Precision computed, Times times) {
    if (json) {
      terminal.out().println(JsonWriter.compact(json(result, files, chosen, computed, times)));
    } else {
      files.stream()
          .filter(file -> !OutputFiles.isStandardOutput(file))
          .forEach(terminal.out()::println);
    }
    terminal
        .err()
        .println(
            String.format(
                Locale.ROOT,
                "seed %s, %.1f s in all%s",
                result.seeds().stream().map(Long::toUnsignedString).collect(joining(",")),
                times.total() / 1e9,
                CommonOptions.PrecisionOption.said(computed)));
  }

  private static Map<String, Object> json(
      ImageResult result, List<Path> files, Scheduler chosen, Precision computed, Times times) {
    Map<String, Object> timings = new LinkedHashMap<>();
    timings.put("load", seconds(Duration.ofNanos(times.load())));
    timings.put("text", seconds(result.timings().text()));
    timings.put("denoise", seconds(result.timings().denoise()));
    timings.put("decode", seconds(result.timings().decode()));
    timings.put("total", seconds(Duration.ofNanos(times.total())));
    ImageRequest request = result.request();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("files", files.stream().map(Path::toString).toList());
    json.put("seeds", result.seeds().stream().map(Numbers::unsigned).toList());
    json.put("width", request.width().orElseThrow());
    json.put("height", request.height().orElseThrow());
    json.put("steps", StepOptions.count(request.steps()));
    json.put("guidanceScale", request.guidance().scale());
    json.put("scheduler", chosen.className());
    if (computed != Precision.F32) {
      json.put("precision", computed.toString());
    }
    json.put("timings", timings);
    return json;
  }

  /** To the microsecond. */
  private static double seconds(Duration duration) {
    return TimeUnit.NANOSECONDS.toMicros(duration.toNanos()) / 1e6;
  }
}
