package io.github.kolors4j.tensor.kernel;

/**
 * Elementary functions of one F32 value, in fixed sequences of IEEE operations. {@link VectorMath}
 * has the same ones on vectors, operation by operation, so both give the same bits.
 */
final class ScalarMath {
  /** Below this, exp is 0: its smallest normal results would need subnormal scaling. */
  static final float EXP_MIN = -86.5f;

  /** Above this, exp is taken at this point: 1.6e38, still finite. */
  static final float EXP_MAX = 88f;

  static final float LOG2_E = 1.44269504088896f;

  /** log 2 in two parts; the first has 9 bits free, so that n times it is exact. */
  static final float LN2_HIGH = 0.693145751953125f;

  static final float LN2_LOW = 1.42860677e-6f;

  /** 1.5 · 2²³: adding it rounds to an integer, which then stands in the low bits. */
  static final float ROUND = 12582912f;

  // exp(r) = 1 + r + r² · P(r) on |r| ≤ ln 2 / 2; least maximum of the relative error (3e-9).
  static final float E2 = 0.4999999403953552f;
  static final float E3 = 0.1666652113199234f;
  static final float E4 = 0.04166838899254799f;
  static final float E5 = 0.00836874544620514f;
  static final float E6 = 0.001381453825160861f;

  /** From here on erf is 1 in F32. */
  static final float ERF_MAX = 3.925f;

  // erf(z) = z · P(z²) / Q(z²) on |z| ≤ ERF_MAX; least maximum of the relative error (2e-8).
  static final float P0 = 1.1283791065216064f;
  static final float P1 = 0.190593883395195f;
  static final float P2 = 0.052769314497709274f;
  static final float P3 = 0.003772555850446224f;
  static final float P4 = 0.0002848436706699431f;
  static final float P5 = 2.0460265659494326e-06f;
  static final float Q1 = 0.5022421479225159f;
  static final float Q2 = 0.11418277770280838f;
  static final float Q3 = 0.014983209781348705f;
  static final float Q4 = 0.0011638591531664133f;
  static final float Q5 = 3.804777225013822e-05f;

  static final float SQRT_HALF = 0.70710678f;

  private ScalarMath() {}

  /** e to the x, within 1 ulp; 0 below {@link #EXP_MIN}. */
  static float exp(float x) {
    float clamped = x > EXP_MAX ? EXP_MAX : x;
    float rounded = Math.fma(clamped, LOG2_E, ROUND);
    float n = rounded - ROUND;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, clamped));
    float p = Math.fma(E6, r, E5);
    p = Math.fma(p, r, E4);
    p = Math.fma(p, r, E3);
    p = Math.fma(p, r, E2);
    float y = Math.fma(p, r * r, r) + 1;
    // ROUND's own bits leave at the top: what stays is n in the place of the exponent.
    float scaled =
        Float.intBitsToFloat(Float.floatToRawIntBits(y) + (Float.floatToRawIntBits(rounded) << 23));
    return x < EXP_MIN ? 0 : scaled;
  }

  static float silu(float x) {
    return x / (1 + exp(-x));
  }

  static float erf(float x) {
    float u = x * x;
    float p = Math.fma(P5, u, P4);
    p = Math.fma(p, u, P3);
    p = Math.fma(p, u, P2);
    p = Math.fma(p, u, P1);
    p = Math.fma(p, u, P0);
    float q = Math.fma(Q5, u, Q4);
    q = Math.fma(q, u, Q3);
    q = Math.fma(q, u, Q2);
    q = Math.fma(q, u, Q1);
    q = Math.fma(q, u, 1);
    float y = x * p / q;
    return x > ERF_MAX ? 1 : x < -ERF_MAX ? -1 : y;
  }

  static float gelu(float x) {
    return x * 0.5f * (1 + erf(x * SQRT_HALF));
  }
}
