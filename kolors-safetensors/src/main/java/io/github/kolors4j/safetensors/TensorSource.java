package io.github.kolors4j.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Named tensors, memory-mapped: one file or a checkpoint of several.
 *
 * <p>Opening reads the headers only. A tensor's bytes are read from the disk when they are touched,
 * and their pages are clean, so that the system takes them back when memory is short: a checkpoint
 * may be larger than the memory. A source is immutable and may be used from several threads.
 *
 * <p><b>Closing</b> unmaps at once; a segment handed out before is dead then, and touching it is an
 * {@link IllegalStateException}. A source that is never closed stays mapped until the JVM ends.
 *
 * <p><b>A file must not be cut short or overwritten in place while it is open.</b> Everything was
 * checked when it was opened, but the system has no means to keep a file as it was: a touched page
 * that is gone ends in an {@link InternalError}, and changed bytes are seen. {@link #requireWhole}
 * tells which file was cut. Replacing a file by renaming another over it, as {@link
 * SafetensorsWriter} does, is harmless.
 */
public interface TensorSource extends AutoCloseable {

  /**
   * Opens a file of either kind, which its first bytes tell.
   *
   * @param file a safetensors file, or one of {@code torch.save}, of which only tensors are read
   * @return the open file, to be closed by the caller
   * @throws SafetensorsException if it is neither
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   */
  static TensorSource open(Path file) throws IOException {
    return PickleFile.isOne(file) ? PickleFile.open(file) : SafetensorsFile.open(file);
  }

  /**
   * All tensors.
   *
   * @return unmodifiable names, in the order of the data in the file, for a sharded checkpoint in
   *     the order of its index; also after close
   */
  Set<String> names();

  /**
   * What is known of a tensor.
   *
   * @param name the tensor's name
   * @return its type, shape and place, or empty if there is none of that name; also after close
   */
  Optional<TensorInfo> find(String name);

  /**
   * A tensor's bytes: dense, row-major, little-endian whatever the machine.
   *
   * <p>The format does not promise that a tensor begins at a multiple of its type's size. Read with
   * an unaligned little-endian layout, such as {@code
   * ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)}.
   *
   * @param name the tensor's name
   * @return read-only slice of the mapping, {@link TensorInfo#byteLength} bytes; valid until close
   * @throws IllegalArgumentException if there is no tensor of that name
   * @throws IllegalStateException after close
   */
  MemorySegment data(String name);

  /**
   * Free text that the writer added: {@code __metadata__}.
   *
   * @return unmodifiable; empty if there is none; of a sharded checkpoint, what its files say, the
   *     first in the order of their names where they differ; also after close
   */
  Map<String, String> metadata();

  /**
   * Whether the mapped files are still as long as they were when they were opened. It asks the
   * system about what was opened, whatever has its name by now: a file that was deleted, or
   * replaced by renaming another over it, is whole.
   *
   * @throws InvalidFileException if one was cut short, with its name and both lengths
   * @throws IllegalStateException after close
   */
  default void requireWhole() throws InvalidFileException {
    // A source without files cannot lose any.
  }

  /**
   * What was opened.
   *
   * @return the file, or the index of a sharded checkpoint, as the caller gave it
   */
  Path path();

  /**
   * Unmaps. A second call has no effect.
   *
   * @throws IllegalStateException if another thread is reading the mapping in this moment; it stays
   *     open then
   */
  @Override
  void close();
}
