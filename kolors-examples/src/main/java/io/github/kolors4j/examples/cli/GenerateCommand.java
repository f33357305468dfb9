package io.github.kolors4j.examples.cli;

import com.google.gson.JsonObject;
import io.github.kolors4j.FloatArray;
import io.github.kolors4j.ImageRequest;
import io.github.kolors4j.ImageResult;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.OutputType;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** From a prompt to pictures. */
@Command(
    name = "generate",
    description = "Makes pictures, or their latents, from a prompt in Chinese or English.",
    sortOptions = false)
final class GenerateCommand implements Callable<Integer> {
  private static final String LATENT = "latent";

  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(
      paramLabel = "PROMPT",
      arity = "0..1",
      description = "What the picture shows. Quote it; after -- it may begin with a hyphen.")
  private String prompt;

  @Mixin private CommonOptions.ModelOption model;

  @Option(
      names = "--negative-prompt",
      paramLabel = "T",
      defaultValue = "",
      description = "What the picture should not show. Default: empty.")
  private String negativePrompt;

  @Option(
      names = "--width",
      paramLabel = "N",
      description = "Pixels, a multiple of 8. Default: what the model was trained on.")
  private Integer width;

  @Option(
      names = "--height",
      paramLabel = "N",
      description = "Pixels, a multiple of 8. Default: what the model was trained on.")
  private Integer height;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "50",
      description = "Denoising steps. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--guidance-scale",
      paramLabel = "X",
      defaultValue = "5.0",
      converter = Numbers.Decimal.class,
      description =
          "How strongly the prompt rules; at most 1 means no guidance, in half the time. Default:"
              + " ${DEFAULT-VALUE}.")
  private float guidanceScale;

  @Option(
      names = "--scheduler",
      paramLabel = "NAME",
      description =
          "A diffusers class name, or euler or dpmsolver++. Default: the checkpoint's own.")
  private String scheduler;

  @Option(
      names = "--scheduler-option",
      paramLabel = "key=value",
      description =
          "A key of scheduler_config.json with its value, as use_karras_sigmas=true. Repeatable.")
  private List<String> schedulerOptions = new ArrayList<>();

  @Option(
      names = "--seed",
      paramLabel = "S[,S...]",
      description =
          "One for all images, which get S, S+1 ..., or one an image. Default: random, reported.")
  private String seed;

  @Option(names = "--images", paramLabel = "N", description = "How many images. Default: 1.")
  private Integer images;

  @Option(
      names = "--latents",
      paramLabel = "FILE",
      description = "A safetensors file whose tensor \"latents\" takes the place of drawn noise.")
  private Path latents;

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
          "Where to. Several pictures get -0, -1 ... before the suffix. Default: kolors.png, or"
              + " kolors.safetensors for latents.")
  private Path out;

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
    ImageRequest request = request();
    int threadCount = threads.number();
    Map<String, Object> options = options();
    if (scheduler != null) {
      UsageException.check(() -> Schedulers.byName(scheduler)); // a wrong name is known now
    }
    List<Path> files = files(request);
    for (Path file : files) {
      OutputFiles.checkWritable(file);
    }
    if (latents != null) {
      FloatArray given = Latents.read(latents);
      request = UsageException.check(withLatents(request, given));
    }

    try (ProgressBar bar = new ProgressBar(terminal)) {
      bar.stage("load");
      try (KolorsPipeline opened =
          KolorsPipeline.builder(model.directory()).threads(threadCount).open()) {
        Scheduler chosen = UsageException.check(() -> scheduler(opened.scheduler(), options));
        KolorsPipeline pipeline = opened.withScheduler(chosen);
        long loaded = System.nanoTime();
        ImageRequest listened = request.withOnProgress(bar);
        ImageResult result = UsageException.check(() -> pipeline.generate(listened));
        save(result, files);
        bar.end();
        report(result, files, chosen, loaded - begin, System.nanoTime() - begin);
      }
    }
    return KolorsCommand.OK;
  }

  /** The request as far as the arguments go. */
  private ImageRequest request() {
    if (prompt == null) {
      throw new UsageException("[arguments] no PROMPT: say what the picture should show.");
    }
    return UsageException.check(
        () -> {
          ImageRequest request =
              ImageRequest.of(prompt)
                  .withNegativePrompt(negativePrompt)
                  .withNumInferenceSteps(steps)
                  .withGuidanceScale(guidanceScale)
                  .withOutputType(type())
                  .withCancellation(interruption.token());
          List<Long> seeds = Numbers.seeds(seed);
          int count = images != null ? images : Math.max(1, seeds.size());
          request = request.withNumImagesPerPrompt(count).withSeeds(seeds);
          if (seeds.size() > 1 && seeds.size() != count) {
            throw new UsageException(
                "[arguments] --seed has %d seeds for %d images: give one, or one an image."
                    .formatted(seeds.size(), count));
          }
          request = width == null ? request : request.withWidth(width);
          return height == null ? request : request.withHeight(height);
        });
  }

  private static Supplier<ImageRequest> withLatents(ImageRequest request, FloatArray latents) {
    return () -> request.withLatents(latents);
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
    OutputFiles.checkSuffix(file, suffix);
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

  private void save(ImageResult result, List<Path> files) throws IOException {
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
      interruption.whole(() -> result.images().get(index).save(files.get(index)));
    }
  }

  private void report(
      ImageResult result, List<Path> files, Scheduler chosen, long load, long total) {
    if (json) {
      terminal.out().println(Json.line(json(result, files, chosen, load, total)));
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

  private static JsonObject json(
      ImageResult result, List<Path> files, Scheduler chosen, long load, long total) {
    JsonObject timings = new JsonObject();
    timings.addProperty("load", seconds(Duration.ofNanos(load)));
    timings.addProperty("text", seconds(result.timings().text()));
    timings.addProperty("denoise", seconds(result.timings().denoise()));
    timings.addProperty("decode", seconds(result.timings().decode()));
    timings.addProperty("total", seconds(Duration.ofNanos(total)));
    ImageRequest request = result.request();
    JsonObject json = new JsonObject();
    json.add("files", Json.of(files.stream().map(Path::toString).toList()));
    json.add("seeds", Json.of(result.seeds()));
    json.addProperty("width", request.width().orElseThrow());
    json.addProperty("height", request.height().orElseThrow());
    json.addProperty("steps", request.numInferenceSteps());
    json.addProperty("guidanceScale", request.guidanceScale());
    json.addProperty("scheduler", chosen.className());
    json.add("timings", timings);
    return json;
  }

  /** To the microsecond. */
  private static double seconds(Duration duration) {
    return duration.toNanos() / 1000 / 1e6;
  }
}
