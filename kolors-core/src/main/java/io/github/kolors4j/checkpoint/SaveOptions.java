package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.Variant;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * How a checkpoint or a model is saved. Weights keep the types that they are stored in, whatever
 * the name of the variant says, but for those that are asked for in 8 bits.
 *
 * @param maxShardBytes the most that the tensors of one file may take; a model that is larger is
 *     written in several files with an index. Empty for what Hugging Face's libraries take: 10 GB
 *     for U-Net and VAE, 5 GB for the text encoder
 * @param variant as in the file names, such as {@code fp16}; empty for the plain names
 * @param int8 the components that are written in 8 bits, half the size: {@code text_encoder}, with
 *     a scale for each row of a matrix and without the layer that no picture needs, {@code unet},
 *     with one for 32 values
 */
public record SaveOptions(OptionalLong maxShardBytes, String variant, Set<String> int8) {
  private static final Set<String> IN_8_BITS = Set.of("text_encoder", "unet");

  /** Plain names and the usual sizes. */
  public static final SaveOptions DEFAULT = new SaveOptions(OptionalLong.empty(), "", Set.of());

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if files may have less than 1 byte, or the variant cannot be
   *     part of a file's name, or a component is never written in 8 bits
   */
  public SaveOptions {
    Variant.only(variant);
    int8 = Set.copyOf(int8);
    if (!IN_8_BITS.containsAll(int8)) {
      throw new IllegalArgumentException(
          "[save] int8 of %s: only text_encoder and unet are written in 8 bits."
              .formatted(new TreeSet<>(int8)));
    }
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
    return new SaveOptions(OptionalLong.of(bytes), variant, int8);
  }

  /**
   * These options with other names of the files; diffusers {@code variant}.
   *
   * @param variant as in the file names, such as {@code fp16}; empty for the plain names
   * @return the options
   * @throws IllegalArgumentException if it cannot be part of a file's name
   */
  public SaveOptions withVariant(String variant) {
    return new SaveOptions(maxShardBytes, variant, int8);
  }

  /**
   * These options with other components in 8 bits. What is in 8 bits already stays as it is.
   *
   * @param components {@code text_encoder}, {@code unet}, both or none
   * @return the options
   * @throws IllegalArgumentException for another component
   */
  public SaveOptions withInt8(Set<String> components) {
    return new SaveOptions(maxShardBytes, variant, components);
  }
}
