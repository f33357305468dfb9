package io.github.kolors4j.tensor;

/**
 * A parameter of a model: its name, its shape, and how its rows are decoded to F32. Packers and
 * operations read every weight by {@link #decode}, so they do not know what stands behind it:
 * values of a file ({@link StoredWeight}), or values that are computed when they are read ({@link
 * ComputedWeight}).
 *
 * <p>A row is what one output of a layer is made from: of {@code [out, in]} the {@code in} values
 * of an output, of {@code [out, in, kh, kw]} the {@code in·kh·kw} values of its kernels, in
 * PyTorch's order. A vector, such as a bias or the scale of a norm, is one row.
 *
 * <p>A weight is immutable and safe to share: several threads read it at once.
 */
public sealed interface Weight permits StoredWeight, ComputedWeight {
  /**
   * A weight of F32 values that are on the heap already.
   *
   * @param name its name in the checkpoint, for messages
   * @param shape PyTorch's shape
   * @param values the values in row-major order; not copied
   * @return the weight
   * @throws IllegalArgumentException if there are not as many values as the shape has
   */
  static Weight of(String name, Shape shape, float... values) {
    return StoredWeight.of(name, shape, values);
  }

  /**
   * The tensor's name in the checkpoint.
   *
   * @return the name
   */
  String name();

  /**
   * The shape in PyTorch's order, as {@code [out, in]}, {@code [out, in, kh, kw]} or {@code [c]}.
   *
   * @return the shape
   */
  Shape shape();

  /**
   * The number of rows.
   *
   * @return the outermost extent, or 1 where there is but one axis
   */
  default int rows() {
    return shape().rank() < 2 ? 1 : shape().dim(0);
  }

  /**
   * The number of values in a row.
   *
   * @return the product of all extents but the outermost, or the extent where there is but one axis
   */
  default int rowLength() {
    return shape().size() / Math.max(1, rows());
  }

  /**
   * Decodes a part of a row to F32. The same value comes out whatever part it is read in: a packer
   * takes some hundred values at a time, and where it cuts follows the machine.
   *
   * @param row which row, 0 to {@link #rows} − 1
   * @param from index of the first value in the row
   * @param count how many values; {@code from + count} is at most {@link #rowLength}
   * @param target where to
   * @param at index of the first value written
   * @param scratch buffers of the calling thread, for a weight that computes
   * @throws IndexOutOfBoundsException if the part is not inside the weight or not inside {@code
   *     target}
   */
  void decode(int row, int from, int count, float[] target, int at, Scratch scratch);

  /**
   * Decodes the same part of several rows, as {@link #decode} would one after another. A kind to
   * which rows are cheaper together, as a product of matrices is, does it at once.
   *
   * @param row the first row
   * @param rows how many of them
   * @param from index of the first value in each
   * @param count how many values of each
   * @param target where to
   * @param at index of the first value written
   * @param stride from the first value of a row to that of the next in {@code target}
   * @param scratch buffers of the calling thread, for a weight that computes
   * @throws IndexOutOfBoundsException as {@link #decode}
   */
  default void decodeRows(
      int row, int rows, int from, int count, float[] target, int at, int stride, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      decode(row + i, from, count, target, at + i * stride, scratch);
    }
  }

  /**
   * The values of one row as F32, for whoever goes through a large weight once.
   *
   * @param row which row, 0 to {@link #rows} − 1
   * @return a new array of {@link #rowLength} values
   * @throws IndexOutOfBoundsException if there is no such row
   */
  default float[] rowToFloats(int row) {
    float[] values = new float[rowLength()];
    decode(row, 0, values.length, values, 0, new Scratch());
    return values;
  }

  /**
   * All values as F32; meant for small weights and for tests, as nothing of them is kept.
   *
   * @return a new array in row-major order
   */
  default float[] toFloats() {
    float[] values = new float[shape().size()];
    int length = rowLength();
    Scratch scratch = new Scratch();
    for (int row = 0; row < rows(); row++) {
      decode(row, 0, length, values, row * length, scratch);
    }
    return values;
  }

  /**
   * How messages name it.
   *
   * @return name, kind and shape, as {@code conv_in.weight F16 [320, 4, 3, 3]}
   */
  @Override
  String toString();
}
