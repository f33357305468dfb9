package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.NewDirectory;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardPlan;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * A checkpoint of random F16 weights in exactly the layout in which Kolors is published: names,
 * shapes, types and files are those of the real one, and its values are scaled so that activations
 * stay finite and of order one. It takes as long to run, and makes pictures of nothing.
 *
 * <p>The weights are written into a folder {@code NAME.partial} beside the one that is wanted,
 * which gets its name when it is complete. A run that fails or is cancelled deletes it; one that is
 * killed leaves it.
 */
public final class SyntheticCheckpoint {
  private static final String VARIANT = "fp16";

  /** What helps where the disk is too small. */
  private static final String FEWER = ", fewer --parts, or fewer layers with --text-layers";

  /**
   * Share of the whole that a file may have where there are three: with it, the published model's
   * three files (of at most 5 GB there) come out.
   */
  private static final double FILE_SHARE = 0.4;

  /** Values that a thread makes at a time; a multiple of 4. */
  private static final int BLOCK = 1 << 20;

  private final CheckpointConfig config;
  private final Path tokenizerModel;
  private final Path tokenizerConfig;
  private final long seed;
  private final Map<Part, ShardPlan> plans = new EnumMap<>(Part.class);

  /**
   * Plans a checkpoint.
   *
   * @param config what is configured
   * @param parts the components whose weights are made; the others get their configuration only
   * @param tokenizerModel a {@code tokenizer.model}
   * @param tokenizerConfig a {@code tokenizer_config.json}
   * @param seed of all values
   * @throws IOException if a configuration is not possible
   */
  public SyntheticCheckpoint(
      CheckpointConfig config,
      Collection<Part> parts,
      Path tokenizerModel,
      Path tokenizerConfig,
      long seed)
      throws IOException {
    this.config = config;
    this.tokenizerModel = tokenizerModel;
    this.tokenizerConfig = tokenizerConfig;
    this.seed = seed;
    for (Part part : parts) {
      plans.put(part, plan(part, part.parameters(config)));
    }
  }

  /**
   * The size of all weights.
   *
   * @return bytes
   */
  public long bytes() {
    return plans.values().stream().mapToLong(ShardPlan::byteLength).sum();
  }

  /** Of each file of weights, in order. */
  List<Long> fileSizes() {
    return plans.values().stream()
        .flatMap(plan -> plan.shards().stream())
        .map(ShardPlan.Shard::byteLength)
        .toList();
  }

  /**
   * Writes the checkpoint.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @param threads how many make values
   * @param progress is told the bytes of weights that are written, now and then
   * @param cancellation ends the writing
   * @throws IOException if the folder has files, the disk is too small, or a file cannot be
   *     written; nothing is left then
   * @throws CancellationException if it was cancelled; nothing is left then
   */
  public void write(
      Path directory, int threads, LongConsumer progress, CancellationToken cancellation)
      throws IOException {
    checkTokenizer();
    try (var target = NewDirectory.create("synthesize", directory, bytes(), FEWER)) {
      writeSmallFiles(target.path());
      try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
        writeWeights(target.path(), new Run(workers, 2 * threads, progress, cancellation));
      }
      target.complete();
    }
  }

  /** It must be one, and the text encoder must have a row for each of its ids. */
  private void checkTokenizer() throws IOException {
    Path folder = Files.createTempDirectory("kolors4j-tokenizer-");
    try {
      writeTokenizer(folder);
      int ids = ChatGlmTokenizer.load(folder).vocabularySize();
      int rows = config.textEncoder().paddedVocabSize();
      if (ids > rows) {
        throw new IOException(
            ("[synthesize] %s has %,d ids and the text encoder's padded_vocab_size is %,d: a"
                    + " smaller tokenizer or a larger config is needed.")
                .formatted(tokenizerModel, ids, rows));
      }
    } finally {
      delete(folder);
    }
  }

  private void writeSmallFiles(Path root) throws IOException {
    Files.writeString(root.resolve("model_index.json"), config.modelIndex());
    writeConfig(root, "scheduler", "scheduler_config.json", config.schedulerJson());
    writeConfig(root, Part.UNET.folder(), "config.json", config.unetJson());
    writeConfig(root, Part.VAE.folder(), "config.json", config.vaeJson());
    writeConfig(root, Part.TEXT.folder(), "config.json", config.textEncoderJson());
    if (plans.containsKey(Part.CONTROLNET)) {
      writeConfig(root, Part.CONTROLNET.folder(), "config.json", config.controlNetJson());
    }
    writeTokenizer(Files.createDirectory(root.resolve("tokenizer")));
    ImagePromptConfig more = new ImagePromptConfig(config);
    if (plans.containsKey(Part.TAESD)) {
      writeConfig(root, Part.TAESD.folder(), "config.json", more.taesdJson());
    }
    if (plans.containsKey(Part.IMAGE_ENCODER)) {
      writeConfig(root, Part.IMAGE_ENCODER.folder(), "config.json", more.imageEncoderJson());
    }
  }

  private static void writeConfig(Path root, String folder, String file, String text)
      throws IOException {
    Files.writeString(Files.createDirectories(root.resolve(folder)).resolve(file), text);
  }

  private void writeTokenizer(Path folder) throws IOException {
    Files.copy(tokenizerModel, folder.resolve("tokenizer.model"));
    Files.copy(tokenizerModel, folder.resolve("vocab.txt")); // published under both names
    Files.copy(tokenizerConfig, folder.resolve("tokenizer_config.json"));
  }

  /** What a run works with. */
  private record Run(
      ExecutorService workers, int ahead, LongConsumer progress, CancellationToken cancellation) {}

  private void writeWeights(Path root, Run run) throws IOException {
    long done = 0;
    for (var each : plans.entrySet()) {
      Part part = each.getKey();
      Path folder = root.resolve(part.folder());
      Map<String, Distribution> distributions = Distribution.of(part.parameters(config));
      for (ShardPlan.Shard shard : each.getValue().shards()) {
        done = writeShard(folder, part, shard, distributions, run, done);
      }
      each.getValue().writeIndex(folder);
    }
  }

  /** A range of a tensor's values. */
  private record Block(String name, RandomValues values, long from, int count) {}

  private long writeShard(
      Path folder,
      Part part,
      ShardPlan.Shard shard,
      Map<String, Distribution> distributions,
      Run run,
      long doneBefore)
      throws IOException {
    Deque<Block> blocks = new ArrayDeque<>();
    for (SafetensorsWriter.Entry entry : shard.entries()) {
      String name = entry.name();
      Parameter parameter = new Parameter(name, entry.shape());
      RandomValues values =
          new RandomValues(
              seed, part.folder(), parameter, Objects.requireNonNull(distributions.get(name)));
      for (long from = 0; from < parameter.size(); from += BLOCK) {
        int count = (int) Math.min(BLOCK, parameter.size() - from);
        blocks.add(new Block(name, values, from, count));
      }
    }
    long done = doneBefore;
    Deque<Block> begun = new ArrayDeque<>();
    Deque<Future<short[]>> made = new ArrayDeque<>();
    Deque<short[]> free = new ArrayDeque<>();
    try (var writer =
        SafetensorsWriter.create(
            folder.resolve(shard.fileName()), shard.entries(), Map.of("format", "pt"))) {
      while (!blocks.isEmpty() || !begun.isEmpty()) {
        while (!blocks.isEmpty() && begun.size() < run.ahead()) {
          Block block = blocks.poll();
          short[] target = free.isEmpty() ? new short[BLOCK] : free.poll();
          begun.add(block);
          made.add(run.workers().submit(() -> make(block, target)));
        }
        if (run.cancellation().isCancelled()) {
          throw new CancellationException("[synthesize] cancelled: nothing has been written.");
        }
        short[] values = await(made.poll());
        Block block = begun.poll();
        long bytes = (long) block.count() * Short.BYTES;
        writer.write(block.name(), MemorySegment.ofArray(values).asSlice(0, bytes));
        free.add(values);
        done += bytes;
        run.progress().accept(done);
      }
    }
    return done;
  }

  private short[] make(Block block, short[] target) {
    if (block.name().endsWith("inv_freq")) {
      fillInverseFrequencies(block, target);
    } else {
      block.values().fill(block.from(), block.count(), target);
    }
    return target;
  }

  /** Not random: what the class computes. */
  private void fillInverseFrequencies(Block block, short[] target) {
    for (int i = 0; i < block.count(); i++) {
      double frequency = Math.pow(10_000, -(double) (block.from() + i) / block.count());
      target[i] = RandomValues.stored((float) frequency);
    }
  }

  private static short[] await(Future<short[]> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("[synthesize] interrupted.", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Divides the tensors, in order, over as many files as published. */
  private static ShardPlan plan(Part part, List<Parameter> parameters) {
    List<SafetensorsWriter.Entry> entries =
        parameters.stream()
            .map(each -> new SafetensorsWriter.Entry(each.name(), DType.F16, each.shape()))
            .toList();
    double most = Long.MAX_VALUE;
    if (part.files() > 1) {
      most = FILE_SHARE * entries.stream().mapToLong(SafetensorsWriter.Entry::byteLength).sum();
    }
    while (true) {
      ShardPlan plan =
          ShardPlan.of(part.base(), part.isBeside() ? "" : VARIANT, entries, (long) most);
      if (plan.shards().size() <= part.files()) {
        return plan;
      }
      most *= 1.05; // tensors that are large for the whole leave gaps
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> found;
    try (Stream<Path> files = Files.walk(folder)) {
      found = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : found) {
      Files.deleteIfExists(file);
    }
  }
}
