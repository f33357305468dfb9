package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardedSafetensorsTest {
  @TempDir Path directory;

  // What is found

  @Test
  void theShardsOfTheReferenceAreOneSource() throws Exception {
    Path resources = SafetensorsFileTest.fixture("dtypes.safetensors").getParent();
    try (var source = ShardedSafetensors.open(resources, "model", Optional.empty())) {
      assertInstanceOf(ShardedSafetensors.class, source);
      assertEquals(
          List.of("layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias"),
          List.copyOf(source.names().stream().toList()));
      TensorInfo tensor = source.find("layers.2.bias").orElseThrow();
      assertEquals(DType.F16, tensor.dtype());
      assertEquals(resources.resolve("model.fp16-00002-of-00002.safetensors"), tensor.file());
      assertEquals(12, source.data("layers.2.bias").byteSize());
      assertEquals("20240706", source.metadata().get("seed"));
      assertEquals(resources.resolve("model.safetensors.index.fp16.json"), source.path());
      assertTrue(source.toString().endsWith("(4 tensors in 2 files)"), source.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.fp16.safetensors",
        "model.safetensors.index.fp16.json",
        "model.safetensors.fp16.index.json",
        "model.safetensors",
        "model.safetensors.index.json"
      })
  void everySpellingIsFoundByDefault(String name) throws IOException {
    put(name, "a");
    try (var source = ShardedSafetensors.open(directory, "model", Optional.empty())) {
      assertEquals(directory.resolve(name), source.path());
      assertEquals(4, source.data("a").byteSize());
    }
  }

  @Test
  void halfPrecisionIsPreferredAndThePlainFilesAreTakenOnDemand() throws IOException {
    put("model.safetensors", "plain");
    put("model.safetensors.index.fp16.json", "half");
    assertOpens(Variant.DEFAULT, "half");
    assertOpens(Variant.only("fp16"), "half");
    assertOpens(Variant.PLAIN, "plain");
    assertOpens(Variant.only(""), "plain");
    assertOpens(Variant.prefer("bf16"), "plain");
  }

  @Test
  void oneFileIsPreferredToAnIndexAndTheNewSpellingToTheOld() throws IOException {
    put("model.safetensors.fp16.index.json", "old");
    assertOpens(Variant.DEFAULT, "old");
    put("model.safetensors.index.fp16.json", "new");
    assertOpens(Variant.DEFAULT, "new");
    put("model.fp16.safetensors", "one");
    assertOpens(Variant.DEFAULT, "one");
  }

  @Test
  void aDemandedVariantThatIsMissingIsAnErrorThatSaysWhatIsThere() throws IOException {
    put("model.safetensors", "a");
    assertFails(
        () -> ShardedSafetensors.open(directory, "model", Optional.of("fp16")),
        directory,
        "has none of model.fp16.safetensors, model.safetensors.index.fp16.json,"
            + " model.safetensors.fp16.index.json. It has model.safetensors.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.bf16.safetensors",
        "model.safetensors.index.bf16.json",
        "model.safetensors.bf16.index.json"
      })
  void theOnlyVariantIsTakenWhereNoneIsAskedFor(String name) throws IOException {
    put(name, "a");
    put("other.int8.safetensors", "b");
    RawFile.tensor(directory.resolve("model.bf16-00001-of-00001.safetensors"), "a", 1);
    assertOpens(Variant.DEFAULT, "a");
    assertOpens(Variant.only("bf16"), "a");
    assertThrows(
        SafetensorsException.class,
        () -> ShardedSafetensors.open(directory, "model", Variant.PLAIN));
  }

  @Test
  void ofTwoVariantsOneMustBeChosen() throws IOException {
    put("model.bf16.safetensors", "a");
    put("model.fp32.safetensors", "b");
    assertFails(
        () -> ShardedSafetensors.open(directory, "model", Optional.empty()),
        directory,
        "has none of model.fp16.safetensors, model.safetensors.index.fp16.json,"
            + " model.safetensors.fp16.index.json, model.safetensors, model.safetensors.index.json."
            + " It has model.bf16.safetensors, model.fp32.safetensors: choose the variant bf16 or"
            + " fp32.");
  }

  @Test
  void anEmptyDirectoryIsSaidSoWithWhatWasLookedFor() {
    assertFails(
        () -> ShardedSafetensors.open(directory, "m", Variant.PLAIN),
        directory,
        "has none of m.safetensors, m.safetensors.index.json. It has no weights at all."
            + " Incomplete download?");
  }

  @Test
  void pickledWeightsAreSaidSo() throws IOException {
    Files.createFile(directory.resolve("model.bin"));
    assertFails(
        () -> ShardedSafetensors.open(directory, "model", Variant.PLAIN),
        directory,
        "has none of model.safetensors, model.safetensors.index.json. It has model.bin: pickled"
            + " weights are not read; convert them to safetensors.");
  }

  @Test
  void ofManyFilesEightAreListed() throws IOException {
    for (int i = 0; i < 10; i++) {
      Files.createFile(directory.resolve("model-" + i + ".safetensors"));
    }
    assertFails(
        () -> ShardedSafetensors.open(directory, "m", Variant.PLAIN),
        directory,
        "has none of m.safetensors, m.safetensors.index.json. It has model-0.safetensors,"
            + " model-1.safetensors, model-2.safetensors, model-3.safetensors,"
            + " model-4.safetensors, model-5.safetensors, model-6.safetensors,"
            + " model-7.safetensors and 2 more.");
  }

  @Test
  void aMissingDirectoryIsSaidSo() throws IOException {
    Path missing = directory.resolve("unet");
    assertFails(
        () -> ShardedSafetensors.open(missing, "model", Optional.empty()),
        missing,
        "there is no such directory.");
    Files.createFile(missing);
    assertFails(
        () -> ShardedSafetensors.open(missing, "model", Optional.empty()),
        missing,
        "is not a directory.");
  }

  @Test
  void aBrokenFileIsNotPassedOverForAnother() throws IOException {
    put("model.safetensors", "a");
    Files.createFile(directory.resolve("model.fp16.safetensors"));
    var e =
        assertThrows(
            SafetensorsException.class,
            () -> ShardedSafetensors.open(directory, "model", Optional.empty()));
    assertTrue(e.getMessage().contains("model.fp16.safetensors: has 0 bytes"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"../model", "a/b", "", "..", "a\\b"})
  void aBaseNameThatLeavesTheDirectoryIsTheCallersFault(String name) {
    assertThrows(
        IllegalArgumentException.class,
        () -> ShardedSafetensors.open(directory, name, Optional.empty()));
  }

  @Test
  void aVariantThatLeavesTheDirectoryIsTheCallersFault() {
    assertThrows(IllegalArgumentException.class, () -> Variant.only("../x"));
    assertThrows(IllegalArgumentException.class, () -> Variant.prefer("x/y"));
  }

  // Index and shards

  @Test
  void anIndexMustBeStrictJsonWithAWeightMapOfStrings() throws IOException {
    assertIndexFails(
        "{\"weight_map\":{\"a\"}}",
        "index is not valid JSON at line 1 column 19: a ':' belongs after a key.");
    assertIndexFails("", "index ends in the middle, at line 1 column 1.");
    assertIndexFails("[]", "index has an array at \"$\" where an object belongs.");
    assertIndexFails("{\"metadata\":{}}", "index has no weight_map.");
    assertIndexFails(
        "{\"weight_map\":{\"a\":1}}",
        "index has a number at \"$.weight_map.a\" where a string belongs.");
    assertIndexFails(
        "{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}", "index has the key \"a\" twice.");
    String deep = "[".repeat(50_000) + "]".repeat(50_000);
    assertIndexFails(
        "{\"metadata\":" + deep + "}",
        "index is nested deeper than 64 levels, at line 1 column 76.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../x.safetensors",
        "/etc/passwd",
        "sub/x.safetensors",
        "sub\\\\x.safetensors",
        "C:x.safetensors",
        "..",
        ".",
        "",
        "x\\u0000.safetensors",
        "x..safetensors"
      })
  void aShardThatLeavesTheDirectoryIsRefused(String shard) throws IOException {
    RawFile.tensor(directory.resolve("x.safetensors"), "a", 1);
    var e = indexFailure("{\"weight_map\":{\"a\":\"" + shard + "\"}}");
    assertTrue(
        e.getMessage().contains("index has tensor \"a\" in ")
            && e.getMessage().endsWith(": a shard must be a file of the index's own directory."),
        e.getMessage());
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    assertIndexFails(
        "{\"weight_map\":{\"a\":\"x.safetensors\"}}",
        "the shard \"x.safetensors\" is missing. Incomplete download?");
  }

  @Test
  void aTruncatedShardIsNamed() throws IOException {
    Path shard = RawFile.tensor(directory.resolve("x.safetensors"), "a", 100);
    Files.write(shard, Arrays.copyOf(Files.readAllBytes(shard), 100));
    var e = indexFailure("{\"weight_map\":{\"a\":\"x.safetensors\"}}");
    assertTrue(
        e.getMessage().startsWith("[safetensors] " + shard + ": header promises 400 bytes of data"),
        e.getMessage());
  }

  @Test
  void aTensorThatIsNotInItsShardIsNamed() throws IOException {
    RawFile.tensor(directory.resolve("x.safetensors"), "a", 1);
    assertIndexFails(
        "{\"weight_map\":{\"a\":\"x.safetensors\",\"b\":\"x.safetensors\"}}",
        "tensor \"b\" should be in \"x.safetensors\" but is not there.");
  }

  @Test
  void aTensorThatTheIndexDoesNotKnowIsNamed() throws IOException {
    RawFile.write(
        directory.resolve("x.safetensors"),
        """
        {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
        "b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
        2);
    assertIndexFails(
        "{\"weight_map\":{\"a\":\"x.safetensors\"}}",
        "tensor \"b\" of \"x.safetensors\" is missing in the index.");
  }

  @Test
  void aTensorInTwoShardsIsNamed() throws IOException {
    RawFile.tensor(directory.resolve("x.safetensors"), "a", 1);
    RawFile.write(
        directory.resolve("y.safetensors"),
        """
        {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
        "b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
        2);
    assertIndexFails(
        "{\"weight_map\":{\"a\":\"x.safetensors\",\"b\":\"y.safetensors\"}}",
        "tensor \"a\" is in two shards, \"x.safetensors\" and \"y.safetensors\".");
  }

  @Test
  void whatElseTheIndexSaysIsPassedOver() throws IOException {
    RawFile.tensor(directory.resolve("x.safetensors"), "a", 1);
    Path index =
        Files.writeString(
            directory.resolve("i.json"),
            """
            {"metadata": {"total_size": 1e3, "by": ["x", null]}, "version": true,
             "weight_map": {"a": "x.safetensors"}}
            """);
    try (var source = ShardedSafetensors.openIndex(index)) {
      assertEquals(4, source.data("a").byteSize());
    }
  }

  @Test
  void anUnknownTensorIsNamedAndDataIsRefusedAfterClose() throws IOException {
    Path index = put("model.safetensors.index.json", "a");
    var source = ShardedSafetensors.openIndex(index);
    var e = assertThrows(IllegalArgumentException.class, () -> source.data("b"));
    assertEquals(
        "[safetensors] " + index + ": there is no tensor \"b\" among its 1.", e.getMessage());
    assertEquals(Optional.empty(), source.find("b"));
    source.close();
    source.close();
    assertThrows(IllegalStateException.class, () -> source.data("a"));
    assertTrue(source.find("a").isPresent());
  }

  @Test
  void ofMetadataThatDiffersTheFirstFilesCounts() throws IOException {
    String tensor = "\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    RawFile.write(
        directory.resolve("1"), "{\"__metadata__\":{\"k\":\"1\"}," + tensor.formatted("a"), 1);
    RawFile.write(
        directory.resolve("2"),
        "{\"__metadata__\":{\"k\":\"2\",\"l\":\"2\"}," + tensor.formatted("b"),
        1);
    Path index =
        Files.writeString(
            directory.resolve("i.json"), "{\"weight_map\":{\"b\":\"2\",\"a\":\"1\"}}");
    try (var source = ShardedSafetensors.openIndex(index)) {
      assertEquals(Map.of("k", "1", "l", "2"), source.metadata());
      assertEquals(0, source.data("b").get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  /** As many tensors as Kolors has in its three models, in seven shards of 2.5 GB with holes. */
  @Test
  @Timeout(20)
  void aCheckpointOfTheFullSizeOpensAtOnce() throws IOException {
    long room = Files.getFileStore(directory).getUsableSpace();
    assumeTrue(room > 40L << 30, "no room for 18 GB");
    Map<String, String> weightMap = new LinkedHashMap<>();
    for (int shard = 0; shard < 7; shard++) {
      StringBuilder header = new StringBuilder("{");
      long size = 8_388_608;
      for (int i = 0; i < 300; i++) {
        String name = "down_blocks." + shard + ".attentions.transformer_blocks." + i + ".weight";
        weightMap.put(name, "s" + shard + ".safetensors");
        header.append(
            "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[2048,2048],\"data_offsets\":[%d,%d]}"
                .formatted(i == 0 ? "" : ",", name, i * size, (i + 1) * size));
      }
      Path file = RawFile.write(directory.resolve("s" + shard + ".safetensors"), header + "}", 0);
      try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
        sparse.setLength(sparse.length() + 300 * size);
      }
    }
    Path index = directory.resolve("model.safetensors.index.json");
    Files.writeString(index, indexOf(weightMap));
    ShardedSafetensors.openIndex(index).close(); // loads classes
    long start = System.nanoTime();
    try (var source = ShardedSafetensors.openIndex(index)) {
      double seconds = (System.nanoTime() - start) / 1e9;
      assertEquals(2_100, source.names().size());
      assertTrue(seconds < 1, seconds + " s");
    }
  }

  /** A tensor of that name in a file of that name, or in a shard beside an index of that name. */
  private Path put(String name, String tensor) throws IOException {
    Path path = directory.resolve(name);
    if (name.endsWith(".safetensors")) {
      return RawFile.tensor(path, tensor, 1);
    }
    String shard = tensor + "-00001-of-00001.safetensors";
    RawFile.tensor(directory.resolve(shard), tensor, 1);
    return Files.writeString(path, indexOf(Map.of(tensor, shard)));
  }

  private static String indexOf(Map<String, String> weightMap) {
    List<String> entries =
        weightMap.entrySet().stream()
            .map(entry -> "\"" + entry.getKey() + "\":\"" + entry.getValue() + "\"")
            .toList();
    return "{\"weight_map\":{" + String.join(",", entries) + "}}";
  }

  private void assertOpens(Variant variant, String tensor) throws IOException {
    try (var source = ShardedSafetensors.open(directory, "model", variant)) {
      assertEquals(List.of(tensor), List.copyOf(source.names()));
    }
  }

  private SafetensorsException indexFailure(String json) throws IOException {
    Path index = Files.writeString(directory.resolve("model.safetensors.index.json"), json);
    return assertThrows(
        SafetensorsException.class,
        () -> ShardedSafetensors.open(directory, "model", Optional.empty()),
        index.toString());
  }

  private void assertIndexFails(String json, String expected) throws IOException {
    Path index = directory.resolve("model.safetensors.index.json");
    assertEquals("[safetensors] " + index + ": " + expected, indexFailure(json).getMessage());
  }

  private static void assertFails(Executable open, Path path, String expected) {
    var e = assertThrows(SafetensorsException.class, open);
    assertEquals("[safetensors] " + path + ": " + expected, e.getMessage());
  }
}
