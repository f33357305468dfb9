package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {
  @TempDir private Path folder;

  @Test
  void itPullsAllOfItsRepositoryIntoItsOwnFolder() throws IOException {
    Rehearsal.main(new String[] {folder.toString()});
    try (Stream<Path> all = Files.walk(folder)) {
      assertEquals(
          4,
          all.filter(Files::isRegularFile)
              .filter(file -> folder.relativize(file).toString().contains("snapshots"))
              .count());
    }
  }
}
