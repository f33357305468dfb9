package io.github.kolors4j.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that are read as a whole, and not on the word of a length. */
final class SmallFile {
  private SmallFile() {}

  /**
   * The bytes of a file.
   *
   * @param file links are followed; a pipe, which would wait for its other end, and a device, which
   *     may have no end, are refused
   * @param most bytes that it may have
   * @return its bytes, or one more than it may have, the rest unread
   */
  static byte[] read(Path file, int most) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new FileSystemException(
          file.toString(), null, Files.isDirectory(file) ? "Is a directory" : "not a regular file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(most + 1);
    }
  }
}
