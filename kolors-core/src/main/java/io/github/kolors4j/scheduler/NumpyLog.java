package io.github.kolors4j.scheduler;

/**
 * NumPy's F32 logarithm, to the bit: a quotient of polynomials, up to 2 ulp off. Timesteps are
 * looked up in a table of these, and some are cut off to whole numbers, so that an accurate
 * logarithm would give 1099 where diffusers has 1098.
 */
final class NumpyLog {
  private static final float LN2 = 0.6931472f;
  private static final float SQRT_HALF = 0.70710677f;

  private static final float[] NUMERATOR = {
    2.589979117907922693523e-02f,
    3.808837741388407920751e-01f,
    1.480000633576506585156f,
    2.112677543073053063722f,
    1f,
    0f
  };

  private static final float[] DENOMINATOR = {
    5.875095403124574342950e-03f,
    1.546476374983906719538e-01f,
    9.864942958519418960339e-01f,
    2.453006071784736363091f,
    2.612677543073109236779f,
    1f
  };

  private NumpyLog() {}

  /** The logarithm of a number that is 0 or more. */
  static float log(float x) {
    if (!(x >= Float.MIN_NORMAL && x <= Float.MAX_VALUE)) {
      return (float) StrictMath.log(x);
    }
    // x = m · 2^e with m in [√½, √2)
    int e = Math.getExponent(x) + 1;
    float m = Math.scalb(x, -e);
    if (m < SQRT_HALF) {
      m *= 2;
      e--;
    }
    float z = m - 1;
    return Math.fma((float) e, LN2, horner(NUMERATOR, z) / horner(DENOMINATOR, z));
  }

  private static float horner(float[] coefficients, float x) {
    float y = coefficients[0];
    for (int i = 1; i < coefficients.length; i++) {
      y = Math.fma(y, x, coefficients[i]);
    }
    return y;
  }
}
