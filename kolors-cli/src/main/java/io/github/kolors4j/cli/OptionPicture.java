package io.github.kolors4j.cli;

import io.github.kolors4j.image.KolorsImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Pictures that options name: of several options the one is named whose picture is not there. */
final class OptionPicture {
  private OptionPicture() {}

  /** Reads a picture. */
  static KolorsImage read(String option, Path file) throws IOException {
    if (file.toString().isBlank()) {
      throw new UsageException(
          "[arguments] %s is empty: name the file of a picture.".formatted(option));
    }
    if (!Files.exists(file) || Files.isDirectory(file)) {
      throw new IOException(
          "[image] %s %s %s: name the file of a picture."
              .formatted(option, file, Files.exists(file) ? "is a folder" : "does not exist"));
    }
    return KolorsImage.read(file);
  }

  /** Reads several. */
  static List<KolorsImage> read(String option, List<Path> files) throws IOException {
    List<KolorsImage> images = new ArrayList<>();
    for (Path file : files) {
      images.add(read(option, file));
    }
    return images;
  }

  /**
   * The files of a list with commas.
   *
   * @param given each a list; the option may be there several times
   */
  static List<Path> files(String option, List<String> given) {
    List<Path> files = new ArrayList<>();
    for (String list : given) {
      for (String file : list.split(",", -1)) {
        if (file.isBlank()) {
          throw new UsageException(
              "[arguments] %s \"%s\" has an empty name: name files, with a comma between two of them."
                  .formatted(option, list));
        }
        files.add(Path.of(file));
      }
    }
    return files;
  }
}
