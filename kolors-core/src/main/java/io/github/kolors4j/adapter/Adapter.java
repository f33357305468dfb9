package io.github.kolors4j.adapter;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.safetensors.json.ForeignText;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The updates of an adapter's file: LoRA, or one of its kin (LoCon, LoHa, LoKr, DoRA), for the
 * U-Net, the text encoder or both. Its names may be those of PEFT, of diffusers, old and new, of
 * kohya's scripts with either kind of names, of DiffSynth-Studio or of LyCORIS.
 *
 * <p>The file is read whole, into the heap and as F32, and then let go: it may be replaced or
 * removed. Immutable; one adapter may be used with any pipelines at once, and is no one's to close.
 */
public final class Adapter {
  private static final String METADATA = "lora_adapter_metadata";
  private static final long HASHED_AT_A_TIME = 1 << 30;
  private static final String PEFT_CONFIG = "adapter_config.json";

  /** What the file of weights may be called in a folder. */
  private static final List<String> FILES =
      List.of(
          "pytorch_lora_weights.safetensors",
          "adapter_model.safetensors",
          "pytorch_lora_weights.bin",
          "adapter_model.bin");

  private final Path path;
  private final String sha256;

  /** Null as long as nobody has asked for it. */
  private @Nullable Contents contents;

  /**
   * What is in a file.
   *
   * @param updates the update of each module, by the file's own name of it
   * @param unknown tensors that are no part of an update
   */
  record Contents(Map<String, Update> updates, List<String> unknown) {}

  private Adapter(Path path, String sha256, @Nullable Contents contents) {
    this.path = path;
    this.sha256 = sha256;
    this.contents = contents;
  }

  /**
   * Reads an adapter.
   *
   * @param path a safetensors file, or a file of {@code torch.save} (only tensors are read of it,
   *     and no code is run); or the folder of one, as PEFT and diffusers save it
   * @return the adapter
   * @throws InvalidFileException if it is no such file, or has nothing that is an update
   * @throws IOException if it cannot be read
   */
  public static Adapter load(Path path) throws IOException {
    Path file = Files.isDirectory(path) ? inFolder(path) : path;
    try (TensorSource source = TensorSource.open(file)) {
      ScaleRule rule = ruleOf(file, source);
      return new Adapter(file, hash(file, source, rule), read(file, source, rule));
    }
  }

  /**
   * An adapter that is known and not read yet: it is when it is used for the first time, and must
   * be the same file then.
   *
   * @param file where it is
   * @param sha256 its hash, as {@link #sha256} tells it
   * @return the adapter
   */
  public static Adapter reference(Path file, String sha256) {
    return new Adapter(file, sha256, null);
  }

  /**
   * What is in the file.
   *
   * @throws InvalidFileException if it is read now and is not there, or is another file than it was
   */
  synchronized Contents contents() throws InvalidFileException {
    Contents known = contents;
    if (known == null) {
      if (!Files.exists(path)) {
        throw new InvalidFileException(
            "[adapter] there is no %s: put the file whose SHA-256 is %s there."
                .formatted(path.toAbsolutePath(), sha256));
      }
      try (TensorSource source = TensorSource.open(path)) {
        ScaleRule rule = ruleOf(path, source);
        if (!hash(path, source, rule).equals(sha256)) {
          throw new InvalidFileException(
              "[adapter] %s is another file than the one that was used, or the %s beside it is: their SHA-256 was %s."
                  .formatted(path, PEFT_CONFIG, sha256));
        }
        known = read(path, source, rule);
      } catch (InvalidFileException e) {
        throw e;
      } catch (IOException e) {
        throw new InvalidFileException(
            "[adapter] %s cannot be read: %s.".formatted(path, e.getMessage()), e);
      }
      contents = known;
    }
    return known;
  }

  private static Path inFolder(Path folder) throws InvalidFileException {
    return FILES.stream()
        .map(folder::resolve)
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidFileException(
                    "[adapter] %s has none of %s: name the adapter's file itself."
                        .formatted(folder, String.join(", ", FILES))));
  }

  private static Contents read(Path file, TensorSource source, ScaleRule rule) throws IOException {
    Map<String, AdapterModule> modules = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>();
    for (String name : new TreeSet<>(source.names())) {
      Optional<Role.Name> parsed = Role.of(name);
      if (parsed.isEmpty()) {
        unknown.add(name);
        continue;
      }
      String module = parsed.get().module();
      modules
          .computeIfAbsent(module, each -> new AdapterModule(each, source))
          .add(parsed.get().role(), source.find(name).orElseThrow());
    }
    if (modules.isEmpty()) {
      throw new InvalidFileException(
          "[adapter] %s has %s: no name in it is one of an adapter (as lora_A, lora_down, hada_w1_a or lokr_w1)."
              .formatted(
                  file,
                  unknown.isEmpty()
                      ? "no tensors"
                      : "tensors as " + ForeignText.oneLine(unknown.getFirst())));
    }
    Map<String, Update> updates = new LinkedHashMap<>();
    for (Map.Entry<String, AdapterModule> module : modules.entrySet()) {
      updates.put(module.getKey(), module.getValue().update(rule));
    }
    return new Contents(Collections.unmodifiableMap(updates), List.copyOf(unknown));
  }

  /** What PEFT has beside the weights: in the file's metadata, or in a file of its own. */
  private static ScaleRule ruleOf(Path file, TensorSource source) throws IOException {
    String metadata = source.metadata().get(METADATA);
    if (metadata != null) {
      return ScaleRule.of(new JsonFile("adapter", file + ": " + METADATA), metadata, "unet.");
    }
    Path config = file.resolveSibling(PEFT_CONFIG);
    if (!Files.isRegularFile(config)) {
      return ScaleRule.NONE;
    }
    JsonFile json = new JsonFile("adapter", config.toString());
    return ScaleRule.of(json, json.text(config, JsonFile.MAX_CONFIG_BYTES), "");
  }

  /**
   * Where it was read from.
   *
   * @return the file of weights
   */
  public Path path() {
    return path;
  }

  /**
   * Of the bytes that the tensors are read from, so that they are one file's and read once; and of
   * the rule, where it stands elsewhere.
   */
  private static String hash(Path file, TensorSource source, ScaleRule rule) throws IOException {
    Identity hash = new Identity();
    addBytes(hash, file, source);
    String beside = source.metadata().containsKey(METADATA) ? "" : rule.identity();
    if (!beside.isEmpty()) {
      hash.add(beside);
    }
    return hash.digits();
  }

  private static void addBytes(Identity hash, Path file, TensorSource source) throws IOException {
    if (source instanceof SafetensorsFile safetensors) {
      MemorySegment bytes = safetensors.bytes();
      for (long from = 0; from < bytes.byteSize(); from += HASHED_AT_A_TIME) {
        long count = Math.min(HASHED_AT_A_TIME, bytes.byteSize() - from);
        hash.add(bytes.asSlice(from, count).asByteBuffer());
      }
      return;
    }
    try (var channel = Files.newByteChannel(file)) {
      ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
      while (channel.read(buffer) >= 0) {
        hash.add(buffer.flip());
        buffer.clear();
      }
    }
  }

  /**
   * What tells the file from others, wherever it is.
   *
   * @return the SHA-256 of its bytes, and of the alphas that PEFT's {@code adapter_config.json}
   *     beside it gives them, 64 hexadecimal digits
   */
  public String sha256() {
    return sha256;
  }

  /** Whether it is an adapter of the same bytes, as strong. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Adapter adapter && sha256.equals(adapter.sha256);
  }

  @Override
  public int hashCode() {
    return sha256.hashCode();
  }

  /** The file's name. */
  @Override
  public String toString() {
    return String.valueOf(path.getFileName());
  }
}
