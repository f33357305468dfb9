package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.Variant;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * How a checkpoint or a model is saved. Weights keep the types that they are stored in, whatever
 * the name of the variant says.
 *
 * @param maxShardBytes the most that the tensors of one file may take; a model that is larger is
 *     written in several files with an index. Empty for what Hugging Face's libraries take: 10 GB
 *     for U-Net and VAE, 5 GB for the text encoder
 * @param variant as in the file names, such as {@code fp16}; empty for the plain names
 */
public record SaveOptions(OptionalLong maxShardBytes, String variant) {
  /** Plain names and the usual sizes. */
  public static final SaveOptions DEFAULT = new SaveOptions(OptionalLong.empty(), "");

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if files may have less than 1 byte, or the variant cannot be
   *     part of a file's name
   */
  public SaveOptions {
    Variant.only(variant);
    if (maxShardBytes.isPresent() && maxShardBytes.getAsLong() < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "[save] max_shard_size is %,d bytes: use 1 or more, as 5,000,000,000.",
              maxShardBytes.getAsLong()));
    }
  }

  /**
   * These options with files of another size; diffusers {@code max_shard_size}.
   *
   * @param bytes the most that the tensors of one file may take, 1 or more; a tensor that is larger
   *     has a file of its own
   * @return the options
   * @throws IllegalArgumentException if it is below 1
   */
  public SaveOptions withMaxShardBytes(long bytes) {
    return new SaveOptions(OptionalLong.of(bytes), variant);
  }

  /**
   * These options with other names of the files; diffusers {@code variant}.
   *
   * @param variant as in the file names, such as {@code fp16}; empty for the plain names
   * @return the options
   * @throws IllegalArgumentException if it cannot be part of a file's name
   */
  public SaveOptions withVariant(String variant) {
    return new SaveOptions(maxShardBytes, variant);
  }
}
