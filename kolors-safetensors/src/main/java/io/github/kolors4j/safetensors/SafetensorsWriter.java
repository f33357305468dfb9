package io.github.kolors4j.safetensors;

import static io.github.kolors4j.safetensors.SafetensorsException.quote;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes a safetensors file piece by piece; it may be larger than the memory.
 *
 * <p>All tensors are declared first, then each one's bytes are given in as many pieces as suits the
 * caller. Tensors may be written in any order and by turns; in the order of declaration, with types
 * of one size, the file is written from front to back.
 *
 * <p><b>All or nothing.</b> The bytes go to a hidden file in the same directory, which takes the
 * real name (and the place of an older file) in {@link #close()}, when every tensor is complete. A
 * writer that fails or is closed early leaves what was there before. A killed JVM leaves the hidden
 * file, {@code .NAME.….tmp}, which can be deleted.
 *
 * <p>Tensors lie in the file by falling size of their type, then as declared, and the data begins
 * at a multiple of 8 bytes: so every value is aligned. Equal declarations give equal bytes.
 *
 * <p>Not safe for use from several threads at once.
 */
public final class SafetensorsWriter implements AutoCloseable {
  private static final ValueLayout.OfFloat LITTLE_FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Of the data in the file, and so of the widest values in it. */
  private static final int ALIGNMENT = Long.BYTES;

  /** As Linux has it: links one behind the other beyond that are a circle. */
  private static final int MOST_LINKS = 40;

  /** Everything passes through one buffer of this size, whatever memory it comes from. */
  private static final int STAGING_BYTES = 1 << 20;

  /**
   * A tensor to come.
   *
   * @param name any text but {@code __metadata__}
   * @param dtype type of the values
   * @param shape extents, outermost first; empty for a single value; an extent may be 0
   */
  public record Entry(String name, DType dtype, List<Long> shape) {

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code name} is {@code __metadata__}, an extent is
     *     negative, or the values do not fill whole bytes
     * @throws ArithmeticException if the size passes 2⁶³−1
     */
    public Entry {
      if (name.equals(Header.METADATA)) {
        throw new IllegalArgumentException(
            "[safetensors] a tensor cannot be named " + Header.METADATA + ".");
      }
      shape = List.copyOf(shape);
      dtype.byteLength(shape);
    }

    /**
     * Size of the data.
     *
     * @return bytes
     */
    public long byteLength() {
      return dtype.byteLength(shape);
    }
  }

  /** A tensor's place in the file and how much of it is written. */
  private static final class Slot {
    final Entry entry;
    final long offset; // into the data
    final long byteLength;
    long written;

    Slot(Entry entry, long offset) {
      this.entry = entry;
      this.offset = offset;
      this.byteLength = entry.byteLength();
    }
  }

  private final Path path;
  private final Path target;
  private final Path hidden;
  private final FileChannel channel;
  private final long dataStart;
  private final Map<String, Slot> slots;
  private final ByteBuffer staging = ByteBuffer.allocateDirect(STAGING_BYTES);
  private final MemorySegment stagingBytes = MemorySegment.ofBuffer(staging);
  private boolean failed;
  private boolean closed;

  private SafetensorsWriter(
      Path path,
      Path target,
      Path hidden,
      FileChannel channel,
      long dataStart,
      Map<String, Slot> slots) {
    this.path = path;
    this.target = target;
    this.hidden = hidden;
    this.channel = channel;
    this.dataStart = dataStart;
    this.slots = slots;
  }

  /**
   * Begins a file.
   *
   * @param path the file to be; an older one is replaced in {@link #close()}. A link is written
   *     through, also one to a file that is not there yet
   * @param entries the tensors to come
   * @param metadata free text for {@code __metadata__}; left out of the file if empty
   * @return the writer, to be closed by the caller
   * @throws SafetensorsException if the directory is missing or cannot be written, or {@code path}
   *     is a directory, a pipe or a device
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalArgumentException if two entries have one name, a text is not valid Unicode, or
   *     the names take more than the 100 MB that the format allows
   * @throws ArithmeticException if the sizes' sum passes 2⁶³−1
   */
  public static SafetensorsWriter create(
      Path path, List<Entry> entries, Map<String, String> metadata) throws IOException {
    Map<String, Slot> slots = layOut(path, entries);
    byte[] front = front(path, slots.values(), metadata);
    Path target = destination(path);
    Path directory = Objects.requireNonNull(target.getParent(), "root as a file");
    if (!Files.isDirectory(directory)) {
      throw SafetensorsException.of(path, "cannot be written: there is no directory for it.");
    }
    if (Files.isDirectory(target)) {
      throw SafetensorsException.of(path, "cannot be written: it is a directory.");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw SafetensorsException.of(
          path, "cannot be written: it is a pipe or a device, which cannot be replaced.");
    }
    String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
    Path hidden = directory.resolve("." + target.getFileName() + "." + random + ".tmp");
    SafetensorsWriter writer;
    try {
      var channel =
          FileChannel.open(hidden, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      writer = new SafetensorsWriter(path, target, hidden, channel, front.length, slots);
    } catch (IOException e) {
      throw SafetensorsException.of(path, "written", e);
    }
    try {
      writer.put(MemorySegment.ofArray(front), 0);
    } catch (Throwable e) {
      writer.abandon();
      throw e;
    }
    return writer;
  }

  /**
   * Writes a file of small tensors in one call.
   *
   * @param path the file; an older one is replaced
   * @param metadata free text for {@code __metadata__}; left out of the file if empty
   * @param tensors by name
   * @throws SafetensorsException if the file cannot be written
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalArgumentException as in {@link #create}
   */
  public static void write(Path path, Map<String, String> metadata, Map<String, TensorData> tensors)
      throws IOException {
    List<Entry> entries = new ArrayList<>();
    tensors.forEach((name, data) -> entries.add(new Entry(name, data.dtype(), data.shape())));
    try (var writer = create(path, entries, metadata)) {
      for (var tensor : tensors.entrySet()) {
        writer.write(tensor.getKey(), tensor.getValue().data());
      }
    }
  }

  /** Where a link leads in the end, which may not be there; the file itself, where it is none. */
  private static Path destination(Path path) throws SafetensorsException {
    Path target = path.toAbsolutePath();
    try {
      for (int links = 0; Files.isSymbolicLink(target); links++) {
        if (links == MOST_LINKS) {
          throw SafetensorsException.of(
              path, "is more than " + MOST_LINKS + " links, one behind the other.");
        }
        target = target.resolveSibling(Files.readSymbolicLink(target));
      }
      return target;
    } catch (SafetensorsException e) {
      throw e;
    } catch (IOException e) {
      throw SafetensorsException.of(path, "written", e);
    }
  }

  /** Places the tensors, in the order of the data. */
  private static Map<String, Slot> layOut(Path path, List<Entry> entries) {
    List<Entry> ordered = new ArrayList<>(entries);
    ordered.sort(Comparator.comparingInt((Entry entry) -> entry.dtype().bits()).reversed());
    Map<String, Slot> slots = LinkedHashMap.newLinkedHashMap(entries.size());
    long end = 0;
    for (Entry entry : ordered) {
      if (slots.put(entry.name(), new Slot(entry, end)) != null) {
        throw new IllegalArgumentException(
            SafetensorsException.message(
                path, "tensor " + quote(entry.name()) + " is declared twice."));
      }
      end = Math.addExact(end, entry.byteLength());
    }
    return slots;
  }

  /** What comes before the data: the header's length and the header. */
  private static byte[] front(Path path, Collection<Slot> slots, Map<String, String> metadata) {
    Map<String, Object> header = LinkedHashMap.newLinkedHashMap(slots.size() + 1);
    if (!metadata.isEmpty()) {
      // Sorted, because a map that is not ordered would give another file in every JVM.
      header.put(Header.METADATA, new TreeMap<>(metadata));
    }
    for (Slot slot : slots) {
      Map<String, Object> tensor = new LinkedHashMap<>();
      tensor.put(Header.DTYPE, slot.entry.dtype().name());
      tensor.put(Header.SHAPE, slot.entry.shape());
      tensor.put(Header.DATA_OFFSETS, List.of(slot.offset, slot.offset + slot.byteLength));
      header.put(slot.entry.name(), tensor);
    }
    return framed(path, JsonWriter.compact(header));
  }

  /** The JSON with its length in front, and spaces so that the data begins at a multiple of 8. */
  private static byte[] framed(Path path, String json) {
    ByteBuffer utf8;
    try {
      utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(json));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          SafetensorsException.message(
              path, "a name or the metadata has half a surrogate pair, which UTF-8 cannot hold."),
          e);
    }
    int length = Math.ceilDiv(utf8.remaining(), ALIGNMENT) * ALIGNMENT;
    if (length > Header.MAX_LENGTH) {
      throw new IllegalArgumentException(
          SafetensorsException.message(
              path,
              String.format(
                  Locale.ROOT,
                  "header would take %,d bytes: at most %,d are allowed.",
                  length,
                  Header.MAX_LENGTH)));
    }
    byte[] front = new byte[Header.LENGTH_BYTES + length];
    Arrays.fill(front, (byte) ' ');
    ByteBuffer.wrap(front).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(utf8);
    return front;
  }

  /**
   * Writes the next piece of a tensor.
   *
   * @param name the tensor
   * @param piece bytes that follow those written before, little-endian
   * @throws SafetensorsException if the disk is full or fails; the file is given up then
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalArgumentException if no such tensor was declared, or the piece does not fit in
   *     it; nothing is written then
   * @throws IllegalStateException after close, or after a failure
   */
  public void write(String name, MemorySegment piece) throws IOException {
    Slot slot = slot(name, piece.byteSize());
    put(piece, dataStart + slot.offset + slot.written);
    slot.written += piece.byteSize();
  }

  /**
   * Writes the next piece of a tensor.
   *
   * @param name the tensor
   * @param piece bytes that follow those written before, little-endian; its remaining bytes are
   *     taken, and its position moves to its limit
   * @throws IOException as in {@link #write(String, MemorySegment)}
   * @throws IllegalArgumentException as in {@link #write(String, MemorySegment)}
   * @throws IllegalStateException as in {@link #write(String, MemorySegment)}
   */
  public void write(String name, ByteBuffer piece) throws IOException {
    write(name, MemorySegment.ofBuffer(piece));
    piece.position(piece.limit());
  }

  /**
   * Writes the next values of a tensor of {@link DType#F32}.
   *
   * @param name the tensor
   * @param values the array that has them
   * @param from index of the first
   * @param count how many
   * @throws IOException as in {@link #write(String, MemorySegment)}
   * @throws IllegalArgumentException as in {@link #write(String, MemorySegment)}, or if the tensor
   *     is of another type
   * @throws IndexOutOfBoundsException if the array has no such range
   * @throws IllegalStateException as in {@link #write(String, MemorySegment)}
   */
  public void write(String name, float[] values, int from, int count) throws IOException {
    Objects.checkFromIndexSize(from, count, values.length);
    Slot slot = slot(name, (long) count * Float.BYTES);
    if (slot.entry.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          SafetensorsException.message(
              path, "tensor " + quote(name) + " is " + slot.entry.dtype() + ", not F32."));
    }
    int most = STAGING_BYTES / Float.BYTES;
    for (int done = 0; done < count; done += most) {
      int some = Math.min(most, count - done);
      MemorySegment.copy(values, from + done, stagingBytes, LITTLE_FLOAT, 0, some);
      putStaged(some * Float.BYTES, dataStart + slot.offset + slot.written);
      slot.written += (long) some * Float.BYTES;
    }
  }

  /**
   * Writes the next values of a tensor of {@link DType#F32}.
   *
   * @param name the tensor
   * @param values all of them are taken
   * @throws IOException as in {@link #write(String, MemorySegment)}
   * @throws IllegalArgumentException as in {@link #write(String, MemorySegment)}, or if the tensor
   *     is of another type
   * @throws IllegalStateException as in {@link #write(String, MemorySegment)}
   */
  public void write(String name, float[] values) throws IOException {
    write(name, values, 0, values.length);
  }

  private Slot slot(String name, long more) {
    if (closed || failed) {
      throw new IllegalStateException(
          SafetensorsException.message(
              path, closed ? "the writer is closed." : "the writer has failed before."));
    }
    Slot slot = slots.get(name);
    if (slot == null) {
      throw new IllegalArgumentException(
          SafetensorsException.message(path, "no tensor " + quote(name) + " was declared."));
    }
    if (more > slot.byteLength - slot.written) {
      throw new IllegalArgumentException(
          SafetensorsException.message(
              path,
              String.format(
                  Locale.ROOT,
                  "tensor %s has %,d bytes, of which %,d are written: %,d more do not fit.",
                  quote(name),
                  slot.byteLength,
                  slot.written,
                  more)));
    }
    return slot;
  }

  private void put(MemorySegment bytes, long position) throws IOException {
    for (long done = 0; done < bytes.byteSize(); done += STAGING_BYTES) {
      int some = (int) Math.min(STAGING_BYTES, bytes.byteSize() - done);
      MemorySegment.copy(bytes, done, stagingBytes, 0, some);
      putStaged(some, position + done);
    }
  }

  private void putStaged(int count, long position) throws IOException {
    staging.clear().limit(count);
    try {
      while (staging.hasRemaining()) {
        channel.write(staging, position + staging.position());
      }
    } catch (IOException e) {
      failed = true;
      throw SafetensorsException.of(path, "written", e);
    }
  }

  /**
   * Gives the file its name if every tensor is complete; otherwise nothing is left of it. A second
   * call has no effect. After a failed {@code write} it only cleans up, so that the failure is what
   * the caller of a try-with-resources block gets to see.
   *
   * @throws SafetensorsException if the bytes could not be brought to the disk, or the file not
   *     renamed
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalStateException if a tensor is not complete, though no {@code write} failed
   */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    if (failed) {
      abandon();
      return;
    }
    try {
      requireComplete();
      channel.force(true); // before the rename: a power failure must not leave a name without bytes
      channel.close();
      Files.move(hidden, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      abandon();
      throw SafetensorsException.of(path, "written", e);
    } catch (RuntimeException e) {
      abandon();
      throw e;
    }
  }

  private void requireComplete() {
    for (Slot slot : slots.values()) {
      if (slot.written < slot.byteLength) {
        throw new IllegalStateException(
            SafetensorsException.message(
                path,
                String.format(
                    Locale.ROOT,
                    "closed too early: tensor %s has %,d of its %,d bytes. Nothing is kept.",
                    quote(slot.entry.name()),
                    slot.written,
                    slot.byteLength)));
      }
    }
  }

  /** Deletes what was written, as far as the system lets us; the reason is known already. */
  private void abandon() {
    try {
      channel.close();
      Files.deleteIfExists(hidden);
    } catch (IOException e) {
      // What is left has a name that nobody opens.
    }
  }
}
