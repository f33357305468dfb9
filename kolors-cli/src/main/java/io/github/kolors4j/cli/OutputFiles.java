package io.github.kolors4j.cli;

import io.github.kolors4j.image.ImageFormat;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/** Names of the files that a command writes, and whether they can be written. */
final class OutputFiles {
  static final String PNG = ".png";
  static final String SAFETENSORS = ".safetensors";

  /** Endings that promise another format than those that are written. */
  private static final Set<String> OTHER_FORMATS =
      Set.of(".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".pt", ".npy");

  private OutputFiles() {}

  /** {@code out} for one file, and {@code out-0}, {@code out-1} … before the suffix for more. */
  static List<Path> names(Path out, int files) {
    if (files == 1) {
      return List.of(out);
    }
    String name = out.getFileName().toString();
    String suffix = suffix(name);
    String stem = name.substring(0, name.length() - suffix.length());
    return IntStream.range(0, files).mapToObj(i -> sibling(out, stem + "-" + i + suffix)).toList();
  }

  private static Path sibling(Path out, String name) {
    return out.getParent() == null ? Path.of(name) : out.getParent().resolve(name);
  }

  /** Refuses a name for a picture whose ending promises what is not written. */
  static void checkPictureSuffix(Path out) {
    if (ImageFormat.of(out).isEmpty()) {
      checkSuffix(out, PNG);
    }
  }

  /** Refuses a name whose ending promises another format. */
  static void checkSuffix(Path out, String format) {
    if (out.getFileName() == null || out.toString().isEmpty()) {
      throw new UsageException("[output] --out \"" + out + "\" is not the name of a file.");
    }
    String suffix = suffix(out.getFileName().toString()).toLowerCase(Locale.ROOT);
    String other = format.equals(PNG) ? SAFETENSORS : PNG;
    if (suffix.equals(other) || OTHER_FORMATS.contains(suffix)) {
      throw new UsageException(
          "[output] --out %s: what is written is a %s file, so let the name end with that."
              .formatted(out, format.equals(PNG) ? PNG + " or .jpg" : format));
    }
  }

  /**
   * Finds out before the work starts whether a file can be written.
   *
   * @throws IOException with a sentence if it cannot
   */
  static void checkWritable(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException("[output] " + file + " is a folder: give the name of a file.");
    }
    Path folder = file.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          "[output] %s: the folder %s does not exist: make it first.".formatted(file, folder));
    }
    try {
      if (!Files.exists(file)) {
        Files.createFile(file); // the name itself may be impossible, as one of 300 letters
        Files.delete(file);
      } else if (Files.isRegularFile(file)) {
        Files.delete(Files.createTempFile(folder, ".kolors", ".part"));
      }
    } catch (FileAlreadyExistsException _) {
      // Another process writes there: so can we.
    } catch (FileSystemException e) {
      String reason = e.getReason() == null ? "permission denied" : e.getReason();
      throw new IOException(
          "[output] %s cannot be written (%s): choose another folder or name with --out."
              .formatted(file, reason),
          e);
    }
  }

  private static String suffix(String name) {
    int dot = name.lastIndexOf('.');
    return dot <= 0 ? "" : name.substring(dot);
  }
}
