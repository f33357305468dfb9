package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.EngineVersion;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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

/** A picture once more, from what its file says. */
@Command(
    name = "replay",
    description = {
      "Makes the pixels of a picture again from what its file says, or says what differs.",
      "Exit code 0 means the same pixels."
    },
    sortOptions = false)
final class ReplayCommand implements Callable<Integer> {
  private static final String UNET = "unet";

  /** Options of weights in files of their own, by the component that they replace. */
  private static final Map<String, String> WEIGHT_FILES =
      Map.of(UNET, "--unet", "vae", "--vae", "text_encoder", "--text-encoder");

  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(paramLabel = "PICTURE", description = "A PNG or JPEG that generate has written.")
  private Path picture;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where to. Default: beside the picture, as NAME-replay.png.")
  private String out;

  @Mixin private CommonOptions.WeightsOption model;
  @Mixin private SingleFileOptions singleFiles;
  @Mixin private ReplayedFiles files;
  @Mixin private CommonOptions.ThreadsOption threads;
  @Mixin private PromptCacheOptions promptCache;

  @Option(names = "--json", description = "One line of JSON instead of the file's name.")
  private boolean json;

  @Mixin private CommonOptions common;

  ReplayCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    int threadCount = threads.number();
    Optional<PictureMetadata> told = PictureMetadata.read(picture);
    if (told.isEmpty()) {
      throw ShowCommand.silent("replay", picture);
    }
    PictureMetadata made = told.get();
    Path file = out == null ? beside(picture) : OutputFiles.path(out);
    OutputFiles.checkPictureSuffix(file);
    OutputFiles.checkStandardOutput(file, 1, json);
    OutputFiles.checkWritable(file);
    Scheduler scheduler = scheduler(made);
    ImageRequest request = files.find(picture, made.request(), this::repository);
    try (ProgressBar bar = new ProgressBar(terminal)) {
      bar.stage("load");
      try (KolorsPipeline opened = open(made, threadCount)) {
        checkModel(made, opened);
        KolorsPipeline pipeline = opened.withScheduler(scheduler);
        RunControl control =
            RunControl.builder().onProgress(bar).cancellation(interruption.token()).build();
        ImageResult result = pipeline.generate(request, control);
        bar.end();
        KolorsImage again = result.images().get(made.image());
        PictureMetadata metadata = pipeline.metadata(result, made.image());
        interruption.whole(file, () -> OutputFiles.write(again, file, metadata.texts(), terminal));
        return report(made, metadata, again, file);
      }
    }
  }

  private Path repository(String name) throws IOException {
    return model.repository(terminal, interruption, name);
  }

  /**
   * The model, with a shipped U-Net in the place of its own where the picture was made with that.
   */
  private KolorsPipeline open(PictureMetadata made, int threadCount) throws IOException {
    KolorsPipeline.Builder builder =
        promptCache.apply(
            singleFiles
                .apply(model.builder(terminal, interruption, threadCount), this::repository)
                .precision(precisionOf(made)));
    KolorsPipeline opened = builder.open();
    try {
      boolean anotherUnet =
          !singleFiles.haveUnet()
              && made.model().differences(opened.identity()).equals(List.of(UNET));
      Optional<Path> shipped =
          anotherUnet
              ? ReplayedFiles.shippedUnet(
                  String.valueOf(made.model().components().get(UNET)),
                  model.directory(terminal, interruption))
              : Optional.empty();
      if (shipped.isEmpty()) {
        return opened;
      }
      opened.close();
      return builder.unet(shipped.get()).open();
    } catch (Throwable e) {
      opened.close();
      throw e;
    }
  }

  /** F32 where this version does not know it; the report then names the difference. */
  private static Precision precisionOf(PictureMetadata made) {
    return Arrays.stream(Precision.values())
        .filter(each -> each.toString().equals(made.engine().precision()))
        .findFirst()
        .orElse(Precision.F32);
  }

  private static Path beside(Path picture) {
    String name = picture.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return picture.resolveSibling((dot <= 0 ? name : name.substring(0, dot)) + "-replay.png");
  }

  private Scheduler scheduler(PictureMetadata made) throws InvalidFileException {
    try {
      return made.makeScheduler();
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(
          "[replay] %s was made with the scheduler %s, which is not there as it was: %s"
              .formatted(picture, made.schedulerClass(), e.getMessage()),
          e);
    }
  }

  /** Another model would compute for hours and draw something else. */
  private void checkModel(PictureMetadata made, KolorsPipeline pipeline)
      throws InvalidFileException {
    List<String> differing = made.model().differences(pipeline.identity());
    if (!differing.isEmpty()) {
      throw new InvalidFileException(
          "[replay] %s was made with the model %s (hash %.12s), and %s has another %s: give that model with --model%s."
              .formatted(
                  picture,
                  made.model().name(),
                  made.model().hash(),
                  pipeline.identity().name(),
                  String.join(", ", differing),
                  ofWeightFiles(differing)));
    }
  }

  /** The options that may have put other weights in the place of the model's. */
  private static String ofWeightFiles(List<String> differing) {
    if (!WEIGHT_FILES.keySet().containsAll(differing)) {
      return "";
    }
    List<String> options = differing.stream().map(WEIGHT_FILES::get).toList();
    return ", or, if it was made with %s, the same %s here"
        .formatted(String.join(" and ", options), String.join(" and ", options));
  }

  private int report(PictureMetadata made, PictureMetadata metadata, KolorsImage again, Path file)
      throws IOException {
    boolean same = made.pixels().equals(metadata.pixels());
    List<String> differences = same ? List.of() : differences(made, metadata, again);
    if (json) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("file", file.toString());
      line.put("same", same);
      line.put("differences", differences);
      terminal.out().println(JsonWriter.compact(line));
    } else if (!OutputFiles.isStandardOutput(file)) {
      terminal.out().println(file);
    }
    if (same) {
      terminal.err().println("the same pixels as " + picture);
      return KolorsCommand.OK;
    }
    terminal.error(
        "[replay] %s has other pixels than %s had when it was made: %s."
            .formatted(file, picture, String.join("; ", differences)));
    return KolorsCommand.FAILED;
  }

  /** Of the pixels, and of all that they could come from. */
  private List<String> differences(PictureMetadata made, PictureMetadata now, KolorsImage again)
      throws IOException {
    List<String> differences = new ArrayList<>();
    KolorsImage old = KolorsImage.read(picture);
    boolean whole = PictureMetadata.hash(old).equals(made.pixels());
    if (!whole) {
      differences.add("the picture's own pixels were changed since, so they cannot be compared");
    } else {
      differences.add(distance(old.rgb(), again.rgb()));
    }
    EngineVersion then = made.engine();
    EngineVersion here = now.engine();
    addDifference(differences, "kolors4j", then.library(), here.library());
    addDifference(differences, "precision", then.precision(), here.precision());
    addDifference(differences, "kernels", then.kernels(), here.kernels());
    return differences;
  }

  private static void addDifference(
      List<String> differences, String what, String then, String now) {
    if (!then.equals(now)) {
      differences.add("%s %s then, %s now".formatted(what, then, now));
    }
  }

  private static String distance(byte[] old, byte[] again) {
    if (old.length != again.length) {
      return "another size";
    }
    int differing = 0;
    int most = 0;
    for (int i = 0; i < old.length; i++) {
      int distance = Math.abs((old[i] & 255) - (again[i] & 255));
      differing += distance == 0 ? 0 : 1;
      most = Math.max(most, distance);
    }
    return String.format(
        Locale.ROOT, "%,d of %,d values differ, by at most %d of 255", differing, old.length, most);
  }
}
