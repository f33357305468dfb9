package io.github.kolors4j.cli;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/** Names of the files that a command writes, and whether they can be written. */
final class OutputFiles {
  static final String PNG = ".png";
  static final String SAFETENSORS = ".safetensors";

  /** Names of standard output; a file that is called so is {@code ./-}. */
  private static final Set<String> STANDARD_OUTPUT =
      Set.of("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1");

  /** Endings that promise another format than those that are written. */
  private static final Set<String> OTHER_FORMATS =
      Set.of(".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".pt", ".npy");

  /** As Linux has it: links one behind the other beyond that are a circle. */
  private static final int MOST_LINKS = 40;

  private OutputFiles() {}

  /**
   * The file that an option names.
   *
   * @param text as typed
   * @throws IOException if it is the name of a folder: a path would forget the slash at its end
   */
  static Path path(String text) throws IOException {
    if (text.endsWith("/") || text.endsWith(File.separator)) {
      throw new IOException(
          "[output] %s is a folder: give the name of a file in it.".formatted(text));
    }
    return Path.of(text);
  }

  /** Whether a name, or a link behind it, means the stream that results go to. */
  static boolean isStandardOutput(Path file) {
    Path target = file;
    try {
      for (int links = 0; links < MOST_LINKS; links++) {
        if (STANDARD_OUTPUT.contains(target.toString())) {
          return true;
        }
        if (!Files.isSymbolicLink(target)) {
          return false;
        }
        target = target.resolveSibling(Files.readSymbolicLink(target));
      }
    } catch (IOException _) {
      // Whoever writes there finds out.
    }
    return false;
  }

  /** Refuses what one stream cannot take: several pictures, or a line of JSON beside one. */
  static void checkStandardOutput(Path file, int files, boolean json) {
    if (!isStandardOutput(file)) {
      return;
    }
    if (files > 1) {
      throw new UsageException(
          "[output] --out %s: %d pictures cannot go to standard output, give the name of a file."
              .formatted(file, files));
    }
    if (json) {
      throw new UsageException(
          "[output] --out %s and --json: both are standard output, give the name of a file."
              .formatted(file));
    }
  }

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
    if (isStandardOutput(file)) {
      return;
    }
    if (Files.isDirectory(file)) {
      throw new IOException("[output] " + file + " is a folder: give the name of a file.");
    }
    Path target = destination(file);
    Path folder = Objects.requireNonNullElse(target.getParent(), target);
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          "[output] %s: the folder %s does not exist: make it first.".formatted(file, folder));
    }
    try {
      if (!Files.exists(target)) {
        Files.createFile(target); // the name itself may be impossible, as one of 300 letters
        Files.delete(target);
      } else if (Files.isRegularFile(target)) {
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

  /** Where a link leads in the end, which may not be there; the file itself, where it is none. */
  private static Path destination(Path file) throws IOException {
    Path target = file.toAbsolutePath();
    for (int links = 0; Files.isSymbolicLink(target); links++) {
      if (links == MOST_LINKS) {
        throw new IOException(
            "[output] %s: more than %d links, one behind the other: give the name of a file."
                .formatted(file, MOST_LINKS));
      }
      target = target.resolveSibling(Files.readSymbolicLink(target));
    }
    return target;
  }

  /** Writes a picture to a file, in the format that its name promises, or to standard output. */
  static void write(KolorsImage picture, Path file, Map<String, String> texts, Terminal terminal)
      throws IOException {
    ImageFormat format = ImageFormat.of(file).orElse(ImageFormat.PNG);
    if (isStandardOutput(file)) {
      picture.writeTo(terminal.out(), format, texts);
      terminal.out().flush();
    } else {
      picture.save(file, format, texts);
    }
  }

  /** Writes tensors to a file, to standard output, or to what else has a name, as a pipe. */
  static void write(Path file, Map<String, TensorData> tensors, Terminal terminal)
      throws IOException {
    boolean standard = isStandardOutput(file);
    if (!standard && (!Files.exists(file) || Files.isRegularFile(file))) {
      SafetensorsWriter.write(file, Latents.METADATA, tensors);
      return;
    }
    Path whole = Files.createTempFile("kolors", SAFETENSORS);
    try {
      SafetensorsWriter.write(whole, Latents.METADATA, tensors);
      if (standard) {
        Files.copy(whole, terminal.out());
        terminal.out().flush();
      } else {
        try (var stream = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
          Files.copy(whole, stream);
        }
      }
    } finally {
      Files.delete(whole);
    }
  }

  private static String suffix(String name) {
    int dot = name.lastIndexOf('.');
    return dot <= 0 ? "" : name.substring(dot);
  }
}
