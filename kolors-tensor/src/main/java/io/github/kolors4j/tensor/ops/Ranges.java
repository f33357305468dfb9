package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;

/** Splits work that goes value by value, or row by row, over the threads. */
final class Ranges {
  /** Values a task: 256 kB, enough to outweigh the hand-over and few enough to stay in L2. */
  private static final int VALUES = 65_536;

  private Ranges() {}

  /** Work on a run of values or rows. */
  @FunctionalInterface
  interface Body {
    void run(int from, int count);
  }

  /** All values of a tensor. */
  static void run(Tensor x, Body body) {
    run(x, x.shape().size(), VALUES, body);
  }

  /** All rows of a tensor. */
  static void runRows(Tensor x, Body body) {
    run(x, x.shape().rows(), Math.max(1, VALUES / Math.max(1, x.dim(-1))), body);
  }

  private static void run(Tensor x, int total, int step, Body body) {
    x.workspace()
        .threads()
        .run(
            (total + step - 1) / step,
            (index, _) -> body.run(index * step, Math.min(step, total - index * step)));
  }
}
