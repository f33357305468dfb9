package io.github.kolors4j.safetensors;

import static io.github.kolors4j.safetensors.SafetensorsException.quote;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A checkpoint of several safetensors files and an index, seen as one source.
 *
 * <p>Index and files must agree to the tensor: each tensor is in the file that the index says, and
 * in no other, and no file has one that the index does not know.
 */
public final class ShardedSafetensors implements TensorSource {
  private static final String SUFFIX = ".safetensors";
  private static final int LISTED_AT_MOST = 8;

  private final Path indexFile;
  private final Map<String, SafetensorsFile> shardOf;
  private final List<SafetensorsFile> shards;
  private final Map<String, String> metadata;

  private ShardedSafetensors(
      Path indexFile, Map<String, SafetensorsFile> shardOf, List<SafetensorsFile> shards) {
    this.indexFile = indexFile;
    this.shardOf = Collections.unmodifiableMap(shardOf);
    this.shards = shards;
    Map<String, String> all = new LinkedHashMap<>();
    shards.forEach(shard -> shard.metadata().forEach(all::putIfAbsent));
    this.metadata = Collections.unmodifiableMap(all);
  }

  /**
   * Opens the weights of a model's directory, in one file or in several.
   *
   * @param directory such as {@code kolors/unet}
   * @param baseName such as {@code diffusion_pytorch_model} or {@code model}
   * @param variant a name that is demanded, as {@link Variant#only}; empty for {@link
   *     Variant#DEFAULT}: {@code fp16} where it is there, the plain files otherwise
   * @return the open source, to be closed by the caller
   * @throws SafetensorsException as {@link #open(Path, String, Variant)}
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalArgumentException if a name is none that a file of the directory can have
   */
  public static TensorSource open(Path directory, String baseName, Optional<String> variant)
      throws IOException {
    return open(directory, baseName, variant.map(Variant::only).orElse(Variant.DEFAULT));
  }

  /**
   * Opens the weights of a model's directory, in one file or in several.
   *
   * <p>For the base name {@code model} and the variant {@code fp16} these are tried, in this order:
   * {@code model.fp16.safetensors}, {@code model.safetensors.index.fp16.json}, {@code
   * model.safetensors.fp16.index.json} (an older spelling); for the plain files {@code
   * model.safetensors} and {@code model.safetensors.index.json}. The first that exists is opened,
   * and if it is broken that is an error: no other is tried.
   *
   * @param directory such as {@code kolors/unet}
   * @param baseName such as {@code diffusion_pytorch_model} or {@code model}
   * @param variant which copy of the weights
   * @return the open source, to be closed by the caller
   * @throws SafetensorsException if none of the files is there (the message says what was looked
   *     for and what there is), if a file is missing or faulty, or index and files do not agree
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   * @throws IllegalArgumentException if {@code baseName} is none that a file can have
   */
  public static TensorSource open(Path directory, String baseName, Variant variant)
      throws IOException {
    FileNames.require("base name", baseName);
    if (!Files.isDirectory(directory)) {
      throw SafetensorsException.of(
          directory,
          Files.exists(directory) ? "is not a directory." : "there is no such directory.");
    }
    List<String> candidates = candidates(baseName, variant);
    for (String name : candidates) {
      Path file = directory.resolve(name);
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) { // a dangling link is worth its own error
        return name.endsWith(SUFFIX) ? SafetensorsFile.open(file) : openIndex(file);
      }
    }
    throw SafetensorsException.of(
        directory, "has none of " + String.join(", ", candidates) + ". " + whatIsThere(directory));
  }

  /**
   * Opens a sharded checkpoint by its index.
   *
   * @param indexFile such as {@code model.safetensors.index.json}; the files that it names are
   *     beside it
   * @return the open source, to be closed by the caller
   * @throws SafetensorsException if the index or a file is missing or faulty, or they do not agree
   * @throws IOException as {@link SafetensorsException}; nothing else is thrown
   */
  public static ShardedSafetensors openIndex(Path indexFile) throws IOException {
    ShardIndex index = ShardIndex.read(indexFile);
    SortedMap<String, SafetensorsFile> shards = new TreeMap<>();
    try {
      for (String name : new TreeSet<>(index.shardOf().values())) {
        Path file = indexFile.resolveSibling(name);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
          throw SafetensorsException.of(
              indexFile, "the shard " + quote(name) + " is missing. Incomplete download?");
        }
        shards.put(name, SafetensorsFile.open(file));
      }
      return new ShardedSafetensors(
          indexFile, agreed(indexFile, index, shards), List.copyOf(shards.values()));
    } catch (Throwable e) {
      shards.values().forEach(SafetensorsFile::close);
      throw e;
    }
  }

  private static List<String> candidates(String baseName, Variant variant) {
    String plain = baseName + SUFFIX;
    List<String> names = new ArrayList<>();
    if (!variant.name().isEmpty()) {
      names.add(baseName + "." + variant.name() + SUFFIX);
      names.add(plain + ".index." + variant.name() + ".json");
      names.add(plain + "." + variant.name() + ".index.json");
    }
    if (variant.name().isEmpty() || variant.orPlain()) {
      names.add(plain);
      names.add(plain + ".index.json");
    }
    return names;
  }

  private static String whatIsThere(Path directory) throws SafetensorsException {
    List<String> weights;
    try (Stream<Path> files = Files.list(directory)) {
      weights =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.contains(SUFFIX) || name.endsWith(".bin"))
              .sorted()
              .toList();
    } catch (IOException e) {
      throw SafetensorsException.of(directory, "read", e);
    }
    if (weights.isEmpty()) {
      return "It has no weights at all. Incomplete download?";
    }
    String listed = String.join(", ", weights.subList(0, Math.min(LISTED_AT_MOST, weights.size())));
    if (weights.size() > LISTED_AT_MOST) {
      listed += String.format(Locale.ROOT, " and %,d more", weights.size() - LISTED_AT_MOST);
    }
    return weights.stream().allMatch(name -> name.endsWith(".bin"))
        ? "It has " + listed + ": pickled weights are not read; convert them to safetensors."
        : "It has " + listed + ".";
  }

  /** The file of each tensor, in the order of the index, if index and files agree. */
  private static Map<String, SafetensorsFile> agreed(
      Path indexFile, ShardIndex index, Map<String, SafetensorsFile> shards)
      throws SafetensorsException {
    Map<String, SafetensorsFile> shardOf = new LinkedHashMap<>();
    for (var entry : index.shardOf().entrySet()) {
      SafetensorsFile shard = requireNonNull(shards.get(entry.getValue()));
      if (shard.find(entry.getKey()).isEmpty()) {
        throw SafetensorsException.of(
            indexFile,
            "tensor %s should be in %s but is not there."
                .formatted(quote(entry.getKey()), quote(entry.getValue())));
      }
      shardOf.put(entry.getKey(), shard);
    }
    for (var shard : shards.entrySet()) {
      for (String tensor : shard.getValue().names()) {
        String indexed = index.shardOf().get(tensor);
        if (indexed == null) {
          throw SafetensorsException.of(
              indexFile,
              "tensor %s of %s is missing in the index."
                  .formatted(quote(tensor), quote(shard.getKey())));
        }
        if (!indexed.equals(shard.getKey())) {
          throw SafetensorsException.of(
              indexFile,
              "tensor %s is in two shards, %s and %s."
                  .formatted(quote(tensor), quote(indexed), quote(shard.getKey())));
        }
      }
    }
    return shardOf;
  }

  @Override
  public Set<String> names() {
    return shardOf.keySet();
  }

  @Override
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(shardOf.get(name)).flatMap(shard -> shard.find(name));
  }

  @Override
  public MemorySegment data(String name) {
    SafetensorsFile shard = shardOf.get(name);
    if (shard == null) {
      throw SafetensorsFile.unknownTensor(indexFile, name, shardOf.size());
    }
    return shard.data(name);
  }

  @Override
  public Map<String, String> metadata() {
    return metadata;
  }

  @Override
  public Path path() {
    return indexFile;
  }

  @Override
  public void requireWhole() throws SafetensorsException {
    for (SafetensorsFile shard : shards) {
      shard.requireWhole();
    }
  }

  @Override
  public void close() {
    shards.forEach(SafetensorsFile::close);
  }

  /**
   * The index and the number of tensors and files.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "%s (%,d tensors in %,d files)", indexFile, shardOf.size(), shards.size());
  }
}
