package io.github.kolors4j.spark;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.batch.BatchRequest;
import io.github.kolors4j.batch.KolorsBatch;
import io.github.kolors4j.batch.RequestReader;
import io.github.kolors4j.batch.TableRow;
import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.jspecify.annotations.Nullable;

/**
 * A task: the rows of a partition, one picture after another, each when somebody asks for its row.
 *
 * @param options how
 * @param columns of the rows
 * @param hadoop configuration of the file systems
 */
record GeneratePictures(SparkOptions options, Columns columns, SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1;

  /** Rows whose texts are encoded before their pictures, at most. */
  private static final int MOST_ROWS_AHEAD = 1024;

  @Override
  public Iterator<Row> call(Iterator<Row> rows) throws IOException {
    return new Pictures(rows, TaskContext.get());
  }

  /** A row that waits for its turn: its request, or why it has none. */
  private record Waiting(Row row, @Nullable BatchRequest request, @Nullable String error) {}

  /** The rows of the manifest, as they are made. */
  private final class Pictures implements Iterator<Row> {
    private final Iterator<Row> rows;
    private final TaskContext task;
    private final TaskWatch watch;
    private final KolorsPipeline pipeline;
    private final RequestReader reader;
    private final @Nullable PictureFolder folder;
    private final Deque<Waiting> window = new ArrayDeque<>();

    Pictures(Iterator<Row> rows, TaskContext task) throws IOException {
      this.rows = rows;
      this.task = task;
      this.watch = new TaskWatch(task);
      this.pipeline = ExecutorPipeline.of(options, task);
      this.reader =
          new RequestReader(
              pipeline, options.arguments(), new ExecutorFiles(options.files(), hadoop.value()));
      String pictures = options.pictures();
      this.folder = pictures == null ? null : new PictureFolder(pictures, hadoop.value());
      TaskCompletionListener atEnd = _ -> close();
      task.addTaskCompletionListener(atEnd);
    }

    private void close() {
      watch.close();
      if (folder != null) {
        try {
          folder.close();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }

    @Override
    public boolean hasNext() {
      return !window.isEmpty() || rows.hasNext();
    }

    @Override
    public Row next() {
      try {
        if (window.isEmpty()) {
          fill();
        }
        return made(window.removeFirst());
      } catch (CancellationException e) {
        if (task.isInterrupted()) {
          throw new TaskKilledException(String.valueOf(e.getMessage()));
        }
        throw e;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Takes as many rows as the prompt cache has room for, and encodes their texts. */
    private void fill() {
      if (!rows.hasNext()) {
        throw new NoSuchElementException();
      }
      int most = Math.max(1, pipeline.promptCapacity() / 4 * 3);
      Set<String> texts = new HashSet<>();
      while (rows.hasNext() && texts.size() < most && window.size() < MOST_ROWS_AHEAD) {
        Row row = rows.next();
        try {
          TableRow table = columns.tableRow(row);
          BatchRequest request = reader.read(table);
          texts.addAll(request.texts().prompts());
          texts.addAll(request.texts().negativePrompts());
          window.add(new Waiting(row, request, null));
        } catch (IllegalArgumentException | IOException | UncheckedIOException e) {
          window.add(new Waiting(row, null, KolorsBatch.sentence(e)));
        }
      }
      pipeline.encodeAhead(
          window.stream()
              .map(Waiting::request)
              .filter(request -> request != null)
              .map(BatchRequest::texts)
              .toList(),
          control());
    }

    private Row made(Waiting waiting) throws IOException {
      Map<String, @Nullable Object> values = new HashMap<>();
      values.put(Columns.ID, waiting.row.getAs(Columns.ID));
      values.put(Columns.KEY, waiting.row.getAs(Columns.KEY));
      values.put("host", ExecutorPipeline.host());
      values.put("made", false);
      BatchRequest request = waiting.request;
      if (request == null) {
        values.put(Columns.ERROR, waiting.error);
        return columns.manifestRow(waiting.row, values);
      }
      values.put("seed", new BigDecimal(new BigInteger(Long.toUnsignedString(request.seed()))));
      values.put("request", request.hash());
      values.put("scheduler", request.scheduler().className());
      byte @Nullable [] there = folder == null ? null : folder.find(request.fileName());
      if (there == null) {
        there = picture(request, values);
      }
      if (there != null) {
        values.put("bytes", (long) there.length);
        values.put("sha256", Identity.of(there));
        values.put(
            folder == null ? "picture" : Columns.FILE, folder == null ? there : request.fileName());
      }
      return columns.manifestRow(waiting.row, values);
    }

    private byte @Nullable [] picture(BatchRequest request, Map<String, @Nullable Object> values)
        throws IOException {
      byte[] png;
      ImageResult result;
      try {
        KolorsPipeline with =
            request.scheduler().equals(pipeline.scheduler())
                ? pipeline
                : pipeline.withScheduler(request.scheduler());
        result = with.generate(request.whole(), control());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        result.image().writeTo(bytes, ImageFormat.PNG, with.metadata(result, 0).texts());
        png = bytes.toByteArray();
      } catch (IllegalStateException | UncheckedIOException e) {
        throw e;
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        values.put(Columns.ERROR, KolorsBatch.sentence(e));
        return null;
      }
      if (folder != null) {
        folder.write(request.fileName(), png, task.taskAttemptId());
      }
      values.put("made", true);
      values.put("text_seconds", seconds(result.timings().text()));
      values.put("denoise_seconds", seconds(result.timings().denoise()));
      values.put("decode_seconds", seconds(result.timings().decode()));
      values.put("total_seconds", seconds(result.timings().total()));
      return png;
    }

    private RunControl control() {
      return RunControl.cancelledBy(watch.token());
    }

    private static double seconds(Duration duration) {
      return duration.toNanos() / 1e9;
    }
  }
}
