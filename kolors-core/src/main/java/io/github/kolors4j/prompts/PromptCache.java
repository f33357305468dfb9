package io.github.kolors4j.prompts;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.metadata.EngineVersion;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tokenizer.TokenizedPrompt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of encoded prompts, so that one that was encoded before needs no text encoder, the
 * largest part of the model: {@code KolorsPipeline.builder(directory).promptCache(cache)}.
 *
 * <p>A prompt is found again only if everything is the same that its embeddings depend on: its
 * tokens, and so its text, the tokenizer and the length; the encoder's weights, and the sizes and
 * times of its files; the precision; and this library's version. The texts themselves are not
 * stored. Where the folder has grown beyond its bound, those go first that were asked for longest
 * ago.
 *
 * <p>Several threads and processes may use one folder at once. A file appears whole or not at all,
 * and carries a checksum: one that was damaged is deleted and made again. A folder that cannot be
 * read or written makes the cache forget, and is said once in the log; no request fails by it.
 */
public final class PromptCache {
  /** Room for 120 prompts of Kolors, of 4 MB each. */
  public static final long DEFAULT_MAX_BYTES = 512L << 20;

  private static final Logger LOG = LoggerFactory.getLogger(PromptCache.class);

  /** Prompts that are remembered from one look at the folder to the next, where there is room. */
  private static final int LOOK_EVERY = 64;

  private static final String SUFFIX = ".safetensors";
  private static final String PROMPT_EMBEDS = "prompt_embeds";
  private static final String POOLED_PROMPT_EMBEDS = "pooled_prompt_embeds";
  private static final String IMAGE_EMBEDS = "image_embeds";
  private static final String CHECKSUM = "sha256";

  /** What a killed process left; nothing takes as long to write. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private static final ValueLayout.OfFloat LITTLE_FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path directory;
  private final long maxBytes;
  private final AtomicBoolean complained = new AtomicBoolean();

  /** The bytes of all files at the last look at them; -1 before. */
  private long seenBytes = -1;

  /** What was remembered since. */
  private long unseenBytes;

  private int unseen;

  private PromptCache(Path directory, long maxBytes) {
    this.directory = Objects.requireNonNull(directory, "directory").toAbsolutePath();
    this.maxBytes = maxBytes;
  }

  /**
   * A cache of the usual size.
   *
   * @param directory of its own; made when the first prompt is remembered
   * @return the cache
   */
  public static PromptCache at(Path directory) {
    return at(directory, DEFAULT_MAX_BYTES);
  }

  /**
   * A cache.
   *
   * @param directory of its own; made when the first prompt is remembered
   * @param maxBytes the most that its files take together
   * @return the cache
   * @throws IllegalArgumentException if the bound is negative
   */
  public static PromptCache at(Path directory, long maxBytes) {
    if (maxBytes < 0) {
      throw new IllegalArgumentException(
          "[prompts] at most %s bytes: use 0 or more.".formatted(maxBytes));
    }
    return new PromptCache(directory, maxBytes);
  }

  /**
   * The folder.
   *
   * @return an absolute path
   */
  public Path directory() {
    return directory;
  }

  /**
   * The name of a prompt's embeddings: a hash over all that they depend on.
   *
   * @param tokens of the prompt
   * @param encoder the text encoder's {@link Encoder#key}
   * @param products who computes products
   * @return 64 hexadecimal digits
   */
  public static String key(TokenizedPrompt tokens, String encoder, Products products) {
    EngineVersion engine = EngineVersion.current(products);
    return new Identity()
        .add("kolors4j " + engine.library())
        .add("precision " + products)
        .add("text_encoder " + encoder)
        .add(Arrays.toString(tokens.inputIds()))
        .add(Arrays.toString(tokens.attentionMask()))
        .add(Arrays.toString(tokens.positionIds()))
        .digits();
  }

  /**
   * The name of an image's embeddings: a hash over all that they depend on.
   *
   * @param pixels a hash of what the image encoder sees
   * @param encoder the image encoder's identity
   * @param products who computes products
   * @return 64 hexadecimal digits
   */
  public static String imageKey(String pixels, String encoder, Products products) {
    return new Identity()
        .add("kolors4j " + EngineVersion.current(products).library())
        .add("precision " + products)
        .add("image_encoder " + encoder)
        .add("pixels " + pixels)
        .digits();
  }

  /**
   * The embeddings of an image that was remembered, which counts as a use of them.
   *
   * @param key of the image
   * @return {@code [1, s, d]}; nothing where they are not there, or were damaged
   */
  public Optional<FloatArray> findImage(String key) {
    return find(key, IMAGE_EMBEDS).map(List::getFirst);
  }

  /**
   * Remembers the embeddings of an image, as {@link #remember} does those of a prompt.
   *
   * @param key of the image
   * @param embeds {@code [1, s, d]}
   */
  public void rememberImage(String key, FloatArray embeds) {
    remember(key, Map.of(IMAGE_EMBEDS, embeds));
  }

  /**
   * The embeddings of a prompt that was remembered, which counts as a use of them.
   *
   * @param key of the prompt
   * @return {@code [1, s, d]} and {@code [1, d]}; nothing where they are not there, or were damaged
   */
  public Optional<PromptEmbeds> find(String key) {
    return find(key, PROMPT_EMBEDS, POOLED_PROMPT_EMBEDS)
        .map(arrays -> PromptEmbeds.of(arrays.getFirst(), arrays.getLast()));
  }

  private Optional<List<FloatArray>> find(String key, String... names) {
    Path file = file(key);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      List<FloatArray> embeds = read(file, names);
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      return Optional.of(embeds);
    } catch (IOException | RuntimeException | InternalError e) {
      // Cut short, or overwritten: InternalError is a mapped file that became shorter.
      LOG.info("[prompts] {} is damaged and is made again: {}", file, e.getMessage());
      deleteQuietly(file);
      return Optional.empty();
    }
  }

  /**
   * Whether a prompt is remembered, as far as the name of a file tells; no use of it.
   *
   * @param key of the prompt
   * @return whether {@link #find} is likely to find it
   */
  public boolean has(String key) {
    return Files.isRegularFile(file(key));
  }

  /**
   * Whether a prompt is remembered, as far as the name of a file tells, as a use of it: it is
   * forgotten after those that were used before.
   *
   * @param key of the prompt
   * @return whether {@link #find} is likely to find it
   */
  public boolean touch(String key) {
    try {
      Files.setLastModifiedTime(file(key), FileTime.from(Instant.now()));
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /**
   * The most that all files take together.
   *
   * @return in bytes
   */
  public long maxBytes() {
    return maxBytes;
  }

  private static List<FloatArray> read(Path file, String... names) throws IOException {
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      List<FloatArray> arrays = new ArrayList<>();
      for (String name : names) {
        arrays.add(array(tensors, name));
      }
      if (!checksum(arrays).equals(tensors.metadata().get(CHECKSUM))) {
        throw new IOException("the checksum is wrong");
      }
      return arrays;
    }
  }

  private static FloatArray array(SafetensorsFile file, String name) throws IOException {
    TensorInfo info = file.find(name).orElseThrow(() -> new IOException("no tensor " + name));
    if (info.dtype() != DType.F32) {
      throw new IOException(name + " is " + info.dtype());
    }
    float[] values = new float[Math.toIntExact(info.size())];
    MemorySegment.copy(file.data(name), LITTLE_FLOAT, 0, values, 0, values.length);
    return FloatArray.wrap(values, info.shape().stream().mapToInt(Math::toIntExact).toArray());
  }

  private static String checksum(Iterable<FloatArray> arrays) {
    Identity identity = new Identity();
    for (FloatArray array : arrays) {
      float[] values = array.values();
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      identity.add(array.shape().toString()).add(bytes);
    }
    return identity.digits();
  }

  /**
   * Remembers the embeddings of a prompt, and forgets others where they do not all fit. What has a
   * value that is not finite is not remembered.
   *
   * @param key of the prompt
   * @param embeds {@code [1, s, d]} and {@code [1, d]}
   */
  public void remember(String key, PromptEmbeds embeds) {
    Map<String, FloatArray> arrays = new LinkedHashMap<>();
    arrays.put(PROMPT_EMBEDS, embeds.promptEmbeds());
    arrays.put(POOLED_PROMPT_EMBEDS, embeds.pooledPromptEmbeds());
    remember(key, arrays);
  }

  private void remember(String key, Map<String, FloatArray> arrays) {
    long bytes =
        arrays.values().stream()
            .mapToLong(array -> (long) Float.BYTES * array.shape().size())
            .sum();
    if (bytes > maxBytes || !arrays.values().stream().allMatch(PromptCache::isFinite)) {
      return;
    }
    try {
      Files.createDirectories(directory);
      SafetensorsWriter.write(file(key), Map.of(CHECKSUM, checksum(arrays.values())), data(arrays));
      if (mayBeFull(Files.size(file(key)))) {
        forgetOldest(key);
      }
    } catch (IOException | UncheckedIOException e) {
      complain(e);
    }
  }

  /** Whether no damage of the weights has made its way into it. */
  private static boolean isFinite(FloatArray array) {
    for (float value : array.values()) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  private static Map<String, TensorData> data(Map<String, FloatArray> arrays) {
    Map<String, TensorData> data = new LinkedHashMap<>();
    arrays.forEach((name, array) -> data.put(name, data(array)));
    return data;
  }

  private static TensorData data(FloatArray array) {
    return TensorData.f32(
        array.values(), Arrays.stream(array.shape().dims()).asLongStream().toArray());
  }

  /** A file as it was when somebody looked. */
  private record Remembered(Path file, long bytes, FileTime used) {}

  /**
   * Whether it is time to look at all files again: a look takes as long as there are files, and for
   * each prompt it would take too long where there are thousands of small ones. Others that write
   * to the folder are seen a little late.
   */
  private synchronized boolean mayBeFull(long added) {
    unseenBytes += added;
    unseen++;
    return seenBytes < 0 || seenBytes + unseenBytes > maxBytes || unseen == LOOK_EVERY;
  }

  private synchronized void seen(long bytes) {
    seenBytes = bytes;
    unseenBytes = 0;
    unseen = 0;
  }

  private void forgetOldest(String newest) throws IOException {
    List<Remembered> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        look(file).ifPresent(all::add);
      }
    }
    all.sort(Comparator.comparing(Remembered::used));
    long bytes = all.stream().mapToLong(Remembered::bytes).sum();
    for (Remembered each : all) {
      if (bytes > maxBytes && !each.file.equals(file(newest))) {
        deleteQuietly(each.file);
        bytes -= each.bytes;
      }
    }
    seen(bytes);
  }

  /** A file of a prompt; what was left half-written is deleted. */
  private static Optional<Remembered> look(Path file) {
    String name = String.valueOf(file.getFileName());
    try {
      FileTime used = Files.getLastModifiedTime(file);
      if (name.startsWith(".")) {
        if (used.toInstant().isBefore(Instant.now().minus(ABANDONED))) {
          deleteQuietly(file);
        }
        return Optional.empty();
      }
      return name.endsWith(SUFFIX)
          ? Optional.of(new Remembered(file, Files.size(file), used))
          : Optional.empty();
    } catch (IOException _) {
      return Optional.empty(); // another process was faster
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException _) {
      // It is tried again when somebody looks at it next.
    }
  }

  private Path file(String key) {
    return directory.resolve(key + SUFFIX);
  }

  private void complain(Exception e) {
    if (!complained.getAndSet(true)) {
      LOG.warn("[prompts] nothing is remembered in {}: {}", directory, e.getMessage());
    }
  }

  /**
   * A text encoder as the cache knows it.
   *
   * @param identity what tells it from others
   * @param key what its prompts are remembered under
   */
  public record Encoder(String identity, String key) {}

  /**
   * A text encoder, without opening it where its files are as they were when it was opened last, or
   * are gone.
   *
   * @param component the encoder's folder
   * @param variant of its weights, empty for the usual
   * @param opened opens it and says its identity
   * @return the encoder
   */
  public Encoder encoder(Path component, String variant, Supplier<String> opened) {
    KnownEncoder known = new KnownEncoder(directory, component, variant);
    Map<String, String> files = known.filesNow();
    Optional<Encoder> encoder = known.find(files);
    if (encoder.isPresent()) {
      return encoder.get();
    }
    String identity = opened.get();
    try {
      known.remember(identity, files);
    } catch (IOException | UncheckedIOException e) {
      complain(e);
    }
    return KnownEncoder.encoder(identity, files);
  }
}
