package io.github.kolors4j.batch;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes the pictures of a table of requests, a file for each, and a manifest.
 *
 * {@snippet :
 * Path out = Path.of("pictures");
 * PromptCache prompts = PromptCache.at(out.resolve(".prompts"), 1L << 30);
 * try (KolorsPipeline pipeline = KolorsPipeline.builder(model).promptCache(prompts).open()) {
 *   BatchSummary summary =
 *       KolorsBatch.builder(pipeline, out).build().run(BatchTable.read(Path.of("table.csv")));
 * }
 * }
 *
 * <p>A picture appears whole under a name made of the row's id, its seed, and a hash of what was
 * asked for, and then a line in {@code manifest.jsonl}. So a batch that was killed goes on when the
 * same call is made again: what is there is kept, what is missing is made, and the bytes are those
 * of a batch that nobody has killed. A row that cannot be made has a line with its error, and is
 * tried again the next time.
 *
 * <p>Where the pipeline has a {@code promptCache}, the texts of as many rows as it holds are
 * encoded before the pictures of those rows, so that the text encoder, the largest part of a
 * checkpoint, is read once for all of them.
 *
 * <p>Immutable; a folder is written by one batch at a time.
 */
public final class KolorsBatch {
  /** Rows whose texts are encoded before their pictures, at most: they are held in memory. */
  private static final int MOST_ROWS_AHEAD = 1024;

  /** The share of the prompt cache that the texts of a window may take, of four. */
  private static final int QUARTERS_OF_CACHE = 3;

  /** A column that is no argument and has a meaning: the report's groups. */
  private static final String GROUP = "group";

  private final KolorsPipeline pipeline;
  private final Path directory;
  private final Map<String, @Nullable Object> defaults;
  private final BatchListener listener;
  private final CancellationToken cancellation;
  private final boolean metadata;
  private final @Nullable RequestFiles files;

  private KolorsBatch(Builder builder) {
    pipeline = builder.pipeline;
    directory = builder.directory;
    defaults = builder.defaults;
    listener = builder.listener;
    cancellation = builder.cancellation;
    metadata = builder.metadata;
    files = builder.files;
  }

  /**
   * Begins to say how.
   *
   * @param pipeline that computes
   * @param directory that gets the pictures and the manifest; made where it is not there
   * @return what builds the batch
   */
  public static Builder builder(KolorsPipeline pipeline, Path directory) {
    return new Builder(pipeline, directory);
  }

  /** How a batch is made. */
  public static final class Builder {
    private final KolorsPipeline pipeline;
    private final Path directory;
    private Map<String, @Nullable Object> defaults = Map.of();
    private BatchListener listener = BatchListener.NONE;
    private CancellationToken cancellation = new CancellationToken();
    private boolean metadata = true;
    private @Nullable RequestFiles files;

    private Builder(KolorsPipeline pipeline, Path directory) {
      this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
      this.directory = Objects.requireNonNull(directory, "directory");
    }

    /**
     * Arguments of rows that do not say otherwise.
     *
     * @param arguments by diffusers' names, as JSON has them
     * @return this
     */
    public Builder defaults(Map<String, ? extends @Nullable Object> arguments) {
      defaults = new LinkedHashMap<>(arguments);
      return this;
    }

    /**
     * Somebody who watches.
     *
     * @param watching told of each step and each row
     * @return this
     */
    public Builder listener(BatchListener watching) {
      listener = Objects.requireNonNull(watching, "listener");
      return this;
    }

    /**
     * What ends the batch from outside, within half a second.
     *
     * @param token looked at all the time
     * @return this
     */
    public Builder cancellation(CancellationToken token) {
      cancellation = Objects.requireNonNull(token, "cancellation");
      return this;
    }

    /**
     * Leaves out of the pictures' files how they were made.
     *
     * @return this
     */
    public Builder withoutMetadata() {
      metadata = false;
      return this;
    }

    /**
     * The files that rows name.
     *
     * @param named where they are; by default those of this machine, relative to the table's folder
     * @return this
     */
    public Builder files(RequestFiles named) {
      files = Objects.requireNonNull(named, "files");
      return this;
    }

    /**
     * The batch.
     *
     * @return as it was put together
     */
    public KolorsBatch build() {
      return new KolorsBatch(this);
    }
  }

  /**
   * Makes the pictures of a table that are not there yet.
   *
   * @param table the rows
   * @return what became of them
   * @throws IllegalArgumentException if a default is no argument
   * @throws InvalidFileException if two rows have the same id, or the table's file cannot be read
   *     as one; nothing has been made then
   * @throws CancellationException if the batch was cancelled or its thread interrupted; what is
   *     finished is there, and the same call goes on
   * @throws IOException if the folder cannot be written, or another batch has it
   * @throws UncheckedIOException if a file of the weights was cut short
   */
  public BatchSummary run(BatchTable table) throws IOException {
    makeDirectory();
    RequestReader reader =
        new RequestReader(
            pipeline, defaults, files == null ? RequestFiles.in(table.folder()) : files);
    try (Manifest manifest = new Manifest(directory)) {
      Run run = new Run(reader, manifest, scan(table));
      table.forEach(run::add);
      run.makeWaiting();
      return run.summary();
    }
  }

  private void makeDirectory() throws IOException {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new IOException(
          "[batch] the folder %s cannot be made (%s): choose another one."
              .formatted(directory, BatchFile.reason(e)),
          e);
    }
  }

  /**
   * What a first look at a table tells.
   *
   * @param rows how many
   * @param columns that are no arguments
   */
  private record Scan(long rows, List<String> columns) {}

  private static Scan scan(BatchTable table) throws IOException {
    DistinctIds ids = new DistinctIds(table.name());
    Set<String> columns = new LinkedHashSet<>();
    table.forEach(
        row -> {
          ids.add(row);
          row.values().keySet().stream()
              .filter(column -> !RequestReader.isArgument(column) && !column.equals(GROUP))
              .forEach(columns::add);
        });
    return new Scan(ids.count(), List.copyOf(columns));
  }

  /** A row that waits for its turn. */
  private record Waiting(TableRow row, BatchRequest request) {}

  /** One run over a table. */
  private final class Run {
    private final RequestReader reader;
    private final Manifest manifest;
    private final Scan scan;
    private final long begin = System.nanoTime();

    /** Rows whose texts are encoded together, and those texts. */
    private final List<Waiting> window = new ArrayList<>();

    private final Set<String> texts = new HashSet<>();
    private final int mostTexts;

    private long made;
    private long kept;
    private long failed;
    private long computingNanos;

    Run(RequestReader reader, Manifest manifest, Scan scan) {
      this.reader = reader;
      this.manifest = manifest;
      this.scan = scan;
      this.mostTexts =
          (int) Math.min(Integer.MAX_VALUE, pipeline.promptCapacity() / 4L * QUARTERS_OF_CACHE);
    }

    /** Takes a row, which is made when the window is full. */
    void add(TableRow row) throws IOException {
      checkCancelled();
      BatchRequest request;
      try {
        request = reader.read(row);
      } catch (IllegalArgumentException | IOException e) {
        fail(row, null, sentence(e));
        return;
      }
      if (manifest.isDone(request)) {
        kept++;
        tell(row, Optional.of(request), Optional.empty(), false);
        return;
      }
      Optional<byte[]> unlisted = manifest.unlisted(request);
      if (unlisted.isPresent() && adopt(row, request, unlisted.get())) {
        return;
      }
      window.add(new Waiting(row, request));
      texts.addAll(request.texts().prompts());
      texts.addAll(request.texts().negativePrompts());
      if (texts.size() >= mostTexts || window.size() >= MOST_ROWS_AHEAD) {
        makeWaiting();
      }
    }

    /**
     * Takes a picture that no line tells of, unless it is damaged, as where the power failed: then
     * it is made again.
     */
    private boolean adopt(TableRow row, BatchRequest request, byte[] png) throws IOException {
      KolorsImage image;
      try {
        image = KolorsImage.read(png, request.fileName(), PictureLimits.DEFAULT);
      } catch (InvalidPictureException _) {
        return false;
      }
      manifest.append(entry(row, request).picture(request.fileName(), png).size(image).values());
      kept++;
      tell(row, Optional.of(request), Optional.empty(), false);
      return true;
    }

    /** Encodes the texts of the rows that wait, and then makes their pictures. */
    void makeWaiting() throws IOException {
      if (mostTexts > 0) {
        long start = System.nanoTime();
        pipeline.encodeAhead(
            window.stream().map(waiting -> waiting.request.texts()).toList(), control());
        computingNanos += System.nanoTime() - start;
      }
      for (Waiting waiting : window) {
        make(waiting.row, waiting.request);
      }
      window.clear();
      texts.clear();
    }

    private void make(TableRow row, BatchRequest request) throws IOException {
      checkCancelled();
      ImageResult result;
      byte[] png;
      try {
        KolorsPipeline with =
            request.scheduler().equals(pipeline.scheduler())
                ? pipeline
                : pipeline.withScheduler(request.scheduler());
        ImageRequest whole = request.whole();
        long start = System.nanoTime();
        try {
          result = with.generate(whole, control());
        } finally {
          computingNanos += System.nanoTime() - start;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        result
            .image()
            .writeTo(
                bytes, ImageFormat.PNG, metadata ? with.metadata(result, 0).texts() : Map.of());
        png = bytes.toByteArray();
      } catch (GenerationCancelledException e) {
        throw e;
      } catch (IllegalStateException | UncheckedIOException e) {
        throw e; // the pipeline is closed, or its weights are gone: no row can be made
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        fail(row, request, sentence(e));
        return;
      }
      BatchFile.write(directory.resolve(request.fileName()), png);
      manifest.append(
          entry(row, request)
              .picture(request.fileName(), png)
              .size(result.image())
              .timings(result.timings())
              .values());
      made++;
      tell(row, Optional.of(request), Optional.empty(), true);
    }

    private void fail(TableRow row, @Nullable BatchRequest request, String error)
        throws IOException {
      Entry entry = request == null ? new Entry(row) : entry(row, request);
      manifest.append(entry.error(error).values());
      failed++;
      tell(row, Optional.empty(), Optional.of(error), false);
    }

    private static Entry entry(TableRow row, BatchRequest request) {
      return new Entry(row).request(request);
    }

    private void tell(
        TableRow row, Optional<BatchRequest> request, Optional<String> error, boolean isMade) {
      listener.onRow(
          new BatchListener.Row(
              row.id(),
              row.number(),
              request.map(known -> directory.resolve(known.fileName())),
              error,
              isMade));
      listener.onProgress(progress(Optional.empty()));
    }

    private RunControl control() {
      return RunControl.builder()
          .onProgress(progress -> listener.onProgress(progress(Optional.of(progress))))
          .cancellation(cancellation)
          .build();
    }

    private BatchProgress progress(Optional<Progress> current) {
      double hours = (System.nanoTime() - begin) / 3.6e12;
      double perHour = made == 0 ? 0 : made / hours;
      long left = scan.rows - made - kept - failed;
      Duration timeLeft =
          made == 0 ? Duration.ZERO : Duration.ofMillis((long) (left / perHour * 3.6e6));
      return new BatchProgress(scan.rows, made, kept, failed, current, perHour, timeLeft);
    }

    private void checkCancelled() {
      if (cancellation.isCancelled() || Thread.currentThread().isInterrupted()) {
        throw new CancellationException(
            "[batch] cancelled, with %s of %s pictures made: the same call goes on."
                .formatted(made + kept, scan.rows));
      }
    }

    BatchSummary summary() {
      return new BatchSummary(
          directory.resolve(Manifest.NAME),
          scan.rows,
          made,
          kept,
          failed,
          Duration.ofNanos(System.nanoTime() - begin),
          Duration.ofNanos(computingNanos),
          scan.columns);
    }
  }

  /**
   * A sentence for a row's error.
   *
   * @param e what ended its request
   * @return the exception's own, where it has one
   */
  public static String sentence(Throwable e) {
    String message = Optional.ofNullable(e.getMessage()).orElse("");
    if (message.startsWith("[")) {
      return message;
    }
    return e instanceof NoSuchFileException
        ? "[file] " + message + " does not exist."
        : e instanceof IOException ? "[file] " + message : "[internal] " + e;
  }

  /** A line of the manifest in the making. */
  static final class Entry {
    private static final Set<String> OWN =
        Set.of("id", "row", "file", "seed", "sha256", "error", "request", "bytes", "timings");

    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();

    Entry(TableRow row) {
      values.put("id", row.id());
      values.put("row", row.number());
      values.put("file", null);
      values.put("seed", null);
      values.put("sha256", null);
      values.put("error", null);
      values.put("request", null);
      values.put("bytes", null);
      row.values()
          .forEach(
              (name, value) -> {
                if (RequestReader.isArgument(name)) {
                  values.putIfAbsent(name, value);
                } else {
                  values.put(OWN.contains(name) ? "row_" + name : name, value);
                }
              });
    }

    Entry request(BatchRequest request) {
      Map<String, @Nullable Object> arguments = RequestReader.arguments(request.texts());
      arguments.putAll(request.arguments()); // also what is in files
      arguments.forEach(
          (name, value) -> {
            if (!hasBytes(value)) {
              values.put(name, value);
            }
          });
      values.put("seed", RequestReader.unsigned(request.seed()));
      values.put("request", request.hash());
      values.put("scheduler", request.scheduler().className());
      return this;
    }

    /** Whether it is, or has somewhere, an array or a picture in Base64. */
    private static boolean hasBytes(@Nullable Object value) {
      return switch (value) {
        case Map<?, ?> map ->
            map.containsKey("f32")
                || map.containsKey("png")
                || map.values().stream().anyMatch(Entry::hasBytes);
        case List<?> list -> list.stream().anyMatch(Entry::hasBytes);
        case null, default -> false;
      };
    }

    Entry picture(String name, byte[] png) {
      values.put("file", name);
      values.put("bytes", png.length);
      values.put("sha256", Identity.of(png));
      return this;
    }

    Entry size(KolorsImage image) {
      values.put("width", image.width());
      values.put("height", image.height());
      return this;
    }

    Entry timings(Timings timings) {
      Map<String, Object> seconds = new LinkedHashMap<>();
      seconds.put("text", seconds(timings.text()));
      seconds.put("denoise", seconds(timings.denoise()));
      seconds.put("decode", seconds(timings.decode()));
      seconds.put("total", seconds(timings.total()));
      values.put("timings", seconds);
      return this;
    }

    private static double seconds(Duration duration) {
      return TimeUnit.NANOSECONDS.toMicros(duration.toNanos()) / 1e6;
    }

    Entry error(String sentence) {
      values.put("error", sentence);
      return this;
    }

    Map<String, @Nullable Object> values() {
      return values;
    }
  }
}
