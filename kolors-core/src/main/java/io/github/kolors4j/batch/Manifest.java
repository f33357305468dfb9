package io.github.kolors4j.batch;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What has become of the rows: a line of JSON for each, in a file that is only ever added to while
 * a batch runs. A line is written at once, so that whatever ends the process leaves half of the
 * last one at most, which the next run drops. A row that is made again gets another line; the last
 * one counts, and at the end it is the only one. One process at a time has the folder.
 */
final class Manifest implements Closeable {
  static final String NAME = "manifest.jsonl";

  private static final String LOCK = ".kolors-batch.lock";

  /**
   * What the last line of a row says.
   *
   * @param request the hash of what was asked for
   * @param file its name, null where there was an error
   * @param sha256 of the file
   * @param line which line, from 0
   */
  private record Entry(String request, @Nullable String file, String sha256, long line) {
    boolean isOf(BatchRequest asked) {
      return file != null && request.equals(asked.hash());
    }
  }

  private final Path directory;
  private final Path path;
  private final FileChannel lockFile;
  private final FileLock lock;
  private final Map<String, Entry> entries = new HashMap<>();
  private FileChannel out;
  private long lines;
  private boolean superseded;

  /**
   * Opens the manifest of a folder, or begins it.
   *
   * @throws IOException if another process has the folder, or it cannot be written
   */
  Manifest(Path directory) throws IOException {
    this.directory = directory;
    this.path = directory.resolve(NAME);
    if (Files.isDirectory(path)) {
      throw new IOException(
          "[batch] %s is a folder: choose another one to write to.".formatted(path));
    }
    this.lockFile =
        FileChannel.open(
            directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      this.lock = locked();
      removeParts();
      boolean torn = read();
      if (torn || superseded) {
        compact();
      }
      this.out = appending();
    } catch (IOException | RuntimeException | Error e) {
      lockFile.close();
      throw e;
    }
  }

  private FileLock locked() throws IOException {
    @Nullable FileLock free;
    try {
      free = lockFile.tryLock();
    } catch (OverlappingFileLockException _) {
      free = null;
    }
    if (free == null) {
      throw new IOException(
          "[batch] another batch is writing to %s: wait for it, or choose another folder."
              .formatted(directory));
    }
    return free;
  }

  /** What a killed run was writing. */
  private void removeParts() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        String name = String.valueOf(file.getFileName());
        if (name.startsWith(".") && name.endsWith(BatchFile.PART)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private FileChannel appending() throws IOException {
    return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** Reads what there is; whether a line of it is not whole. */
  private boolean read() throws IOException {
    entries.clear();
    lines = 0;
    superseded = false;
    if (!Files.exists(path)) {
      return false;
    }
    boolean torn = !endsWithNewline();
    try (BufferedReader in = reader()) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        torn |= !add(line);
        lines++;
      }
    }
    return torn;
  }

  private boolean endsWithNewline() throws IOException {
    try (FileChannel in = FileChannel.open(path)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      return in.size() == 0 || (in.read(last, in.size() - 1) == 1 && last.get(0) == '\n');
    }
  }

  /** A line may be torn within a letter: what is no UTF-8 becomes a sign that is no JSON's end. */
  private BufferedReader reader() throws IOException {
    return new BufferedReader(
        new java.io.InputStreamReader(Files.newInputStream(path), StandardCharsets.UTF_8));
  }

  private boolean add(String line) {
    try {
      JsonReader json = JsonReader.of(line);
      Map<String, Object> values = json.object();
      json.end();
      if (values.get("id") instanceof String id) {
        String request = values.get("request") instanceof String hash ? hash : "";
        @Nullable String file = values.get("file") instanceof String name ? name : null;
        String sha256 = values.get("sha256") instanceof String digits ? digits : "";
        superseded |= entries.put(id, new Entry(request, file, sha256, lines)) != null;
        return true;
      }
    } catch (JsonException _) {
      // Half a line.
    }
    return false;
  }

  /** Whether a row has a line that says so, and its picture is there with the bytes that it had. */
  boolean isDone(BatchRequest request) throws IOException {
    Entry entry = entries.get(request.id());
    if (entry == null || entry.file == null || !entry.isOf(request)) {
      return false;
    }
    Path file = directory.resolve(entry.file);
    return Files.isRegularFile(file) && Identity.of(Files.readAllBytes(file)).equals(entry.sha256);
  }

  /**
   * A picture that was written and that no line tells of, as where the process ended in between.
   */
  Optional<byte[]> unlisted(BatchRequest request) throws IOException {
    Entry entry = entries.get(request.id());
    Path file = directory.resolve(request.fileName());
    return (entry != null && entry.isOf(request)) || !Files.isRegularFile(file)
        ? Optional.empty()
        : Optional.of(Files.readAllBytes(file));
  }

  /**
   * Adds a line.
   *
   * @param values with {@code id}, {@code request}, {@code file} and {@code sha256}
   */
  void append(Map<String, ? extends @Nullable Object> values) throws IOException {
    String line = JsonWriter.compact(values);
    add(line);
    lines++;
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    } catch (IOException e) {
      throw BatchFile.cannotBeWritten(path, e);
    }
  }

  /** Leaves the last line of each row, in a file that takes the place of the other when whole. */
  private void compact() throws IOException {
    try (BufferedReader in = reader();
        BufferedWriter whole = Files.newBufferedWriter(BatchFile.part(path))) {
      long number = 0;
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (isLast(line, number++)) {
          whole.write(line);
          whole.write('\n');
        }
      }
    }
    BatchFile.rename(path);
    read();
  }

  private boolean isLast(String line, long number) {
    try {
      if (!(JsonReader.of(line).object().get("id") instanceof String id)) {
        return false;
      }
      Entry entry = entries.get(id);
      return entry != null && entry.line == number;
    } catch (JsonException _) {
      return false;
    }
  }

  /** Leaves one line a row. */
  @Override
  public void close() throws IOException {
    try {
      out.close();
      if (superseded) {
        compact();
      }
    } finally {
      lock.release();
      lockFile.close();
      Files.deleteIfExists(directory.resolve(LOCK));
    }
  }
}
