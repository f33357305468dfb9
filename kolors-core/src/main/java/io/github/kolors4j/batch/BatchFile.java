package io.github.kolors4j.batch;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/** Files in the folder of a batch: they appear whole or not at all. */
final class BatchFile {
  /** Ends the names of files that are not whole yet. */
  static final String PART = ".part";

  private BatchFile() {}

  /** Where a file is written before it has its name. */
  static Path part(Path file) {
    return file.resolveSibling("." + file.getFileName() + PART);
  }

  /** Gives a file that is written its name, in the place of one that has it. */
  static void rename(Path file) throws IOException {
    Files.move(
        part(file), file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  static void write(Path file, byte[] bytes) throws IOException {
    try {
      Files.write(part(file), bytes);
      rename(file);
    } catch (IOException e) {
      Files.deleteIfExists(part(file));
      throw cannotBeWritten(file, e);
    }
  }

  static IOException cannotBeWritten(Path file, IOException e) {
    return new IOException(
        "[batch] %s cannot be written (%s): what is made stays, and the same call goes on."
            .formatted(file, reason(e)),
        e);
  }

  /** What the system says, without the name of the file. */
  static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "its folder is not there";
      case AccessDeniedException _ -> "permission denied";
      case java.nio.file.FileSystemException system when system.getReason() != null ->
          system.getReason();
      default -> Optional.ofNullable(e.getMessage()).orElse(e.toString());
    };
  }
}
