package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import java.util.Arrays;

/** Rotary position embedding (Su et al. 2021). */
public final class Rotary {
  private static final double BASE = 10_000;

  private Rotary() {}

  /**
   * Rotates adjacent pairs of a head's first channels by an angle that grows with the position:
   * ChatGLM's form. Pair j of position p turns by {@code p / base^(2j/rotated)}.
   *
   * @param x {@code [n, s, heads·dHead]}, changed in place
   * @param dHead width of a head
   * @param rotated how many leading channels of a head are rotated; even
   * @param positions {@code [n][s]}
   * @throws IllegalArgumentException if the heads or the positions do not fit x
   */
  public static void rotateInPlace(Tensor x, int dHead, int rotated, int[][] positions) {
    Checks.that(
        x.shape().rank() == 3
            && dHead > 0
            && x.dim(-1) % dHead == 0
            && rotated >= 0
            && rotated <= dHead
            && rotated % 2 == 0,
        "[rotary] x is %s, heads of %d with %d rotated: x must be [n, s, heads·dHead], and an even"
            + " number of a head's channels rotated.",
        x.shape(),
        dHead,
        rotated);
    int width = x.dim(-1);
    int s = x.dim(1);
    Checks.that(
        positions.length == x.dim(0) && Arrays.stream(positions).allMatch(p -> p.length == s),
        "[rotary] x is %s: it takes a position for each of its %d × %d rows.",
        x.shape(),
        x.dim(0),
        s);
    float[] data = x.data();
    for (int i = 0; i < x.dim(0); i++) {
      for (int t = 0; t < s; t++) {
        for (int j = 0; j < rotated; j += 2) {
          float frequency = (float) (1 / StrictMath.pow(BASE, (double) j / rotated));
          double angle = positions[i][t] * frequency;
          float cos = (float) StrictMath.cos(angle);
          float sin = (float) StrictMath.sin(angle);
          for (int at = (i * s + t) * width + j; at < (i * s + t + 1) * width; at += dHead) {
            float even = data[at];
            float odd = data[at + 1];
            data[at] = even * cos - odd * sin;
            data[at + 1] = odd * cos + even * sin;
          }
        }
      }
    }
  }
}
