package io.github.kolors4j.tensor;

import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.util.Objects;

/**
 * A matrix that is the product {@code B · A} of two narrow ones, as the update of a weight by LoRA
 * (Hu et al. 2021). It is never made as a whole: a part of a row is added where it is wanted.
 *
 * <p>Immutable and safe to share between threads.
 */
public final class LowRank {
  private static final Kernels KERNELS = KernelProvider.kernels();

  private static final int PANEL = Kernels.PANEL;

  private final int rank;
  private final int rows;
  private final int rowLength;

  /**
   * A in panels of its columns, {@code [panels, rank, PANEL]}; the last is filled up with zeros.
   */
  private final float[] down;

  private final float[] up;

  /**
   * A product of two matrices.
   *
   * @param rank rows of A and columns of B, at least 1
   * @param down A, {@code [rank, rowLength]} in row-major order; copied
   * @param up B, {@code [rows, rank]} in row-major order; not copied
   * @throws IllegalArgumentException if the rank is below 1, or a matrix has no whole number of
   *     rows or columns
   */
  public LowRank(int rank, float[] down, float[] up) {
    if (rank < 1 || down.length % rank != 0 || up.length % rank != 0) {
      throw new IllegalArgumentException(
          "[low rank] %s values of A and %s of B: the rank, %s, must be at least 1 and divide both."
              .formatted(down.length, up.length, rank));
    }
    this.rank = rank;
    this.up = up;
    rows = up.length / rank;
    rowLength = down.length / rank;
    int panels = Math.ceilDiv(rowLength, PANEL);
    this.down = new float[panels * rank * PANEL];
    for (int i = 0; i < rank; i++) {
      for (int column = 0; column < rowLength; column += PANEL) {
        int columns = Math.min(PANEL, rowLength - column);
        System.arraycopy(
            down, i * rowLength + column, this.down, column * rank + i * PANEL, columns);
      }
    }
  }

  /** Over the same A. */
  private LowRank(LowRank other, float[] up) {
    rank = other.rank;
    down = other.down;
    rows = other.rows;
    rowLength = other.rowLength;
    this.up = up;
  }

  /**
   * The rank.
   *
   * @return rows of A
   */
  public int rank() {
    return rank;
  }

  /**
   * The number of rows.
   *
   * @return rows of B
   */
  public int rows() {
    return rows;
  }

  /**
   * The number of values in a row.
   *
   * @return columns of A
   */
  public int rowLength() {
    return rowLength;
  }

  /**
   * This matrix times a number, over the same A.
   *
   * @param factor the number
   * @return another matrix
   */
  public LowRank times(float factor) {
    float[] scaled = new float[up.length];
    KERNELS.scale(factor, up, 0, scaled, 0, up.length);
    return new LowRank(this, scaled);
  }

  /**
   * Adds a part of a row: each value is a chain of fused multiply-adds over the rank, in order,
   * which begins at what it is added to. So the same bits come out whatever part is asked for.
   *
   * @param row which row, 0 to {@link #rows} − 1
   * @param from index of the first value in the row
   * @param count how many values; {@code from + count} is at most {@link #rowLength}
   * @param target what is added to
   * @param at index of the first value there
   * @throws IndexOutOfBoundsException if the part is not inside the matrix or not inside {@code
   *     target}
   */
  public void addTo(int row, int from, int count, float[] target, int at) {
    addTo(row, 1, from, count, target, at, count);
  }

  /**
   * Adds the same part of several rows, to the same bits as {@link #addTo(int, int, int, float[],
   * int)} for each: A is then read once for some of them.
   *
   * @param row the first row
   * @param rows how many of them
   * @param from index of the first value in each
   * @param count how many values of each
   * @param target what is added to
   * @param at index of the first value there
   * @param stride from the first value of a row to that of the next there
   * @throws IndexOutOfBoundsException if the part is not inside the matrix or not inside {@code
   *     target}
   */
  public void addTo(int row, int rows, int from, int count, float[] target, int at, int stride) {
    Objects.checkFromIndexSize(row, rows, this.rows);
    Objects.checkFromIndexSize(from, count, rowLength);
    if (rows > 0) {
      Objects.checkFromIndexSize(at, (rows - 1) * stride + count, target.length);
    }
    for (int i = 0, columns; i < count; i += columns) {
      int inPanel = (from + i) % PANEL;
      columns = Math.min(PANEL - inPanel, count - i);
      int panel = (from + i - inPanel) * rank;
      KERNELS.addProduct(
          up, row * rank, rows, rank, down, panel + inPanel, target, at + i, stride, columns);
    }
  }

  /**
   * Reads a part of a row of A.
   *
   * @param row which row, 0 to {@link #rank} − 1
   * @param from index of the first value in the row
   * @param count how many values; {@code from + count} is at most {@link #rowLength}
   * @param target where to
   * @param at index of the first value written
   * @throws IndexOutOfBoundsException if the part is not inside A or not inside {@code target}
   */
  public void readDown(int row, int from, int count, float[] target, int at) {
    Objects.checkIndex(row, rank);
    Objects.checkFromIndexSize(from, count, rowLength);
    for (int i = 0, columns; i < count; i += columns) {
      int inPanel = (from + i) % PANEL;
      columns = Math.min(PANEL - inPanel, count - i);
      int panel = (from + i - inPanel) * rank;
      System.arraycopy(down, panel + row * PANEL + inPanel, target, at + i, columns);
    }
  }

  /**
   * Reads a part of a row of B.
   *
   * @param row which row, 0 to {@link #rows} − 1
   * @param from index of the first value in the row
   * @param count how many values; {@code from + count} is at most {@link #rank}
   * @param target where to
   * @param at index of the first value written
   * @throws IndexOutOfBoundsException if the part is not inside B or not inside {@code target}
   */
  public void readUp(int row, int from, int count, float[] target, int at) {
    Objects.checkIndex(row, rows);
    Objects.checkFromIndexSize(from, count, rank);
    System.arraycopy(up, row * rank + from, target, at, count);
  }

  /** {@code rank 16, [1280, 640]}. */
  @Override
  public String toString() {
    return "rank " + rank + ", [" + rows + ", " + rowLength + "]";
  }
}
