package io.github.kolors4j.scheduler;

import java.util.Arrays;

/**
 * Which of the trained timesteps a request visits.
 *
 * @param trained how many there are
 * @param spacing how the chosen ones lie among them
 * @param stepsOffset added to those of leading spacing
 */
record TimestepChoice(int trained, TimestepSpacing spacing, int stepsOffset) {
  static TimestepChoice of(OptionValues options) {
    TimestepSpacing spacing = options.get(SharedOptions.TIMESTEP_SPACING);
    return new TimestepChoice(
        options.get(SharedOptions.NUM_TRAIN_TIMESTEPS),
        spacing,
        spacing == TimestepSpacing.LEADING ? options.get(SharedOptions.STEPS_OFFSET) : 0);
  }

  /**
   * So many timesteps of solvers that run along sigmas, which need not be whole.
   *
   * @param inFloat whether fractions are rounded to F32
   */
  double[] fractional(int n, boolean inFloat) {
    return switch (spacing) {
      case LINSPACE -> {
        double[] timesteps = reversed(Grid.linspace(0, trained - 1.0, n), n);
        for (int i = 0; i < n && inFloat; i++) {
          timesteps[i] = (float) timesteps[i];
        }
        yield timesteps;
      }
      case LEADING -> leading(trained / n, 0, n);
      case TRAILING -> trailing(trained, n);
    };
  }

  /** So many whole timesteps, no more than were trained. */
  double[] whole(int n) {
    if (n > trained) {
      throw new OptionException(
          "num_inference_steps is "
              + n
              + ": the model was trained on "
              + trained
              + " timesteps, use no more.");
    }
    double[] timesteps = rounded(fractional(n, false));
    // rounding may make the trailing ones one too many, with a timestep of −1 at their end
    return timesteps[timesteps.length - 1] < 0
        ? Arrays.copyOf(timesteps, timesteps.length - 1)
        : timesteps;
  }

  /**
   * So many whole timesteps, as if there were one more that is left out, the least.
   *
   * @param last how many trained ones are left when the noisiest are clipped
   */
  double[] allButLast(int last, int n) {
    return switch (spacing) {
      case LINSPACE -> rounded(reversed(Grid.linspace(0, last - 1.0, n + 1), n));
      case LEADING -> leading(last / (n + 1), 1, n + 1);
      case TRAILING -> trailing(last, n);
    };
  }

  /** Whole timesteps that a user chose; they must fall, from one that was trained. */
  static double[] falling(float[] given, int trained) {
    double[] timesteps = Grid.whole(given);
    if (timesteps[0] >= trained) {
      throw new OptionException(
          "timesteps start at "
              + (long) timesteps[0]
              + ": the model was trained on 0 to "
              + (trained - 1)
              + ".");
    }
    for (int i = 1; i < timesteps.length; i++) {
      if (timesteps[i] >= timesteps[i - 1]) {
        throw new OptionException(
            "timesteps hold "
                + (long) timesteps[i - 1]
                + " before "
                + (long) timesteps[i]
                + ": each must be less than the one before.");
      }
    }
    return timesteps;
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

  /** Multiples of {@code ratio} below {@code n}, the greatest first, moved up by the offset. */
  private double[] leading(int ratio, int from, int n) {
    double[] timesteps = new double[n - from];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = (double) (n - 1 - i) * ratio + stepsOffset;
    }
    return timesteps;
  }

  /** From {@code last} down in {@code n} parts of all that were trained, rounded. */
  private double[] trailing(int last, int n) {
    double[] timesteps = Grid.arangeDown(last, trained / (double) n);
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = Math.rint(timesteps[i]) - 1;
    }
    return timesteps;
  }
}
