package io.github.kolors4j.safetensors;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * What a file says about one of its tensors: the values are dense and row-major.
 *
 * @param name the tensor's name, any text, as {@code down_blocks.0.resnets.0.conv1.weight}
 * @param dtype type of the values
 * @param shape extents, outermost first; empty for a single value; an extent may be 0
 * @param offset first byte, counted from the beginning of {@code file}
 * @param byteLength number of bytes: the shape's product times the size of a value
 * @param file where it is
 */
public record TensorInfo(
    String name, DType dtype, List<Long> shape, long offset, long byteLength, Path file) {

  /**
   * Checks that the parts fit together.
   *
   * @throws IllegalArgumentException if an extent or {@code offset} is negative, or {@code
   *     byteLength} is not what {@code dtype} and {@code shape} make
   * @throws ArithmeticException if the size passes 2⁶³−1
   */
  public TensorInfo {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(file, "file");
    shape = List.copyOf(shape);
    if (offset < 0 || byteLength != dtype.byteLength(shape)) {
      throw new IllegalArgumentException(
          "[safetensors] tensor %s: %s %s at %s with %s bytes does not fit together."
              .formatted(name, dtype, shape, offset, byteLength));
    }
  }

  /**
   * Number of values.
   *
   * @return the product of the shape; 1 for an empty shape
   */
  public long size() {
    return shape.stream().reduce(1L, (product, extent) -> product * extent);
  }
}
