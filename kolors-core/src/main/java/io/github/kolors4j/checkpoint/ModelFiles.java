package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.NewDirectory;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardPlan;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files that a model is made from: its weights for the layers, and what it takes to write all
 * of it again: the configuration as it was read, and every tensor, also those that this library
 * does not compute with, byte by byte.
 */
public final class ModelFiles {
  private final Library library;
  private final Optional<JsonConfig> json;
  private final Weights weights;
  private final boolean shared;

  private ModelFiles(Library library, Optional<JsonConfig> json, Weights weights, boolean shared) {
    this.library = library;
    this.json = json;
    this.weights = weights;
    this.shared = shared;
  }

  static ModelFiles of(Library library, Optional<JsonConfig> json, Weights weights) {
    return new ModelFiles(library, json, weights, false);
  }

  /** The same files under more adapters, for a model beside the one that they belong to. */
  ModelFiles adapted(List<WeightAdapter> adapters) {
    return new ModelFiles(library, json, weights.adapted(adapters), true);
  }

  /**
   * The parameters, for the layers to ask for.
   *
   * @return the view of all
   */
  public Weights weights() {
    return weights;
  }

  String component() {
    return weights.component();
  }

  long byteLength() {
    return tensors().mapToLong(TensorInfo::byteLength).sum();
  }

  String identity() {
    return Identity.ofWeights(
        json.map(JsonConfig::text).orElse(""), weights.files(), weights.adapterIdentities());
  }

  /**
   * Saves the model.
   *
   * @param quantization what is written in 8 bits
   */
  void savePretrained(Path directory, SaveOptions options, Optional<Quantization> quantization)
      throws IOException {
    String config = requireConfig();
    FusedTensors source = FusedTensors.of(weights, quantization);
    List<TensorInfo> tensors =
        source.names().stream().flatMap(name -> source.find(name).stream()).toList();
    long bytes = tensors.stream().mapToLong(TensorInfo::byteLength).sum();
    try (var target = NewDirectory.create("save", directory, bytes, "")) {
      target.write(
          ModelClass.CONFIG,
          quantization.isPresent() ? marked(config, quantization.get()) : config);
      plan(options, tensors).write(target.path(), source);
      target.complete();
    }
  }

  private static String marked(String config, Quantization quantization) throws IOException {
    Map<String, Object> json = new LinkedHashMap<>(JsonReader.of(config).object());
    json.put(Quantization.KEY, quantization.json());
    return JsonWriter.indented(json) + "\n";
  }

  private ShardPlan plan(SaveOptions options, List<TensorInfo> tensors) {
    List<SafetensorsWriter.Entry> entries =
        tensors.stream()
            .map(each -> new SafetensorsWriter.Entry(each.name(), each.dtype(), each.shape()))
            .toList();
    long shardBytes = options.maxShardBytes().orElse(library.maxShardBytes());
    return ShardPlan.of(library.baseName(), options.variant(), entries, shardBytes);
  }

  /** Which were found, in PyTorch's order, scales behind what they are of. */
  private Stream<TensorInfo> tensors() {
    return weights.defined().stream()
        .map(Parameter::name)
        .flatMap(name -> Stream.of(name, QuantizedTensor.scaleName(name)))
        .flatMap(name -> weights.files().find(name).stream());
  }

  private String requireConfig() {
    return json.map(JsonConfig::text)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "[save] the model of %s was made without its config.json, which belongs to what is saved: open it with load."
                        .formatted(weights.files().path())));
  }

  /** Unmaps the files, unless they are another model's. */
  void close() {
    if (!shared) {
      weights.files().close();
    }
  }
}
