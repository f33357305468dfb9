package io.github.kolors4j.tensor.kernel;

import static io.github.kolors4j.tensor.kernel.VectorWidth.FLOATS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** {@link ScalarMath} on vectors, the same operations in the same order. */
final class VectorMath {
  private VectorMath() {}

  static FloatVector exp(FloatVector x) {
    return expNegative(
        x.blend(ScalarMath.EXP_MAX, x.compare(VectorOperators.GT, ScalarMath.EXP_MAX)));
  }

  /** {@link #exp} of values up to {@link ScalarMath#EXP_MAX}. */
  static FloatVector expNegative(FloatVector x) {
    FloatVector rounded = x.fma(all(ScalarMath.LOG2_E), all(ScalarMath.ROUND));
    FloatVector n = rounded.sub(ScalarMath.ROUND);
    FloatVector r = n.fma(all(-ScalarMath.LN2_LOW), n.fma(all(-ScalarMath.LN2_HIGH), x));
    FloatVector p = all(ScalarMath.E6).fma(r, all(ScalarMath.E5));
    p = p.fma(r, all(ScalarMath.E4));
    p = p.fma(r, all(ScalarMath.E3));
    p = p.fma(r, all(ScalarMath.E2));
    FloatVector y = p.fma(r.mul(r), r).add(1f);
    IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector scaled = y.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    return scaled.blend(0f, x.compare(VectorOperators.LT, ScalarMath.EXP_MIN));
  }

  static FloatVector silu(FloatVector x) {
    return x.div(exp(x.neg()).add(1f));
  }

  static FloatVector erf(FloatVector x) {
    FloatVector u = x.mul(x);
    FloatVector p = all(ScalarMath.P5).fma(u, all(ScalarMath.P4));
    p = p.fma(u, all(ScalarMath.P3));
    p = p.fma(u, all(ScalarMath.P2));
    p = p.fma(u, all(ScalarMath.P1));
    p = p.fma(u, all(ScalarMath.P0));
    FloatVector q = all(ScalarMath.Q5).fma(u, all(ScalarMath.Q4));
    q = q.fma(u, all(ScalarMath.Q3));
    q = q.fma(u, all(ScalarMath.Q2));
    q = q.fma(u, all(ScalarMath.Q1));
    q = q.fma(u, all(1f));
    FloatVector y = x.mul(p).div(q);
    y = y.blend(1f, x.compare(VectorOperators.GT, ScalarMath.ERF_MAX));
    return y.blend(-1f, x.compare(VectorOperators.LT, -ScalarMath.ERF_MAX));
  }

  static FloatVector gelu(FloatVector x) {
    return x.mul(0.5f).mul(erf(x.mul(ScalarMath.SQRT_HALF)).add(1f));
  }

  /**
   * Rounds normal numbers of F16 to its 11 bits: 2^13 times a value is added to it and taken away
   * again (Veltkamp's splitting). Of products of 11 bits and 8, also those in the middle between
   * two numbers of F16 go where F16's own rounding puts them; a test says so of each one.
   */
  static FloatVector toF16(FloatVector x) {
    FloatVector large = x.mul(0x1p13f + 1);
    return large.sub(large.sub(x));
  }

  /**
   * Halves of bytes with their signs.
   *
   * @param toTop how far each is from the top of its lane
   */
  static FloatVector nibbles(IntVector words, IntVector toTop) {
    IntVector signed =
        words.lanewise(VectorOperators.LSHL, toTop).lanewise(VectorOperators.ASHR, 28);
    return (FloatVector) signed.convertShape(VectorOperators.I2F, FLOATS, 0);
  }

  /**
   * Floats of 8 bits: exponent and fraction in their places of F32, and the exponent with its bias.
   * What has no exponent counts from 2^-7 on then, in half steps; doubled, it counts from 2^-6 on.
   * Of the two it is the smaller one, and for all others it is not; so their bits are compared, as
   * those of floats above zero stand in the order of their values.
   *
   * @param bytes with their signs
   */
  static FloatVector float8(IntVector bytes) {
    IntVector placed = bytes.lanewise(VectorOperators.LSHL, 20).and(FLOAT8_MAGNITUDE);
    FloatVector normal = placed.add(120 << 23).reinterpretAsFloats();
    IntVector small = normal.fma(all(2), all(-0x1p-6f)).reinterpretAsInts();
    IntVector value = small.min(normal.reinterpretAsInts());
    value = value.blend(FLOAT_NAN, placed.eq(FLOAT8_MAGNITUDE));
    return value.or(bytes.and(Integer.MIN_VALUE)).reinterpretAsFloats();
  }

  /** All bits but the sign, from the fraction of F32 on. */
  private static final int FLOAT8_MAGNITUDE = 0x7f << 20;

  private static final int FLOAT_NAN = 0x7fc00000;

  private static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }
}
