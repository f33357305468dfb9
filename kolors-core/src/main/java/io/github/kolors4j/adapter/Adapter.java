package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.PickleFile;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

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
  private static final String PEFT_CONFIG = "adapter_config.json";

  /** What the file of weights may be called in a folder. */
  private static final List<String> FILES =
      List.of(
          "pytorch_lora_weights.safetensors",
          "adapter_model.safetensors",
          "pytorch_lora_weights.bin",
          "adapter_model.bin");

  private final Path path;
  private final Map<String, Update> updates;
  private final List<String> unknown;

  private Adapter(Path path, Map<String, Update> updates, List<String> unknown) {
    this.path = path;
    this.updates = updates;
    this.unknown = unknown;
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
    try (TensorSource source = open(file)) {
      return read(file, source);
    }
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

  private static TensorSource open(Path file) throws IOException {
    return PickleFile.isOne(file) ? PickleFile.open(file) : SafetensorsFile.open(file);
  }

  private static Adapter read(Path file, TensorSource source) throws IOException {
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
              .formatted(file, unknown.isEmpty() ? "no tensors" : "tensors as " + unknown.getFirst()));
    }
    ScaleRule rule = ruleOf(file, source);
    Map<String, Update> updates = new LinkedHashMap<>();
    for (Map.Entry<String, AdapterModule> module : modules.entrySet()) {
      updates.put(module.getKey(), module.getValue().update(rule));
    }
    return new Adapter(file, updates, List.copyOf(unknown));
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

  /** The update of each module, by the file's own name of it. */
  Map<String, Update> updates() {
    return updates;
  }

  /** Tensors that are no part of an update. */
  List<String> unknown() {
    return unknown;
  }

  /** The file, and how many modules it updates. */
  @Override
  public String toString() {
    return path.getFileName() + " (" + updates.size() + " modules)";
  }
}
