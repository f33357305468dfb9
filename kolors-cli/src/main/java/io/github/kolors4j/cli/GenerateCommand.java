package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** From a prompt to pictures. */
@Command(
    name = "generate",
    description = "Makes pictures, or their latents, from a prompt in Chinese or English.",
    sortOptions = false)
final class GenerateCommand implements Callable<Integer> {
  private static final String LATENT = "latent";

  private final Terminal terminal;
  private final Interruption interruption;

  @Mixin private PromptOptions prompts;
  @Mixin private CommonOptions.ModelOption model;

  @Mixin private SizeOptions sizes;
  @Mixin private StepOptions steps;
  @Mixin private GuidanceOptions guidance;

  @Option(
      names = "--scheduler",
      paramLabel = "NAME",
      description =
          "A diffusers class name or a short one; see kolors schedulers. Default: the checkpoint's"
              + " own.")
  private String scheduler;

  @Option(
      names = "--scheduler-option",
      paramLabel = "key=value",
      description =
          "A key of scheduler_config.json with its value, as use_karras_sigmas=true. Repeatable.")
  private List<String> schedulerOptions = new ArrayList<>();

  @Mixin private NoiseOptions noise;
  @Mixin private ImageToImageOptions imageToImage;

  @Option(
      names = "--output-type",
      paramLabel = "image|latent",
      defaultValue = "image",
      description = "Pictures, or latents in one safetensors file. Default: ${DEFAULT-VALUE}.")
  private String outputType;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "Where to; a name that ends with .jpg makes a JPEG. Several pictures get -0, -1 ... before"
              + " the suffix. Default: kolors.png, or kolors.safetensors for latents.")
  private Path out;

  @Mixin private PictureOptions pictureOptions;
  @Mixin private PromptCacheOptions promptCache;

  @Option(
      names = "--vae-tiling",
      description =
          "Let the VAE work on overlapping tiles: less memory, and a picture that differs a little.")
  private boolean vaeTiling;

  @Option(
      names = "--compat",
      paramLabel = "diffusers",
      description = "Restore the reference's known faults, for its exact pictures.")
  private String compat;

  @Mixin private CommonOptions.PrecisionOption precision;
  @Mixin private CommonOptions.ThreadsOption threads;

  @Option(names = "--json", description = "One line of JSON instead of the files' names.")
  private boolean json;

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
    Map<String, Object> options = options();
    if (scheduler != null) {
      UsageException.check(() -> Schedulers.byName(scheduler)); // a wrong name is known now
    }
    ImageRequest request = UsageException.check(this::request);
    List<Path> files = files(request);
    for (Path file : files) {
      OutputFiles.checkWritable(file);
    }

    try (ProgressBar bar = new ProgressBar(terminal)) {
      bar.stage("load");
      try (KolorsPipeline opened =
          promptCache
              .apply(
                  KolorsPipeline.builder(model.directory())
                      .threads(threadCount)
                      .precision(wantedPrecision))
              .open()) {
        Scheduler chosen = UsageException.check(() -> scheduler(opened.scheduler(), options));
        KolorsPipeline pipeline = opened.withScheduler(chosen);
        long loaded = System.nanoTime();
        RunControl control =
            RunControl.builder().onProgress(bar).cancellation(interruption.token()).build();
        ImageResult result = UsageException.check(() -> pipeline.generate(request, control));
        save(pipeline, result, files);
        bar.end();
        report(result, files, chosen, loaded - begin, System.nanoTime() - begin);
      }
    }
    return KolorsCommand.OK;
  }

  private void checkArguments() {
    prompts.check();
    steps.check();
    guidance.check();
    imageToImage.check(terminal);
    sizes.check(terminal);
  }

  /** The request, with the files that it is made of. */
  private ImageRequest request() throws IOException {
    Compatibility compatibility = compatibility();
    OutputType type = type();
    ImageRequest.Builder request = prompts.request();
    sizes.apply(request);
    steps.apply(request);
    guidance.apply(request);
    noise.apply(request);
    imageToImage.apply(request);
    return request.outputType(type).vaeTiling(vaeTiling).compatibility(compatibility).build();
  }

  private Compatibility compatibility() {
    return switch (compat) {
      case null -> Compatibility.MENDED;
      case "diffusers" -> Compatibility.DIFFUSERS;
      default ->
          throw new UsageException(
              "[arguments] --compat " + compat + ": use diffusers, or leave it out.");
    };
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

  private List<Path> files(ImageRequest request) {
    boolean pictures = request.outputType() == OutputType.IMAGE;
    String suffix = pictures ? OutputFiles.PNG : OutputFiles.SAFETENSORS;
    Path file = out == null ? Path.of("kolors" + suffix) : out;
    if (pictures) {
      OutputFiles.checkPictureSuffix(file);
    } else {
      OutputFiles.checkSuffix(file, suffix);
    }
    return OutputFiles.names(file, pictures ? request.numImagesPerPrompt() : 1);
  }

  private Map<String, Object> options() {
    Map<String, Object> options = new LinkedHashMap<>();
    for (String option : schedulerOptions) {
      int equals = option.indexOf('=');
      if (equals < 1) {
        throw new UsageException(
            "[arguments] --scheduler-option %s: write key=value.".formatted(option));
      }
      String key = option.substring(0, equals);
      Object value =
          UsageException.check(() -> SchedulerConfig.parseValue(option.substring(equals + 1)));
      if (options.containsKey(key)) {
        throw new UsageException("[arguments] --scheduler-option " + key + " is given twice.");
      }
      options.put(key, value);
    }
    return options;
  }

  /** Another class from the checkpoint's config, or the checkpoint's with other options. */
  private Scheduler scheduler(Scheduler own, Map<String, Object> options) {
    if (scheduler == null && options.isEmpty()) {
      return own;
    }
    String name = scheduler == null ? own.className() : scheduler;
    return Schedulers.byName(name).fromConfig(own.config(), options);
  }

  private void save(KolorsPipeline pipeline, ImageResult result, List<Path> files)
      throws IOException {
    if (result.latents().isPresent()) {
      FloatArray all = result.latents().get();
      long[] shape = Arrays.stream(all.shape().dims()).asLongStream().toArray();
      Map<String, TensorData> tensors = Map.of(Latents.NAME, TensorData.f32(all.values(), shape));
      interruption.whole(
          () -> SafetensorsWriter.write(files.getFirst(), Latents.METADATA, tensors));
      return;
    }
    for (int i = 0; i < files.size(); i++) {
      int index = i;
      interruption.whole(
          () ->
              pictureOptions.save(
                  result.images().get(index),
                  files.get(index),
                  () -> pipeline.metadata(result, index)));
    }
  }

  private void report(
      ImageResult result, List<Path> files, Scheduler chosen, long load, long total) {
    if (json) {
      terminal.out().println(JsonWriter.compact(json(result, files, chosen, load, total)));
    } else {
      files.forEach(terminal.out()::println);
    }
    terminal
        .err()
        .println(
            "seed %s, %.1f s in all"
                .formatted(
                    result.seeds().stream().map(String::valueOf).collect(Collectors.joining(",")),
                    total / 1e9));
  }

  private static Map<String, Object> json(
      ImageResult result, List<Path> files, Scheduler chosen, long load, long total) {
    Map<String, Object> timings = new LinkedHashMap<>();
    timings.put("load", seconds(Duration.ofNanos(load)));
    timings.put("text", seconds(result.timings().text()));
    timings.put("denoise", seconds(result.timings().denoise()));
    timings.put("decode", seconds(result.timings().decode()));
    timings.put("total", seconds(Duration.ofNanos(total)));
    ImageRequest request = result.request();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("files", files.stream().map(Path::toString).toList());
    json.put("seeds", result.seeds());
    json.put("width", request.width().orElseThrow());
    json.put("height", request.height().orElseThrow());
    json.put("steps", StepOptions.count(request.steps()));
    json.put("guidanceScale", request.guidance().scale());
    json.put("scheduler", chosen.className());
    json.put("timings", timings);
    return json;
  }

  /** To the microsecond. */
  private static double seconds(Duration duration) {
    return duration.toNanos() / 1000 / 1e6;
  }
}
