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
    int d = table.shape().dim(1);
    int s = ids[0].length;
    Tensor y = workspace.tensor(ids.length, s, d);
    for (int i = 0; i < ids.length; i++) {
      Checks.that(
          ids[i].length == s,
          "[embedding] row %d has %d ids and row 0 has %d: all must have as many.",
          i,
          ids[i].length,
          s);
      for (int j = 0; j < s; j++) {
        int id = ids[i][j];
        if (id < 0 || id >= table.shape().dim(0)) {
          throw new IllegalArgumentException(
              "[embedding] id %d is not a row of %s: 0 to %d."
                  .formatted(id, table, table.shape().dim(0) - 1));
        }
        table.decode(id * d, d, y.data(), (i * s + j) * d);
      }
    }
    return y;
  }
}
