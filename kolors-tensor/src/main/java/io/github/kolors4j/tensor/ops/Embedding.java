package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;

/** Table look-up. */
public final class Embedding {
  private Embedding() {}

  /**
   * The rows of a table.
   *
   * @param workspace where the result is made
   * @param table {@code [vocabulary, d]}
   * @param ids {@code [n][s]}, each 0 to vocabulary − 1
   * @return {@code [n, s, d]}
   * @throws IllegalArgumentException if an id is not a row of the table, or the ids are no
   *     rectangle
   */
  public static Tensor lookup(Workspace workspace, Weight table, int[][] ids) {
    Checks.that(
        table.shape().rank() == 2, "[embedding] the table %s must be [vocabulary, d].", table);
    Checks.that(ids.length > 0, "[embedding] there are no ids.");
    int d = table.rowLength();
    int s = ids[0].length;
    for (int i = 0; i < ids.length; i++) {
      check(table, ids, i);
    }
    Tensor y = workspace.tensor(ids.length, s, d);
    float[] to = y.data();
    workspace
        .threads()
        .run(
            ids.length * s,
            (index, scratch) ->
                table.decode(ids[index / s][index % s], 0, d, to, index * d, scratch));
    return y;
  }

  private static void check(Weight table, int[][] ids, int row) {
    Checks.that(
        ids[row].length == ids[0].length,
        "[embedding] row %d has %d ids and row 0 has %d: all must have as many.",
        row,
        ids[row].length,
        ids[0].length);
    for (int id : ids[row]) {
      Checks.that(
          id >= 0 && id < table.rows(),
          "[embedding] id %d is not a row of %s: 0 to %d.",
          id,
          table,
          table.rows() - 1);
    }
  }
}
