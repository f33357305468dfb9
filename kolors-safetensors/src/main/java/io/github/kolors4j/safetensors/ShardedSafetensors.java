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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

  /** What the name of one file of several ends with, as {@code fp16-00001-of-00002}. */
  private static final Pattern SHARD = Pattern.compile(".*-[0-9]{5}-of-[0-9]{5}");

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
   *     Variant#DEFAULT}: {@code fp16} where it is there, else the plain files, else the only ones
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
   * and if it is broken that is an error: no other is tried. For {@link Variant#DEFAULT}, where
   * none exists, the files of another variant are opened if there is only one such.
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
    Optional<Path> found = find(directory, candidates);
    if (found.isEmpty() && variant.equals(Variant.DEFAULT)) {
      List<String> others = variants(baseName, weights(directory));
      if (others.size() == 1) {
        found = find(directory, candidates(baseName, Variant.only(others.getFirst())));
      }
    }
    if (found.isEmpty()) {
      throw SafetensorsException.of(
          directory,
          "has none of " + String.join(", ", candidates) + ". " + whatIsThere(directory, baseName));
    }
    Path file = found.get();
    return file.toString().endsWith(SUFFIX) ? SafetensorsFile.open(file) : openIndex(file);
  }

  private static Optional<Path> find(Path directory, List<String> names) {
    return names.stream()
        .map(directory::resolve)
        // a dangling link is worth its own error
        .filter(file -> Files.exists(file, LinkOption.NOFOLLOW_LINKS))
        .findFirst();
  }

  /** The variants that files are there of, each once. */
  private static List<String> variants(String baseName, List<String> files) {
    String base = Pattern.quote(baseName);
    String suffix = Pattern.quote(SUFFIX);
    String part = "([^.]+)"; // a variant has no dot in it; a shard's name has no index in it
    List<Pattern> forms =
        Stream.of(
                base + "\\." + part + suffix,
                base + suffix + "\\.index\\." + part + "\\.json",
                base + suffix + "\\." + part + "\\.index\\.json")
            .map(Pattern::compile)
            .toList();
    return files.stream()
        .flatMap(file -> forms.stream().map(form -> form.matcher(file)))
        .filter(Matcher::matches)
        .map(form -> form.group(1))
        .filter(name -> !SHARD.matcher(name).matches())
        .distinct()
        .toList();
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

  /** Names of files with weights, or of an index. */
  private static List<String> weights(Path directory) throws SafetensorsException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.contains(SUFFIX) || name.endsWith(".bin"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw SafetensorsException.of(directory, "read", e);
    }
  }

  private static String whatIsThere(Path directory, String baseName) throws SafetensorsException {
    List<String> weights = weights(directory);
    if (weights.isEmpty()) {
      return "It has no weights at all. Incomplete download?";
    }
    String listed = String.join(", ", weights.subList(0, Math.min(LISTED_AT_MOST, weights.size())));
    if (weights.size() > LISTED_AT_MOST) {
      listed += String.format(Locale.ROOT, " and %,d more", weights.size() - LISTED_AT_MOST);
    }
    if (weights.stream().allMatch(name -> name.endsWith(".bin"))) {
      return "It has " + listed + ": pickled weights are not read; convert them to safetensors.";
    }
    List<String> variants = variants(baseName, weights);
    return variants.isEmpty()
        ? "It has " + listed + "."
        : "It has " + listed + ": choose the variant " + String.join(" or ", variants) + ".";
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
