package io.github.kolors4j.scheduler;

/** Evenly spaced numbers, with the rounding of the library that diffusers takes them from. */
final class Grid {
  private Grid() {}

  /** {@code torch.linspace} in F32: filled from both ends, by fused multiply-adds. */
  static float[] torchLinspace(double start, double end, int n) {
    float first = (float) start;
    float last = (float) end;
    if (n == 1) {
      return new float[] {first};
    }
    float step = (last - first) / (n - 1);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = i < n / 2 ? Math.fma(step, i, first) : Math.fma(-step, n - 1 - i, last);
    }
    return values;
  }

  /** Numbers that a user gave, cut off to whole ones. */
  static double[] whole(float[] given) {
    double[] values = new double[given.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (long) given[i];
    }
    return values;
  }

  /** Numbers that a user gave. */
  static double[] widened(float[] given) {
    double[] values = new double[given.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = given[i];
    }
    return values;
  }

  /** {@code numpy.linspace}. */
  static double[] linspace(double start, double end, int n) {
    double[] values = new double[n];
    for (int i = 1; i < n; i++) {
      values[i] = i * ((end - start) / (n - 1)) + start;
    }
    values[n - 1] = end;
    values[0] = start;
    return values;
  }

  /**
   * {@code numpy.arange(start, 0, -step)}. Rounding may make it one longer than {@code start /
   * step}.
   */
  static double[] arangeDown(double start, double step) {
    double[] values = new double[(int) Math.ceil(-start / -step)];
    double delta = (start - step) - start;
    for (int i = 0; i < values.length; i++) {
      values[i] = start + i * delta;
    }
    return values;
  }
}
