package io.github.kolors4j.checkpoint;

import java.util.List;

/**
 * A tensor that a model of some configuration has in its files.
 *
 * @param name as in the file, such as {@code conv_in.weight}
 * @param shape extents in PyTorch's order, outermost first
 */
public record Parameter(String name, List<Long> shape) {

  /** Keeps a copy of the shape. */
  public Parameter {
    shape = List.copyOf(shape);
  }

  /**
   * Number of values.
   *
   * @return the product of the shape
   * @throws ArithmeticException if it passes 2⁶³−1
   */
  public long size() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }
}
