package io.github.kolors4j.mini;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MiniCheckpointTest {
  @TempDir private Path folder;

  private Path jar(String weights) throws IOException {
    Path file = Files.createTempFile(folder, "some", ".jar");
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file))) {
      jar.putNextEntry(new JarEntry("mini-kolors/"));
      jar.putNextEntry(new JarEntry("mini-kolors/model_index.json"));
      jar.write('{');
      jar.putNextEntry(new JarEntry("mini-kolors/unet/weights"));
      jar.write(weights.getBytes());
      jar.putNextEntry(new JarEntry("other/file"));
    }
    return file;
  }

  private Path unpacked(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      return MiniCheckpoint.unpacked(file, folder.resolve("cache"));
    }
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
      return files.toList();
    }
  }

  @Test
  void inACheckoutTheFilesAreUsedWhereTheyAre() throws IOException {
    assertTrue(MiniCheckpoint.directory().endsWith("target/classes/mini-kolors"));
    assertTrue(Files.exists(MiniCheckpoint.directory().resolve("unet/config.json")));
  }

  @Test
  void outOfAJarItIsUnpackedOnceAndThenReused() throws IOException {
    Path first = unpacked(jar("weights"));
    assertEquals("weights", Files.readString(first.resolve("unet/weights")));
    var time = Files.getLastModifiedTime(first.resolve("unet/weights"));
    assertEquals(first, unpacked(jar("weights")));
    assertEquals(time, Files.getLastModifiedTime(first.resolve("unet/weights")));
    assertEquals(List.of(first), cached());
  }

  @Test
  void anotherContentGetsAnotherFolder() throws IOException {
    assertNotEquals(unpacked(jar("weights")), unpacked(jar("Weights")));
    assertEquals(2, cached().size());
  }

  @Test
  void anIncompleteFolderIsMadeAgain() throws IOException {
    Path first = unpacked(jar("weights"));
    Files.writeString(first.resolve("unet/weights"), "wei");
    assertEquals(first, unpacked(jar("weights")));
    assertEquals("weights", Files.readString(first.resolve("unet/weights")));
  }

  @Test
  void whereTheCacheCannotBeMadeATemporaryFolderServes() throws IOException {
    Files.writeString(folder.resolve("cache"), "a file is in the way");
    Path other = unpacked(jar("weights"));
    assertEquals("weights", Files.readString(other.resolve("unet/weights")));
  }

  @Test
  void severalRunsAtOnceEndWithOneFolder() throws Exception {
    Path jar = jar("weights");
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      Callable<Path> unpack = () -> unpacked(jar);
      Set<Path> folders = new HashSet<>();
      for (Future<Path> result : threads.invokeAll(Collections.nCopies(16, unpack))) {
        folders.add(result.get());
      }
      assertEquals(1, folders.size());
    }
    assertEquals(1, cached().size());
  }
}
