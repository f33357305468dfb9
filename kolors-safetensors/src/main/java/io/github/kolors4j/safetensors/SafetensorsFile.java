package io.github.kolors4j.safetensors;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One safetensors file, memory-mapped as a whole; it may be larger than 2 GB.
 *
 * <p>The header is checked completely before anything is mapped, so that every tensor of an open
 * file lies inside it. See <a href="https://github.com/huggingface/safetensors#format">the
 * format</a>.
 */
public final class SafetensorsFile implements TensorSource {
  private final Path path;
  private final Header header;
  private final Arena arena;
  private final MemorySegment mapping;

  /** To ask how long the file is now; a channel would be closed by an interrupt. */
  private final RandomAccessFile file;

  private SafetensorsFile(
      Path path, Header header, RandomAccessFile file, Arena arena, MemorySegment mapping) {
    this.path = path;
    this.header = header;
    this.file = file;
    this.arena = arena;
    this.mapping = mapping;
  }

  /**
   * Opens and maps a file.
   *
   * @param path the file; links are followed
   * @return the open file, to be closed by the caller
   * @throws SafetensorsException if the file is missing, cannot be read, or is not a safetensors
   *     file to the letter of the format
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   */
  public static SafetensorsFile open(Path path) throws IOException {
    if (!Files.isRegularFile(path)) { // opening a pipe would wait for its other end
      throw SafetensorsException.of(path, notAFile(path));
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      Header header = Header.read(path, channel);
      return map(path, header, channel);
    } catch (SafetensorsException e) {
      throw e;
    } catch (IOException e) {
      throw SafetensorsException.of(path, "read", e);
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // the file that is returned closes it
  private static SafetensorsFile map(Path path, Header header, FileChannel channel)
      throws IOException {
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
    Arena arena = Arena.ofShared();
    try {
      var mapping = channel.map(MapMode.READ_ONLY, 0, header.fileSize(), arena);
      return new SafetensorsFile(path, header, file, arena, mapping);
    } catch (Throwable e) {
      arena.close();
      file.close();
      throw e;
    }
  }

  private static String notAFile(Path path) {
    if (Files.isDirectory(path)) {
      return "is a directory, not a file.";
    }
    if (Files.isSymbolicLink(path) && !Files.exists(path)) {
      return "is a link to a file that does not exist. Incomplete download?";
    }
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS)
        ? "is not a regular file."
        : "there is no such file.";
  }

  @Override
  public Set<String> names() {
    return header.tensors().keySet();
  }

  @Override
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(header.tensors().get(name));
  }

  @Override
  public MemorySegment data(String name) {
    checkOpen();
    TensorInfo tensor =
        find(name).orElseThrow(() -> unknownTensor(path, name, header.tensors().size()));
    return mapping.asSlice(tensor.offset(), tensor.byteLength());
  }

  /**
   * The file itself, for who hashes it or copies it.
   *
   * @return all of its bytes, header included; mapped, and not to be written to
   * @throws IllegalStateException if it is closed
   */
  public MemorySegment bytes() {
    checkOpen();
    return mapping;
  }

  @Override
  public Map<String, String> metadata() {
    return header.metadata();
  }

  @Override
  public void requireWhole() throws SafetensorsException {
    checkOpen();
    try {
      long length = file.length();
      if (length < header.fileSize()) {
        throw SafetensorsException.of(
            path,
            String.format(
                Locale.ROOT,
                "has %,d bytes now, and had %,d when it was opened: it was cut short while it was"
                    + " in use. Restore it, and replace a file that is in use by renaming another"
                    + " over it.",
                length,
                header.fileSize()));
      }
    } catch (SafetensorsException e) {
      throw e;
    } catch (IOException e) { // as of a network's file that is gone
      checkOpen();
      throw SafetensorsException.of(path, "read", e);
    }
  }

  private void checkOpen() {
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException(SafetensorsException.message(path, "is closed."));
    }
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      arena.close();
      try {
        file.close();
      } catch (IOException _) {
        // Nothing was written to it.
      }
    }
  }

  /**
   * The file and the number of its tensors.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s (%,d tensors)", path, header.tensors().size());
  }

  static IllegalArgumentException unknownTensor(Path path, String name, int count) {
    return new IllegalArgumentException(
        SafetensorsException.message(
            path,
            String.format(
                Locale.ROOT,
                "there is no tensor %s among its %,d.",
                SafetensorsException.quote(name),
                count)));
  }
}
