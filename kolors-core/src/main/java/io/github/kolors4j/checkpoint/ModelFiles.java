package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.NewDirectory;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardPlan;
import io.github.kolors4j.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files that a model was opened from, to be written again: the configuration as it was read,
 * and every tensor, also those that this library does not compute with, byte by byte.
 */
public final class ModelFiles {
  private static final long GB = 1_000_000_000;

  private final Weights weights;
  private final Optional<JsonConfig> config;
  private final String baseName;
  private final long usualShardBytes;

  private ModelFiles(
      Weights weights, Optional<JsonConfig> config, String baseName, long usualShardBytes) {
    this.weights = weights;
    this.config = config;
    this.baseName = baseName;
    this.usualShardBytes = usualShardBytes;
  }

  /**
   * Those of a model that diffusers loads.
   *
   * @param weights its parameters, when all have been asked for
   * @param config its configuration; empty if it was made without a file
   * @return its files
   */
  public static ModelFiles ofDiffusers(Weights weights, Optional<JsonConfig> config) {
    return new ModelFiles(weights, config, "diffusion_pytorch_model", 10 * GB);
  }

  /**
   * Those of a model that transformers loads.
   *
   * @param weights its parameters, when all have been asked for
   * @param config its configuration; empty if it was made without a file
   * @return its files
   */
  public static ModelFiles ofTransformers(Weights weights, Optional<JsonConfig> config) {
    return new ModelFiles(weights, config, "model", 5 * GB);
  }

  /**
   * The size of all tensors.
   *
   * @return bytes
   */
  public long byteLength() {
    return tensors().mapToLong(TensorInfo::byteLength).sum();
  }

  /**
   * Writes the model into a directory of its own, which is there when it is complete.
   *
   * @param directory the directory to be; it must not exist, or be empty
   * @param options how
   * @throws IOException if the directory has files, the disk is too small, or a file cannot be
   *     written; nothing is left then
   * @throws IllegalStateException if the model is closed, or was made without a file of
   *     configuration
   */
  public void savePretrained(Path directory, SaveOptions options) throws IOException {
    String json = requireConfig();
    try (var target = NewDirectory.create("save", directory, byteLength(), "")) {
      target.write("config.json", json);
      plan(options).write(target.path(), weights.source());
      target.complete();
    }
  }

  private ShardPlan plan(SaveOptions options) {
    List<SafetensorsWriter.Entry> entries =
        tensors()
            .map(each -> new SafetensorsWriter.Entry(each.name(), each.dtype(), each.shape()))
            .toList();
    long shardBytes = options.maxShardBytes().orElse(usualShardBytes);
    return ShardPlan.of(baseName, options.variant(), entries, shardBytes);
  }

  /** Which were found, in PyTorch's order. */
  private Stream<TensorInfo> tensors() {
    return weights.defined().stream()
        .flatMap(parameter -> weights.source().find(parameter.name()).stream());
  }

  private String requireConfig() {
    return config
        .map(JsonConfig::text)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "[save] the model of %s was made without its config.json, which belongs to what is saved: open it with load."
                        .formatted(weights.source().path())));
  }
}
