package io.github.kolors4j.tensor;

import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Floats of 8 bits, four of them exponent and three of them fraction, without infinities: what
 * safetensors calls {@code F8_E4M3} and PyTorch {@code float8_e4m3fn}. They have no scale.
 */
public final class Float8Weight extends CodedWeight {
  private static final Kernels KERNELS = KernelProvider.kernels();

  private final MemorySegment data;

  /**
   * A weight over the bytes of a file.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape PyTorch's shape
   * @param data the values; not copied, so it must live as long as the weight is used
   * @throws IllegalArgumentException if the length of {@code data} is not that of the shape
   */
  public Float8Weight(String name, Shape shape, MemorySegment data) {
    super(name, shape);
    if (data.byteSize() != shape.size()) {
      throw new IllegalArgumentException(
          "[weight] %s: %s of F8_E4M3 needs %s bytes but has %s."
              .formatted(name, shape, shape.size(), data.byteSize()));
    }
    this.data = data;
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    long first = first(row, from, count);
    Objects.checkFromIndexSize(at, count, target.length);
    KERNELS.float8(data, first, target, at, count);
  }

  /** {@code conv_in.weight F8_E4M3 [320, 4, 3, 3]}. */
  @Override
  public String toString() {
    return name() + " F8_E4M3 " + shape();
  }
}
