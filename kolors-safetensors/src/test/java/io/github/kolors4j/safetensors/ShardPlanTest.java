package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.SafetensorsWriter.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardPlanTest {
  /** 40, 24, 80 and 8 bytes. */
  private static final List<Entry> ENTRIES =
      List.of(entry("d", 10), entry("a", 6), entry("c", 20), entry("b", 2));

  @TempDir Path directory;

  private static Entry entry(String name, long values) {
    return new Entry(name, DType.F32, List.of(values));
  }

  @Test
  void whatFitsIsOneFileWithoutAnIndex() throws IOException {
    ShardPlan plan = ShardPlan.of("model", "fp16", ENTRIES, 152);
    assertEquals(List.of("model.fp16.safetensors"), names(plan));
    assertEquals(152, plan.byteLength());
    assertEquals(
        List.of("model.safetensors"), names(ShardPlan.of("model", "", ENTRIES, Long.MAX_VALUE)));
    assertEquals(List.of("model.safetensors"), names(ShardPlan.of("model", "", List.of(), 1)));
    plan.writeIndex(directory);
    assertEquals(List.of(), files());
  }

  @Test
  void aTensorThatDoesNotFitBeginsTheNextFile() {
    ShardPlan plan = ShardPlan.of("model", "fp16", ENTRIES, 64);
    assertEquals(
        List.of(
            "model.fp16-00001-of-00003.safetensors",
            "model.fp16-00002-of-00003.safetensors",
            "model.fp16-00003-of-00003.safetensors"),
        names(plan));
    assertEquals(
        List.of(64L, 80L, 8L), plan.shards().stream().map(ShardPlan.Shard::byteLength).toList());
    assertEquals(4, ShardPlan.of("model", "", ENTRIES, 1).shards().size());
    assertEquals(2, ShardPlan.of("model", "", ENTRIES, 151).shards().size());
  }

  @Test
  void whatIsWrittenIsReadBackByItsIndex() throws IOException {
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    for (Entry entry : ENTRIES) {
      float[] values = new float[entry.shape().getFirst().intValue()];
      values[1] = values.length;
      tensors.put(entry.name(), TensorData.f32(values, values.length));
    }
    Path whole = directory.resolve("whole");
    SafetensorsWriter.write(whole, Map.of("from", "here"), tensors);
    Path parts = Files.createDirectory(directory.resolve("parts"));
    try (var source = SafetensorsFile.open(whole)) {
      ShardPlan.of("model", "fp16", ENTRIES, 64).write(parts, source);
      try (var read = ShardedSafetensors.open(parts, "model", Optional.of("fp16"))) {
        assertEquals(parts.resolve("model.safetensors.index.fp16.json"), read.path());
        assertEquals(source.names(), Set.copyOf(read.names()));
        assertEquals(Map.of("from", "here", "format", "pt"), read.metadata());
        for (String name : source.names()) {
          assertEquals(-1, source.data(name).mismatch(read.data(name)), name);
        }
      }
    }
    assertEquals(
        """
        {
          "metadata": {
            "total_size": 152
          },
          "weight_map": {
            "a": "model.fp16-00001-of-00003.safetensors",
            "b": "model.fp16-00003-of-00003.safetensors",
            "c": "model.fp16-00002-of-00003.safetensors",
            "d": "model.fp16-00001-of-00003.safetensors"
          }
        }
        """,
        Files.readString(parts.resolve("model.safetensors.index.fp16.json")));
  }

  @Test
  void sizesBelowOneAndNamesThatLeadElsewhereAreRefused() {
    assertEquals(
        "[safetensors] files of at most 0 bytes: use 1 or more.",
        assertThrows(IllegalArgumentException.class, () -> ShardPlan.of("model", "", ENTRIES, 0))
            .getMessage());
    assertThrows(IllegalArgumentException.class, () -> ShardPlan.of("../a", "", ENTRIES, 1));
    assertThrows(IllegalArgumentException.class, () -> ShardPlan.of("a", "b/c", ENTRIES, 1));
  }

  @Test
  void aDirectoryIsThereWhenItIsCompleteAndNotBefore() throws IOException {
    Path target = directory.resolve("a/b");
    try (var begun = NewDirectory.create("save", target, 10, "")) {
      begun.write("file", "text");
      assertEquals(directory.resolve("a/b.partial"), begun.path());
      assertFalse(Files.exists(target));
      begun.complete();
    }
    assertEquals("text", Files.readString(target.resolve("file")));
    assertFalse(Files.exists(directory.resolve("a/b.partial")));
  }

  @Test
  void aDirectoryThatIsNotCompletedLeavesNothing() throws IOException {
    Path target = Files.createDirectory(directory.resolve("a"));
    try (var begun = NewDirectory.create("save", target, 10, "")) {
      begun.write("file", "text");
      Files.createDirectories(begun.path().resolve("below/it"));
    }
    assertEquals(List.of("a"), files());
    assertEquals(0, target.toFile().list().length);
  }

  @Test
  void directoriesThatCannotBeAreRefused() throws IOException {
    Path full = Files.createDirectory(directory.resolve("full"));
    Path file = Files.writeString(full.resolve("file"), "");
    Path left = Files.createDirectory(directory.resolve("new.partial"));
    assertFault("[save] " + full + " is not empty: name a folder that is new or empty.", full);
    assertFault("[save] " + file + " is a file: name a folder that is new or empty.", file);
    assertFault("[save] / cannot be replaced: name a folder.", Path.of("/"));
    assertFault(
        "[save] "
            + left
            + " is there: another run is writing it, or one was killed. Delete it, or choose"
            + " another folder.",
        directory.resolve("new"));
    Path below = file.resolve("below/it");
    assertTrue(
        assertThrows(IOException.class, () -> NewDirectory.create("save", below, 1, ""))
            .getMessage()
            .startsWith("[save] " + below + " cannot be written ("));
    String message =
        assertThrows(
                IOException.class,
                () ->
                    NewDirectory.create(
                        "save", directory.resolve("big"), 1L << 60, ", or fewer layers"))
            .getMessage();
    assertEquals(
        "[save] "
            + directory.resolve("big")
            + " needs 1152921504.62 GB and the disk has * GB free: choose another folder, or fewer"
            + " layers.",
        message.replaceAll("has [0-9.]+ GB", "has * GB"));
    assertEquals(List.of("full", "new.partial"), files());
  }

  @Test
  void filesThatCameMeanwhileAreKept() throws IOException {
    Path target = directory.resolve("a");
    try (var begun = NewDirectory.create("save", target, 10, "")) {
      Files.createDirectory(target);
      Files.writeString(target.resolve("file"), "");
      assertEquals(
          "[save] " + target + " is not empty: name a folder that is new or empty.",
          assertThrows(IOException.class, begun::complete).getMessage());
    }
    assertEquals(List.of("a"), files());
  }

  private static void assertFault(String message, Path target) {
    assertEquals(
        message,
        assertThrows(IOException.class, () -> NewDirectory.create("save", target, 1, ""))
            .getMessage());
  }

  private static List<String> names(ShardPlan plan) {
    return plan.shards().stream().map(ShardPlan.Shard::fileName).toList();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
