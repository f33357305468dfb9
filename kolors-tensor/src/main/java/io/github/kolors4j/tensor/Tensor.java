package io.github.kolors4j.tensor;

import java.util.Arrays;

/**
 * An activation: a dense row-major block of F32 values on the heap, channels-last where it is a
 * picture. It borrows its memory from a {@link Workspace} and is valid until the scope that it
 * belongs to closes.
 *
 * <p>Operations take the workspace from their input, so a model's code passes tensors only.
 */
public final class Tensor {
  private final Shape shape;
  private final Workspace.Buffer buffer;

  Tensor(Shape shape, Workspace.Buffer buffer) {
    this.shape = shape;
    this.buffer = buffer;
  }

  /**
   * The shape.
   *
   * @return the shape
   */
  public Shape shape() {
    return shape;
  }

  /**
   * The extent of one axis; from the end where negative.
   *
   * @param axis the axis
   * @return the extent
   */
  public int dim(int axis) {
    return shape.dim(axis);
  }

  /**
   * The values, shared with every view. The array may be longer than the shape's size; what follows
   * is not this tensor's.
   *
   * @return the array
   * @throws IllegalStateException if the tensor's scope has been closed
   */
  public float[] data() {
    return buffer.array();
  }

  /**
   * The workspace that owns the memory.
   *
   * @return the workspace
   */
  public Workspace workspace() {
    return buffer.workspace();
  }

  /**
   * The same values under another shape.
   *
   * @param dims the new extents
   * @return a view
   * @throws IllegalArgumentException if the number of values differs
   */
  public Tensor reshape(int... dims) {
    Shape to = Shape.of(dims);
    if (to.size() != shape.size()) {
      throw new IllegalArgumentException(
          "[reshape] %s has %s values and %s has %s: they must be equal."
              .formatted(shape, shape.size(), to, to.size()));
    }
    return new Tensor(to, buffer);
  }

  /**
   * The first samples.
   *
   * @param n how many, 0 to the outermost extent
   * @return a view {@code [n, ...]}
   * @throws IllegalArgumentException if there are not as many
   */
  public Tensor first(int n) {
    int[] dims = shape.dims();
    if (n < 0 || n > dims[0]) {
      throw new IllegalArgumentException(
          "[first] %s samples of %s: 0 to %s can be taken.".formatted(n, shape, dims[0]));
    }
    dims[0] = n;
    return new Tensor(Shape.of(dims), buffer);
  }

  /**
   * A copy of the values.
   *
   * @return a new array of exactly the shape's size
   */
  public float[] toArray() {
    return Arrays.copyOf(data(), shape.size());
  }

  Workspace.Buffer buffer() {
    return buffer;
  }

  @Override
  public String toString() {
    return "Tensor" + shape;
  }
}
