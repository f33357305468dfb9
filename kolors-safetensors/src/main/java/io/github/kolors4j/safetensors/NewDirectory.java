package io.github.kolors4j.safetensors;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A directory that is there with all of its files, or not at all: what {@link SafetensorsWriter} is
 * for one file.
 *
 * <p>The files are written into {@code NAME.partial} beside the directory that is wanted, which
 * gets its name in {@link #complete()}. Closed before that, it is deleted; a killed JVM leaves it,
 * and the next run says so.
 */
public final class NewDirectory implements AutoCloseable {
  private static final String PARTIAL = ".partial";

  /** Headers, configurations and blocks of the file system. */
  private static final long OVERHEAD_BYTES = 8 << 20;

  private final String operation;
  private final Path target;
  private final Path partial;
  private boolean completed;

  private NewDirectory(String operation, Path target, Path partial) {
    this.operation = operation;
    this.target = target;
    this.partial = partial;
  }

  /**
   * Begins a directory, whose parents are made too.
   *
   * @param operation what messages begin with, as {@code save}
   * @param directory the directory to be; it must not exist, or be empty
   * @param bytes that the weights will take; some megabytes are added for the rest
   * @param orElse what helps besides another folder where the disk is too small, as {@code ", or
   *     fewer layers"}; may be empty
   * @return the directory, to be completed and closed
   * @throws IOException if the directory has files, the disk is too small, or it cannot be written;
   *     nothing is left then
   */
  public static NewDirectory create(String operation, Path directory, long bytes, String orElse)
      throws IOException {
    Path target = directory.toAbsolutePath().normalize();
    Path parent = target.getParent();
    if (parent == null) {
      throw fault(operation, directory, "cannot be replaced: name a folder.");
    }
    requireUnused(operation, target);
    requireSpace(operation, target, bytes, orElse);
    Path partial = parent.resolve(target.getFileName() + PARTIAL);
    if (Files.exists(partial)) {
      throw fault(
          operation,
          partial,
          "is there: another run is writing it, or one was killed. Delete it, or choose another"
              + " folder.");
    }
    try {
      Files.createDirectories(parent);
      Files.createDirectory(partial);
    } catch (IOException e) {
      throw unwritable(operation, target, e);
    }
    return new NewDirectory(operation, target, partial);
  }

  private static void requireUnused(String operation, Path target) throws IOException {
    if (!Files.exists(target)) {
      return;
    }
    try (Stream<Path> files = Files.list(target)) {
      if (files.findAny().isPresent()) {
        throw notEmpty(operation, target);
      }
    } catch (NotDirectoryException e) {
      throw fault(operation, target, "is a file: name a folder that is new or empty.");
    }
  }

  private static void requireSpace(String operation, Path target, long bytes, String orElse)
      throws IOException {
    Path existing = target;
    while (!Files.exists(existing)) {
      existing = existing.getParent();
      if (existing == null) {
        throw fault(operation, target, "is on a drive that is not there: choose another folder.");
      }
    }
    double needed = (double) bytes + OVERHEAD_BYTES;
    double free = Files.getFileStore(existing).getUsableSpace();
    if (needed > free) {
      throw fault(
          operation,
          target,
          String.format(
              Locale.ROOT,
              "needs %.2f GB and the disk has %.2f GB free: choose another folder%s.",
              needed / 1e9,
              free / 1e9,
              orElse));
    }
  }

  /**
   * Where the files are to be written for now.
   *
   * @return a directory that exists
   */
  public Path path() {
    return partial;
  }

  /**
   * Writes a small file.
   *
   * @param name of the file
   * @param text in UTF-8
   * @throws IOException if it cannot be written
   */
  public void write(String name, String text) throws IOException {
    try {
      Files.writeString(partial.resolve(name), text);
    } catch (IOException e) {
      throw unwritable(operation, target, e);
    }
  }

  /**
   * Copies a file, which keeps its name.
   *
   * @param file anywhere
   * @throws IOException if it cannot be read or written
   */
  public void copy(Path file) throws IOException {
    try {
      Files.copy(file, partial.resolve(file.getFileName().toString()));
    } catch (IOException e) {
      throw unwritable(operation, target, e);
    }
  }

  /**
   * Gives the directory its name: everything is written.
   *
   * @throws IOException if it cannot be renamed, or somebody has put files there meanwhile
   */
  public void complete() throws IOException {
    try {
      Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
      completed = true;
    } catch (DirectoryNotEmptyException | FileAlreadyExistsException e) {
      throw notEmpty(operation, target);
    } catch (IOException e) {
      throw unwritable(operation, target, e);
    }
  }

  /**
   * Deletes what was written, unless it is complete.
   *
   * @throws IOException if a file cannot be deleted
   */
  @Override
  public void close() throws IOException {
    if (completed || !Files.exists(partial)) {
      return;
    }
    List<Path> found;
    try (Stream<Path> files = Files.walk(partial)) {
      found = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : found) {
      Files.deleteIfExists(file);
    }
  }

  private static IOException notEmpty(String operation, Path target) {
    return fault(operation, target, "is not empty: name a folder that is new or empty.");
  }

  private static IOException unwritable(String operation, Path target, IOException cause) {
    IOException fault =
        fault(
            operation,
            target,
            "cannot be written ("
                + SafetensorsException.reason(cause)
                + "): choose another folder.");
    fault.initCause(cause);
    return fault;
  }

  private static IOException fault(String operation, Path path, String what) {
    return new IOException("[" + operation + "] " + path + " " + what);
  }
}
