package io.github.kolors4j.safetensors;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Names of files inside a directory, given by a caller or by an index. */
final class FileNames {
  private FileNames() {}

  /**
   * Whether a name means an entry of the directory it is looked up in, on every system: no
   * separator of any of them, no drive, not {@code .} or {@code ..}.
   */
  static boolean staysInside(String name) {
    if (name.isBlank() || name.equals(".") || name.contains("..")) {
      return false;
    }
    if (name.chars().anyMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ')) {
      return false;
    }
    try {
      return Path.of(name).getNameCount() == 1 && !Path.of(name).isAbsolute();
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Checks a part of a file name that the caller gave as {@code what}. */
  static void require(String what, String name) {
    if (!staysInside(name)) {
      throw new IllegalArgumentException(
          "[safetensors] "
              + what
              + " "
              + SafetensorsException.quote(name)
              + " cannot be part of a file's name.");
    }
  }
}
