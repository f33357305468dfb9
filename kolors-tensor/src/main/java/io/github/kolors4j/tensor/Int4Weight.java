package io.github.kolors4j.tensor;

import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Integers of 4 bits, two in a byte, each times the scale of its row and rounded to F16: ChatGLM's
 * own format. The first of two stands in the upper half; both are signed.
 */
public final class Int4Weight extends CodedWeight {
  private static final Kernels KERNELS = KernelProvider.kernels();

  private final MemorySegment values;
  private final MemorySegment scales;

  /**
   * A weight over the bytes of a file.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape {@code [out, in]}, where {@code in} is even
   * @param values {@code [out, in / 2]} bytes; not copied, so they must live as long as the weight
   *     is used
   * @param scales F16, {@code [out]}; not copied
   * @throws IllegalArgumentException if rows are of odd length, or a length is not that of the
   *     shape
   */
  public Int4Weight(String name, Shape shape, MemorySegment values, MemorySegment scales) {
    super(name, shape);
    this.values = values;
    this.scales = scales;
    if (rowLength() % 2 != 0
        || values.byteSize() != shape.size() / 2
        || scales.byteSize() != 2L * rows()) {
      throw new IllegalArgumentException(
          "[weight] %s: %s of 4 bits needs an even row, %s bytes and %s of F16 scales, but has %s and %s."
              .formatted(
                  name,
                  shape,
                  shape.size() / 2,
                  2L * rows(),
                  values.byteSize(),
                  scales.byteSize()));
    }
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    long first = first(row, from, count);
    Objects.checkFromIndexSize(at, count, target.length);
    KERNELS.scaleNibblesToF16(half(scales, row), values, first, target, at, count);
  }

  /** {@code encoder.layers.0.mlp.dense_h_to_4h.weight I4 [27392, 4096]}. */
  @Override
  public String toString() {
    return name() + " I4 " + shape();
  }
}
