package io.github.kolors4j.tensor;

import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Integers of 8 bits, each times the scale of its row or of its group: half the bytes of F16, as
 * files have them. A scale is F16.
 *
 * <p>A value of a group is the product of integer and scale, which F32 holds exactly. A value of a
 * row is that product rounded to F16, as ChatGLM's own code, which computes in F16, has it.
 */
public final class Int8Weight extends CodedWeight {
  private static final Kernels KERNELS = KernelProvider.kernels();

  private final MemorySegment values;
  private final MemorySegment scales;

  /** Values of a group; 0 where a row has one scale. */
  private final int group;

  private final int groups;

  private Int8Weight(
      String name, Shape shape, int group, MemorySegment values, MemorySegment scales) {
    super(name, shape);
    this.group = group;
    this.values = values;
    this.scales = scales;
    groups = group == 0 ? 1 : Math.ceilDiv(rowLength(), group);
    if (values.byteSize() != shape.size() || scales.byteSize() != 2L * rows() * groups) {
      throw new IllegalArgumentException(
          "[weight] %s: %s of I8 needs %s bytes and %s of F16 scales, but has %s and %s."
              .formatted(
                  name,
                  shape,
                  shape.size(),
                  2L * rows() * groups,
                  values.byteSize(),
                  scales.byteSize()));
    }
  }

  /**
   * A weight with one scale a row, whose values are rounded to F16.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape PyTorch's shape, as {@code [out, in]}
   * @param values the integers; not copied, so they must live as long as the weight is used
   * @param scales F16, {@code [out]}; not copied
   * @return the weight
   * @throws IllegalArgumentException if a length is not that of the shape
   */
  public static Int8Weight perRow(
      String name, Shape shape, MemorySegment values, MemorySegment scales) {
    return new Int8Weight(name, shape, 0, values, scales);
  }

  /**
   * A weight with one scale for each group of a row. Groups begin anew with each row, whose last
   * one may be shorter.
   *
   * @param name the tensor's name in the checkpoint, for messages
   * @param shape PyTorch's shape, as {@code [out, in]} or {@code [out, in, kh, kw]}
   * @param group values of a group, at least 1
   * @param values the integers; not copied, so they must live as long as the weight is used
   * @param scales F16, {@code [out, groups]}; not copied
   * @return the weight
   * @throws IllegalArgumentException if the group is below 1, or a length is not that of the shape
   */
  public static Int8Weight inGroups(
      String name, Shape shape, int group, MemorySegment values, MemorySegment scales) {
    if (group < 1) {
      throw new IllegalArgumentException(
          "[weight] %s: a group of %s values: 1 is the least.".formatted(name, group));
    }
    return new Int8Weight(name, shape, group, values, scales);
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    long first = first(row, from, count);
    Objects.checkFromIndexSize(at, count, target.length);
    if (group == 0) {
      KERNELS.scaleBytesToF16(half(scales, row), values, first, target, at, count);
      return;
    }
    int end = from + count;
    for (int i = from; i < end; ) {
      int index = i / group;
      long of = first + i - from;
      int to = at + i - from;
      int whole = group == Kernels.GROUP && i % group == 0 ? (end - i) / group : 0;
      if (whole > 0) {
        KERNELS.scaleGroups(
            scales, 2L * ((long) row * groups + index), whole, values, of, target, to);
        i += whole * group;
      } else {
        int n = Math.min(end, (index + 1) * group) - i;
        KERNELS.scaleBytes(half(scales, (long) row * groups + index), values, of, target, to, n);
        i += n;
      }
    }
  }

  /** {@code unet.conv_in.weight I8 in groups of 32 [320, 4, 3, 3]}. */
  @Override
  public String toString() {
    return name() + " I8 " + (group == 0 ? "a row" : "in groups of " + group) + " " + shape();
  }
}
