package io.github.kolors4j.tensor.kernel;

/** The error function in double, for the tests. */
final class Erf {
  private Erf() {}

  /** {@code 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!}, whose terms all have one sign. */
  static double of(double x) {
    if (Math.abs(x) > 7) {
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
