package io.github.kolors4j.scheduler;

/**
 * The beta distribution with both shapes equal and below 1, as its quantiles are needed here.
 *
 * <p>Symmetry does the hard parts: the half below ½ is enough, where the power series converges
 * fast, and the normalisation follows from the distribution being ½ at ½, so no gamma function is
 * needed.
 */
final class SymmetricBeta {
  private final double shape;
  private final double norm;

  SymmetricBeta(double shape) {
    this.shape = shape;
    this.norm = 2 * integral(0.5);
  }

  /** The x that a share of {@code p} lies below. */
  double quantile(double p) {
    return p <= 0.5 ? lowerQuantile(p) : 1 - lowerQuantile(1 - p);
  }

  /**
   * Newton's method. The distribution is concave below ½, so that each step after the first comes
   * from the left and stops short of the solution: it ends when rounding lets it gain no more.
   */
  private double lowerQuantile(double p) {
    if (p == 0) {
      return 0;
    }
    double wanted = p * norm;
    double x = Math.min(0.5, StrictMath.pow(wanted * shape, 1 / shape));
    for (int i = 0; i < 50; i++) {
      double density = StrictMath.pow(x * (1 - x), shape - 1);
      double step = (wanted - integral(x)) / density;
      x = Math.min(0.5, x + step);
      if (Math.abs(step) <= 1e-16 * x) {
        break;
      }
    }
    return x;
  }

  /**
   * The integral of {@code (t (1 − t))^(shape − 1)} from 0 to x, term by term of (1 − t)'s series.
   */
  private double integral(double x) {
    double coefficient = 1;
    double sum = 0;
    for (int n = 0; n < 200; n++) {
      double term = coefficient / (shape + n);
      sum += term;
      if (term < 1e-18) {
        break;
      }
      coefficient *= (n + 1 - shape) / (n + 1) * x;
    }
    return StrictMath.pow(x, shape) * sum;
  }
}
