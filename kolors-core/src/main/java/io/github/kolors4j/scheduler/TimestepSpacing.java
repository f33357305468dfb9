package io.github.kolors4j.scheduler;

import java.util.Locale;

/**
 * Which of the training timesteps a request visits.
 *
 * @see <a href="https://arxiv.org/abs/2305.08891">Lin et al., 2023, table 2</a>
 */
enum TimestepSpacing {
  /** From the last to the first, both included. */
  LINSPACE,
  /** Multiples of a whole ratio from 0 on, moved up by {@code steps_offset}. */
  LEADING,
  /** From the last down by a ratio that need not be whole. */
  TRAILING;

  /** Multiples of {@code ratio} below {@code n}, the greatest first, moved up by an offset. */
  static double[] leading(int ratio, int from, int n, int offset) {
    double[] timesteps = new double[n - from];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = (double) (n - 1 - i) * ratio + offset;
    }
    return timesteps;
  }

  /** From {@code last} down in {@code n} parts of {@code trained}, rounded. */
  static double[] trailing(int last, int trained, int n) {
    double[] timesteps = Grid.arangeDown(last, trained / (double) n);
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = Math.rint(timesteps[i]) - 1;
    }
    return timesteps;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
