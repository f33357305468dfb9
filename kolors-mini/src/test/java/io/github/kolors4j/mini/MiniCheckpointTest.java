package io.github.kolors4j.mini;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MiniCheckpointTest {
  private static final String INDEX = "model_index.json";
  private static final String WEIGHTS = "unet/weights";

  @TempDir private Path folder;

  private static Map<String, byte[]> files(String weights) {
    return Map.of(INDEX, bytes("{}"), WEIGHTS, bytes(weights));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** As {@code train/list_files.py} makes it. */
  private static String list(Map<String, byte[]> files) {
    return new TreeMap<>(files)
        .entrySet().stream()
            .map(
                file ->
                    "%s %d %s%n"
                        .formatted(crc(file.getValue()), file.getValue().length, file.getKey()))
            .collect(Collectors.joining())
            .replace(System.lineSeparator(), "\n");
  }

  private static String crc(byte[] data) {
    CRC32 crc = new CRC32();
    crc.update(data);
    return "%08x".formatted(crc.getValue());
  }

  private static CheckpointFiles listed(Map<String, byte[]> files) throws IOException {
    return CheckpointFiles.read(new ByteArrayInputStream(bytes(list(files))), "mini");
  }

  private Path cache() {
    return folder.resolve("cache");
  }

  private Path unpacked(Map<String, byte[]> files) throws IOException {
    return unpacked(listed(files), files);
  }

  private Path unpacked(CheckpointFiles list, Map<String, byte[]> files) throws IOException {
    return MiniCheckpoint.unpacked(
        list, name -> new ByteArrayInputStream(files.get(name)), Optional.of(cache()));
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.list(cache())) {
      return files.toList();
    }
  }

  @Test
  void inACheckoutTheFilesAreUsedWhereTheyAre() throws IOException {
    Path directory = MiniCheckpoint.directory();
    assertTrue(directory.endsWith("target/classes/io/github/kolors4j/mini/checkpoint"));
    assertTrue(Files.exists(directory.resolve("unet/config.json")));
  }

  @Test
  void whatGoesWithItIsInFoldersBesideIt() throws IOException {
    Path extensions = MiniCheckpoint.directory().resolveSibling("extensions");
    assertEquals(extensions, MiniCheckpoint.controlNet().getParent());
    assertEquals(extensions, MiniCheckpoint.ipAdapter().getParent());
    assertTrue(Files.exists(MiniCheckpoint.controlNet().resolve("config.json")));
    assertTrue(Files.exists(MiniCheckpoint.ipAdapter().resolve("image_encoder/config.json")));
    assertEquals(extensions, MiniCheckpoint.inpaintingUnet().getParent().getParent());
    assertTrue(Files.exists(MiniCheckpoint.inpaintingUnet()));
  }

  @Test
  void eachListHasItsFilesWithTheirChecksumsAndLengths() throws IOException {
    for (String each : List.of("checkpoint", "extensions")) {
      Path folder = Path.of("src/main", each);
      Map<String, byte[]> files = new TreeMap<>();
      try (Stream<Path> paths = Files.walk(folder)) {
        for (Path file : paths.filter(Files::isRegularFile).toList()) {
          String name = folder.relativize(file).toString().replace('\\', '/');
          files.put(name, Files.readAllBytes(file));
        }
      }
      try (InputStream list = MiniCheckpoint.class.getResourceAsStream(each + "-files.txt")) {
        assertEquals(list(files), new String(list.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void itIsUnpackedOnceAndThenReused() throws IOException {
    Path first = unpacked(files("weights"));
    assertEquals("weights", Files.readString(first.resolve(WEIGHTS)));
    var time = Files.getLastModifiedTime(first.resolve(WEIGHTS));
    assertEquals(first, unpacked(files("weights")));
    assertEquals(time, Files.getLastModifiedTime(first.resolve(WEIGHTS)));
    assertEquals(List.of(first), cached());
  }

  @Test
  void anotherContentGetsAnotherFolder() throws IOException {
    assertNotEquals(unpacked(files("weights")), unpacked(files("Weights")));
    assertEquals(2, cached().size());
  }

  @Test
  void anIncompleteFolderIsMended() throws IOException {
    Path first = unpacked(files("weights"));
    Files.writeString(first.resolve(WEIGHTS), "wei");
    Files.delete(first.resolve(INDEX));
    assertEquals(first, unpacked(files("weights")));
    assertEquals("weights", Files.readString(first.resolve(WEIGHTS)));
    assertEquals("{}", Files.readString(first.resolve(INDEX)));
    assertEquals(List.of(first), cached());
  }

  @Test
  void aChangedFileOfTheSameLengthIsReplaced() throws IOException {
    Path first = unpacked(files("weights"));
    Files.writeString(first.resolve(WEIGHTS), "weighty");
    assertEquals(first, unpacked(files("weights")));
    assertEquals("weights", Files.readString(first.resolve(WEIGHTS)));
  }

  @Test
  void aFileThatIsWholeStaysUntouchedWhenAnotherIsReplaced() throws IOException {
    Path first = unpacked(files("weights"));
    Object key = Files.readAttributes(first.resolve(INDEX), "*").get("fileKey");
    Files.delete(first.resolve(WEIGHTS));
    unpacked(files("weights"));
    assertEquals(key, Files.readAttributes(first.resolve(INDEX), "*").get("fileKey"));
  }

  @Test
  void theRemainsOfAKilledRunAreInNobodysWay() throws IOException {
    Path part = cache().resolve(listed(files("weights")).folderName() + ".part-1");
    Files.createDirectories(part.resolve("unet"));
    Files.writeString(part.resolve(WEIGHTS), "wei");
    Path ready = unpacked(files("weights"));
    assertNotEquals(part, ready);
    assertEquals("weights", Files.readString(ready.resolve(WEIGHTS)));
  }

  @Test
  void aResourceThatIsNotAsListedIsRefusedAndLeavesNothing() throws IOException {
    CheckpointFiles list = listed(files("weights"));
    IOException e = assertThrows(IOException.class, () -> unpacked(list, files("weighty")));
    assertEquals(
        "[mini checkpoint] unet/weights has 7 bytes with CRC-32 %s, and 7 with %s are listed: build or fetch kolors-mini again."
            .formatted(crc(bytes("weighty")), crc(bytes("weights"))),
        e.getMessage());
    assertEquals(List.of(), cached());
  }

  @Test
  void whereTheCacheCannotBeMadeOneTemporaryFolderServes() throws IOException {
    Files.writeString(cache(), "a file is in the way");
    Path other = unpacked(files("weights"));
    assertEquals("weights", Files.readString(other.resolve(WEIGHTS)));
    assertEquals(other, unpacked(files("weights")));
  }

  @Test
  void severalRunsAtOnceEndWithOneFolder() throws Exception {
    assertEquals(1, atOnce(files("weights")).size());
    assertEquals(1, cached().size());
  }

  @Test
  void severalRunsAtOnceMendADamagedFolder() throws Exception {
    Path first = unpacked(files("weights"));
    Files.writeString(first.resolve(WEIGHTS), "weighty");
    assertEquals(Set.of(first), atOnce(files("weights")));
    assertEquals(List.of(first), cached());
  }

  /** Each run must find its folder whole as soon as it has it. */
  private Set<Path> atOnce(Map<String, byte[]> files) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      Callable<Path> unpack =
          () -> {
            Path ready = unpacked(files);
            assertEquals("weights", Files.readString(ready.resolve(WEIGHTS)));
            return ready;
          };
      Set<Path> folders = new HashSet<>();
      for (Future<Path> result : threads.invokeAll(Collections.nCopies(16, unpack))) {
        folders.add(result.get());
      }
      return folders;
    }
  }
}
