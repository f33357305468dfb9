package io.github.kolors4j.djl;

import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The mini checkpoint where a test wants it. */
final class MiniCheckpointCopy {
  private MiniCheckpointCopy() {}

  /** Copies all of it into a new folder. */
  static Path into(Path folder) throws IOException {
    Path mini = MiniCheckpoint.directory();
    List<Path> files;
    try (Stream<Path> all = Files.walk(mini)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      Path copy = folder.resolve(mini.relativize(file).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy);
    }
    return folder;
  }
}
