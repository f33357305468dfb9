package io.github.kolors4j.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The extents of a tensor, outermost first, as {@code [n, h, w, c]}. Immutable.
 *
 * <p>An axis may be counted from the end: {@code dim(-1)} is the innermost extent.
 */
public final class Shape {
  private final int[] dims;
  private final int size;

  private Shape(int[] dims, int size) {
    this.dims = dims;
    this.size = size;
  }

  /**
   * A shape of the given extents.
   *
   * @param dims extents, each at least 0
   * @return the shape
   * @throws IllegalArgumentException if an extent is negative or the product passes 2³¹−1, the most
   *     values that a Java array holds
   */
  public static Shape of(int... dims) {
    long size = 1;
    for (int dim : dims) {
      if (dim < 0) {
        throw new IllegalArgumentException(
            "[shape] " + text(dims) + " has a negative extent: extents are 0 or more.");
      }
      size *= dim;
      if (size > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "[shape] " + text(dims) + " has more than 2^31-1 values, which no Java array holds.");
      }
    }
    return new Shape(dims.clone(), (int) size);
  }

  /**
   * The number of axes.
   *
   * @return 0 for a single value
   */
  public int rank() {
    return dims.length;
  }

  /**
   * The extent of one axis.
   *
   * @param axis 0 to rank − 1, or −rank to −1 from the end
   * @return the extent
   */
  public int dim(int axis) {
    return dims[axis < 0 ? axis + dims.length : axis];
  }

  /**
   * The number of values, the product of all extents.
   *
   * @return 1 for a rank of 0
   */
  public int size() {
    return size;
  }

  /**
   * The extents in order.
   *
   * @return a new array
   */
  public int[] dims() {
    return dims.clone();
  }

  /**
   * This shape with another innermost extent.
   *
   * @param last the new innermost extent
   * @return the shape
   */
  public Shape withLast(int last) {
    int[] changed = dims.clone();
    changed[changed.length - 1] = last;
    return of(changed);
  }

  /**
   * The number of rows when all but the innermost axis are taken as one.
   *
   * @return the product of all extents but the innermost
   */
  public int rows() {
    int rows = 1;
    for (int i = 0; i < dims.length - 1; i++) {
      rows *= dims[i];
    }
    return rows;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** {@code [2, 64, 64, 4]}. */
  @Override
  public String toString() {
    return text(dims);
  }

  private static String text(int[] dims) {
    return Arrays.stream(dims)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
