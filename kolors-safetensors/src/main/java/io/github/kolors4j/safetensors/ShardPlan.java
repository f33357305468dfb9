package io.github.kolors4j.safetensors;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How the tensors of a model are divided over files, and what those are called: one file where they
 * fit, else several and an index, under the names that Hugging Face's libraries write and read.
 *
 * <p>For the base name {@code model} and the variant {@code fp16} the one file is {@code
 * model.fp16.safetensors}; several are {@code model.fp16-00001-of-00003.safetensors} and so on with
 * {@code model.safetensors.index.fp16.json}.
 */
public final class ShardPlan {

  /**
   * One file and what is in it.
   *
   * @param fileName without a directory
   * @param entries its tensors, in order
   */
  public record Shard(String fileName, List<SafetensorsWriter.Entry> entries) {

    /** Keeps the entries. */
    public Shard {
      entries = List.copyOf(entries);
    }

    /**
     * Size of its tensors.
     *
     * @return bytes, the header not counted
     */
    public long byteLength() {
      return entries.stream().mapToLong(SafetensorsWriter.Entry::byteLength).sum();
    }
  }

  private final String indexName;
  private final List<Shard> shards;

  private ShardPlan(String indexName, List<Shard> shards) {
    this.indexName = indexName;
    this.shards = List.copyOf(shards);
  }

  /**
   * Divides tensors, in order: one that does not fit begins the next file. A tensor that is larger
   * than a file may be has one of its own.
   *
   * @param baseName what the names begin with, as {@code model}
   * @param variant as {@code fp16}; empty for the plain names
   * @param entries the tensors
   * @param maxBytes the most that the tensors of a file may take, 1 or more
   * @return the plan, of one file at least
   * @throws IllegalArgumentException if a name is none that a file can have, or {@code maxBytes} is
   *     below 1
   */
  public static ShardPlan of(
      String baseName, String variant, List<SafetensorsWriter.Entry> entries, long maxBytes) {
    FileNames.require("base name", baseName);
    if (!variant.isEmpty()) {
      FileNames.require("variant", variant);
    }
    if (maxBytes < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "[safetensors] files of at most %,d bytes: use 1 or more.", maxBytes));
    }
    String dotVariant = variant.isEmpty() ? "" : "." + variant;
    List<List<SafetensorsWriter.Entry>> files = filled(entries, maxBytes);
    List<Shard> shards = new ArrayList<>();
    for (List<SafetensorsWriter.Entry> file : files) {
      String number =
          files.size() == 1
              ? ""
              : String.format(Locale.ROOT, "-%05d-of-%05d", shards.size() + 1, files.size());
      shards.add(new Shard(baseName + dotVariant + number + ".safetensors", file));
    }
    return new ShardPlan(baseName + ".safetensors.index" + dotVariant + ".json", shards);
  }

  private static List<List<SafetensorsWriter.Entry>> filled(
      List<SafetensorsWriter.Entry> entries, long maxBytes) {
    List<List<SafetensorsWriter.Entry>> files = new ArrayList<>();
    files.add(new ArrayList<>());
    long bytes = 0;
    for (SafetensorsWriter.Entry entry : entries) {
      if (bytes > maxBytes - entry.byteLength() && !files.getLast().isEmpty()) {
        files.add(new ArrayList<>());
        bytes = 0;
      }
      files.getLast().add(entry);
      bytes += entry.byteLength();
    }
    return files;
  }

  /**
   * The files.
   *
   * @return in order, one at least
   */
  public List<Shard> shards() {
    return shards;
  }

  /**
   * Size of all tensors.
   *
   * @return bytes, headers not counted
   */
  public long byteLength() {
    return shards.stream().mapToLong(Shard::byteLength).sum();
  }

  /**
   * Copies all tensors from where they are open into the files, and writes the index where there
   * are several. The bytes go through a small buffer, whatever their number.
   *
   * @param directory where the files will be; it exists
   * @param source has the tensors, in the types and shapes of this plan
   * @throws SafetensorsException if a file cannot be written, as on a full disk
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalArgumentException if the source lacks a tensor, or has it in another size
   * @throws IllegalStateException if the source is closed
   */
  public void write(Path directory, TensorSource source) throws IOException {
    Map<String, String> metadata = new HashMap<>(source.metadata());
    metadata.putIfAbsent("format", "pt"); // transformers refuses a file that does not say it
    for (Shard shard : shards) {
      Path file = directory.resolve(shard.fileName());
      try (var writer = SafetensorsWriter.create(file, shard.entries(), metadata)) {
        for (SafetensorsWriter.Entry entry : shard.entries()) {
          writer.write(entry.name(), source.data(entry.name()));
        }
      }
    }
    writeIndex(directory);
  }

  /**
   * Writes the index, if there are several files.
   *
   * @param directory where the files are
   * @throws SafetensorsException if it cannot be written
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   */
  public void writeIndex(Path directory) throws IOException {
    if (shards.size() == 1) {
      return;
    }
    Map<String, String> weightMap = new TreeMap<>();
    shards.forEach(
        shard -> shard.entries().forEach(each -> weightMap.put(each.name(), shard.fileName())));
    Map<String, Object> index = new LinkedHashMap<>();
    index.put("metadata", Map.of("total_size", byteLength()));
    index.put("weight_map", weightMap);
    Path file = directory.resolve(indexName);
    try {
      Files.writeString(file, JsonWriter.indented(index) + "\n");
    } catch (IOException e) {
      throw SafetensorsException.of(file, "written", e);
    }
  }

  /**
   * The names of the files.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return shards.stream().map(Shard::fileName).toList().toString();
  }
}
