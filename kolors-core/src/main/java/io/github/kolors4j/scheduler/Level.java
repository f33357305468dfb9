package io.github.kolors4j.scheduler;

/**
 * A noise level: a sample is α times picture + σ times noise.
 *
 * @param alpha the part of the picture
 * @param sigma the part of the noise
 * @param lambda log(α / σ), half the logarithm of the signal-to-noise ratio
 */
record Level(float alpha, float sigma, float lambda) {
  private static Level of(float alpha, float sigma) {
    return new Level(alpha, sigma, log(alpha) - log(sigma));
  }

  /** A sigma of samples whose variance is kept at 1. */
  static Level preserving(float sigma) {
    float alpha = 1 / (float) Math.sqrt(sigma * sigma + 1);
    return of(alpha, sigma * alpha);
  }

  /** A sigma of samples that are the picture with noise added. */
  static Level exploding(float sigma) {
    return of(1, sigma);
  }

  /** The part of the picture's variance that is left in a sample of variance 1. */
  static Level ofAlphaCumprod(float alphaCumprod) {
    return of((float) Math.sqrt(alphaCumprod), (float) Math.sqrt(1 - alphaCumprod));
  }

  static float log(float x) {
    return (float) StrictMath.log(x);
  }

  static float exp(float x) {
    return (float) StrictMath.exp(x);
  }
}
