package io.github.kolors4j.spark;

import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tensor.Precision;
import java.io.Serializable;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How the pictures of a DataFrame are made. Immutable, and sent to the executors.
 *
 * @param model a folder of each executor's machine; or the name of an archive that the job ships
 *     ({@code --archives kolors.zip#kolors}); or {@code owner/name[@revision]} in the cache of
 *     Hugging Face's hub, which is downloaded where it is not there
 * @param variant which copy of the weights, as {@code fp16}; null for the usual choice
 * @param precision what products are computed with
 * @param threads compute threads of an executor; 0 for as many as it has cores
 * @param pictures the folder of the pictures, on any file system that Hadoop knows; null leaves
 *     them in a column of the manifest
 * @param files what relative names of pictures in rows are relative to; null for the executor's own
 *     folder
 * @param promptCache a folder of each executor's machine for encoded prompts; null for one in its
 *     temporary folder
 * @param partitions tasks; 0 for as many as keep the executors evenly busy
 * @param defaults arguments of rows that do not say otherwise, as a JSON object by diffusers' names
 */
public record SparkOptions(
    String model,
    @Nullable String variant,
    String precision,
    int threads,
    @Nullable String pictures,
    @Nullable String files,
    @Nullable String promptCache,
    int partitions,
    String defaults)
    implements Serializable {

  /**
   * Checks what can be checked without a model.
   *
   * @throws IllegalArgumentException if there is no such precision, a number is negative, or the
   *     defaults are no JSON object
   */
  public SparkOptions {
    Objects.requireNonNull(model, "model");
    Precision.of(precision);
    if (threads < 0 || partitions < 0) {
      throw new IllegalArgumentException(
          "[spark] %s threads, %s partitions: use 1 or more, or 0 to leave it open."
              .formatted(threads, partitions));
    }
    parsed(defaults);
  }

  /**
   * Pictures of a model, in a column.
   *
   * @param model as {@link #model}
   * @return the options, with all else left open
   */
  public static SparkOptions of(String model) {
    return new SparkOptions(model, null, "f32", 0, null, null, null, 0, "{}");
  }

  /**
   * Pictures in files.
   *
   * @param folder on any file system that Hadoop knows, as {@code s3a://bucket/pictures}
   * @return these options with it
   */
  public SparkOptions withPictures(String folder) {
    return new SparkOptions(
        model, variant, precision, threads, folder, files, promptCache, partitions, defaults);
  }

  /**
   * Another copy of the weights.
   *
   * @param name as {@code fp16}
   * @return these options with it
   */
  public SparkOptions withVariant(String name) {
    return new SparkOptions(
        model, name, precision, threads, pictures, files, promptCache, partitions, defaults);
  }

  /**
   * Another precision.
   *
   * @param name {@code f32}, {@code f32-fast} or {@code bf16}
   * @return these options with it
   */
  public SparkOptions withPrecision(String name) {
    return new SparkOptions(
        model, variant, name, threads, pictures, files, promptCache, partitions, defaults);
  }

  /**
   * Compute threads.
   *
   * @param number of an executor
   * @return these options with it
   */
  public SparkOptions withThreads(int number) {
    return new SparkOptions(
        model, variant, precision, number, pictures, files, promptCache, partitions, defaults);
  }

  /**
   * Where pictures are that rows begin with.
   *
   * @param folder on any file system that Hadoop knows
   * @return these options with it
   */
  public SparkOptions withFiles(String folder) {
    return new SparkOptions(
        model, variant, precision, threads, pictures, folder, promptCache, partitions, defaults);
  }

  /**
   * Where encoded prompts are remembered.
   *
   * @param folder of each executor's machine
   * @return these options with it
   */
  public SparkOptions withPromptCache(String folder) {
    return new SparkOptions(
        model, variant, precision, threads, pictures, files, folder, partitions, defaults);
  }

  /**
   * Tasks.
   *
   * @param number of them
   * @return these options with it
   */
  public SparkOptions withPartitions(int number) {
    return new SparkOptions(
        model, variant, precision, threads, pictures, files, promptCache, number, defaults);
  }

  /**
   * Arguments of rows that do not say otherwise.
   *
   * @param arguments by diffusers' names, with values as JSON has them
   * @return these options with them
   */
  public SparkOptions withDefaults(Map<String, ?> arguments) {
    return new SparkOptions(
        model,
        variant,
        precision,
        threads,
        pictures,
        files,
        promptCache,
        partitions,
        JsonWriter.compact(new TreeMap<>(arguments)));
  }

  /** The defaults as a map. */
  Map<String, Object> arguments() {
    return parsed(defaults);
  }

  private static Map<String, Object> parsed(String json) {
    try {
      JsonReader reader = JsonReader.of(json);
      Map<String, Object> values = reader.object();
      reader.end();
      return values;
    } catch (JsonException e) {
      throw new IllegalArgumentException("[spark] the JSON of the defaults " + e.reason(), e);
    }
  }

  /** What the pictures depend on beside their rows, as far as it is known without the model. */
  String fingerprint() {
    return String.join("\n", model, String.valueOf(variant), precision, defaults);
  }
}
