package io.github.kolors4j.vae;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Elementwise;

/**
 * The latents that may stand for a picture: a normal distribution for each value, independent of
 * the others; diffusers' {@code DiagonalGaussianDistribution}.
 *
 * @param parameters means, then logarithms of the variances: {@code [n, h, w, 2·c]}
 */
public record DiagonalGaussianDistribution(Tensor parameters) {
  private static final float MIN_LOGVAR = -30;
  private static final float MAX_LOGVAR = 20;

  /**
   * Checks the shape.
   *
   * @throws IllegalArgumentException if the parameters are not of four axes, or the number of
   *     channels is odd
   */
  public DiagonalGaussianDistribution {
    if (parameters.shape().rank() != 4 || parameters.dim(3) % 2 != 0) {
      throw new IllegalArgumentException(
          "[vae] the moments have the shape %s: [pictures, height, width, 2 x channels] is needed."
              .formatted(parameters.shape()));
    }
  }

  /**
   * Latents drawn from the distribution: mean + standard deviation · noise.
   *
   * @param noise of a standard normal distribution, {@code [n, h, w, c]}
   * @return {@code [n, h, w, c]}, in the innermost scope
   * @throws IllegalArgumentException if the noise has another shape
   */
  public Tensor sample(Tensor noise) {
    Tensor sample = mode(); // [n, h, w, c]
    if (!noise.shape().equals(sample.shape())) {
      throw new IllegalArgumentException(
          "[vae] the noise has the shape %s: %s is needed."
              .formatted(noise.shape(), sample.shape()));
    }
    int c = sample.dim(3);
    float[] moments = parameters.data();
    float[] draws = noise.data();
    float[] x = sample.data();
    for (int i = 0; i < sample.shape().size(); i++) {
      float logvar = moments[i / c * 2 * c + c + i % c];
      float std = (float) StrictMath.exp(0.5f * Math.clamp(logvar, MIN_LOGVAR, MAX_LOGVAR));
      x[i] = x[i] + std * draws[i];
    }
    return sample;
  }

  /**
   * The likeliest latents: the means.
   *
   * @return {@code [n, h, w, c]}, in the innermost scope
   */
  public Tensor mode() {
    return Elementwise.slice(parameters, 0, parameters.dim(3) / 2);
  }
}
