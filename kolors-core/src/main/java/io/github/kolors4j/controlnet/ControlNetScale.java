package io.github.kolors4j.controlnet;

/**
 * How strongly a ControlNet leads in one step.
 *
 * @param conditioningScale what its residuals are multiplied by
 * @param guessMode whether they count the less the finer they are, from a tenth for the first to
 *     all for the last
 */
public record ControlNetScale(double conditioningScale, boolean guessMode) {

  /** The factor of one of so many residuals; diffusers' {@code torch.logspace(-1, 0, count)}. */
  float of(int index, int count) {
    float scale = (float) conditioningScale;
    if (!guessMode) {
      return scale;
    }
    double exponent = count == 1 ? -1 : -1 + (double) index / (count - 1);
    return (float) StrictMath.pow(10, exponent) * scale;
  }
}
