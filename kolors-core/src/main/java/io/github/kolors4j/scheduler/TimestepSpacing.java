package io.github.kolors4j.scheduler;

import java.util.Arrays;
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

  /**
   * So many timesteps of solvers that run along sigmas, which need not be whole.
   *
   * @param inFloat whether fractions are rounded to F32
   */
  double[] fractional(int trained, int n, int offset, boolean inFloat) {
    return switch (this) {
      case LINSPACE -> {
        double[] timesteps = reversed(Grid.linspace(0, trained - 1.0, n), n);
        for (int i = 0; i < n && inFloat; i++) {
          timesteps[i] = (float) timesteps[i];
        }
        yield timesteps;
      }
      case LEADING -> leading(trained / n, 0, n, offset);
      case TRAILING -> trailing(trained, trained, n);
    };
  }

  /** So many whole timesteps of the trained ones. */
  double[] whole(int trained, int n, int offset) {
    double[] timesteps = rounded(fractional(trained, n, offset, false));
    // rounding may make the trailing ones one too many, with a timestep of −1 at their end
    return timesteps[timesteps.length - 1] < 0
        ? Arrays.copyOf(timesteps, timesteps.length - 1)
        : timesteps;
  }

  /** So many whole timesteps, as if there were one more that is left out, the least. */
  double[] allButLast(int last, int trained, int n, int offset) {
    return switch (this) {
      case LINSPACE -> rounded(reversed(Grid.linspace(0, last - 1.0, n + 1), n));
      case LEADING -> leading(last / (n + 1), 1, n + 1, offset);
      case TRAILING -> trailing(last, trained, n);
    };
  }

  /** The greatest values of a rising sequence, falling. */
  private static double[] reversed(double[] rising, int n) {
    double[] falling = new double[n];
    for (int i = 0; i < n; i++) {
      falling[i] = rising[rising.length - 1 - i];
    }
    return falling;
  }

  private static double[] rounded(double[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.rint(values[i]);
    }
    return values;
  }

  /** Multiples of {@code ratio} below {@code n}, the greatest first, moved up by an offset. */
  private static double[] leading(int ratio, int from, int n, int offset) {
    double[] timesteps = new double[n - from];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = (double) (n - 1 - i) * ratio + offset;
    }
    return timesteps;
  }

  /** From {@code last} down in {@code n} parts of {@code trained}, rounded. */
  private static double[] trailing(int last, int trained, int n) {
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
