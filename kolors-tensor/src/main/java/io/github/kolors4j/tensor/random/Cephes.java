package io.github.kolors4j.tensor.random;

/**
 * Logarithm, sine and cosine in F32 by the polynomials of the Cephes library, with a fused
 * multiply-add in every Horner step. PyTorch draws its normals with these, so their errors of an
 * ulp or two belong to its numbers.
 *
 * @see <a href="https://www.netlib.org/cephes/">Cephes</a>
 */
final class Cephes {
  private static final float SQRT_HALF = 0.70710677f;

  /** ln 2 as a short number, exact when multiplied by an exponent, and what is left of it. */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.12194440e-4f;

  private static final float FOUR_OVER_PI = 1.2732395f;

  /** −π/4 in three parts, each short enough to be exact when multiplied by an octant. */
  private static final float PI4_A = -0.78515625f;

  private static final float PI4_B = -2.4187564849853515625e-4f;
  private static final float PI4_C = -3.77489497744594108e-8f;

  private Cephes() {}

  /** The natural logarithm of a positive normal number. */
  static float log(float x) {
    // x = m · 2^e with m in [√½, √2), less one
    int bits = Float.floatToRawIntBits(x);
    float e = (bits >> 23) - 126;
    float m = Float.intBitsToFloat((bits & 0x007fffff) | 0x3f000000);
    if (m < SQRT_HALF) {
      e -= 1;
      m = (m - 1) + m;
    } else {
      m -= 1;
    }

    float z = m * m;
    float y = 7.0376836292e-2f;
    y = Math.fma(y, m, -1.1514610310e-1f);
    y = Math.fma(y, m, 1.1676998740e-1f);
    y = Math.fma(y, m, -1.2420140846e-1f);
    y = Math.fma(y, m, 1.4249322787e-1f);
    y = Math.fma(y, m, -1.6668057665e-1f);
    y = Math.fma(y, m, 2.0000714765e-1f);
    y = Math.fma(y, m, -2.4999993993e-1f);
    y = Math.fma(y, m, 3.3333331174e-1f);
    y *= m;
    y = Math.fma(y, z, e * LN2_LOW);
    y = Math.fma(-z, 0.5f, y);
    return Math.fma(e, LN2_HIGH, m + y);
  }

  /** The sine of an angle in [0, 2π]. */
  static float sin(float x) {
    int octant = octant(x);
    float r = reduce(x, octant);
    float y = (octant & 2) == 0 ? sinPolynomial(r) : cosPolynomial(r);
    return (octant & 4) == 0 ? y : -y;
  }

  /** The cosine of an angle in [0, 2π]. */
  static float cos(float x) {
    int octant = octant(x);
    float r = reduce(x, octant);
    float y = (octant & 2) == 0 ? cosPolynomial(r) : sinPolynomial(r);
    return ((octant - 2) & 4) != 0 ? y : -y;
  }

  /** The even multiple of π/4 that is nearest to x. */
  private static int octant(float x) {
    return ((int) (x * FOUR_OVER_PI) + 1) & ~1;
  }

  private static float reduce(float x, int octant) {
    float r = Math.fma(octant, PI4_A, x);
    r = Math.fma(octant, PI4_B, r);
    return Math.fma(octant, PI4_C, r);
  }

  private static float sinPolynomial(float x) {
    float z = x * x;
    float y = -1.9515295891e-4f;
    y = Math.fma(y, z, 8.3321608736e-3f);
    y = Math.fma(y, z, -1.6666654611e-1f);
    return Math.fma(y * z, x, x);
  }

  private static float cosPolynomial(float x) {
    float z = x * x;
    float y = 2.443315711809948e-5f;
    y = Math.fma(y, z, -1.388731625493765e-3f);
    y = Math.fma(y, z, 4.166664568298827e-2f);
    return Math.fma(y * z, z, -(z * 0.5f)) + 1;
  }
}
