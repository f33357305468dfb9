package io.github.kolors4j.tensor.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * How far our elementary functions are from the exact ones. The vector kernels give the same bits,
 * so once is enough.
 */
@Tag("once")
class ScalarMathTest {
  private static final int SAMPLES = 1_000_000;

  /** A function of an F32 value. */
  private interface Function {
    float of(float x);
  }

  /** Largest error in units of the last place of the exact result. */
  private static double ulps(float from, float to, Function function, DoubleUnaryOperator exact) {
    double worst = 0;
    for (int i = 0; i <= SAMPLES; i++) {
      float x = (float) (from + (to - (double) from) * i / SAMPLES);
      double expected = exact.applyAsDouble(x);
      double error = Math.abs(function.of(x) - expected) / Math.ulp((float) expected);
      assertTrue(!Double.isNaN(error), "NaN at " + x);
      worst = Math.max(worst, error);
    }
    return worst;
  }

  private static void assertUlps(double bound, double measured) {
    assertTrue(measured <= bound, measured + " ulp, more than " + bound);
  }

  @Test
  void expIsWithinOneUlp() {
    assertUlps(1, ulps(-86.5f, 88f, ScalarMath::exp, Math::exp));
    assertUlps(1, ulps(-1f, 1f, ScalarMath::exp, Math::exp));
    assertUlps(1, ulps(-1e-6f, 1e-6f, ScalarMath::exp, Math::exp));
  }

  @Test
  void expIsExactAtZeroAndClampedAtItsEnds() {
    assertEquals(1f, ScalarMath.exp(0f));
    assertEquals(1f, ScalarMath.exp(-0f));
    assertEquals(1f, ScalarMath.exp(Float.MIN_VALUE));
    assertEquals(0f, ScalarMath.exp(Float.NEGATIVE_INFINITY));
    assertEquals(0f, ScalarMath.exp(-Float.MAX_VALUE));
    assertEquals(0f, ScalarMath.exp(Math.nextDown(ScalarMath.EXP_MIN)));
    assertTrue(ScalarMath.exp(ScalarMath.EXP_MIN) >= Float.MIN_NORMAL);
    assertEquals(ScalarMath.exp(88f), ScalarMath.exp(Float.POSITIVE_INFINITY));
    assertEquals(ScalarMath.exp(88f), ScalarMath.exp(Float.MAX_VALUE));
    assertTrue(Float.isFinite(ScalarMath.exp(88f)));
    assertTrue(Float.isNaN(ScalarMath.exp(Float.NaN)));
  }

  @Test
  void expNeverFallsAsItsArgumentRises() {
    float last = 0;
    for (int i = 0; i <= SAMPLES; i++) {
      float e = ScalarMath.exp(-87 + 176f * i / SAMPLES);
      // Two neighbours may both be an ulp off, in opposite ways.
      assertTrue(e >= Math.nextDown(last), "at " + i);
      last = e;
    }
  }

  @Test
  void siluIsWithinThreeUlp() {
    assertUlps(3, ulps(-80f, 80f, ScalarMath::silu, x -> x / (1 + Math.exp(-x))));
    assertUlps(3, ulps(-4f, 4f, ScalarMath::silu, x -> x / (1 + Math.exp(-x))));
    assertEquals(0f, ScalarMath.silu(0f));
    assertTrue(Float.isNaN(ScalarMath.silu(Float.NaN)));
    assertEquals(Float.POSITIVE_INFINITY, ScalarMath.silu(Float.POSITIVE_INFINITY));
    assertEquals(0, ScalarMath.silu(-200f), 1e-35);
  }

  @Test
  void erfIsWithinSixUlpAndOneBeyondItsEnd() {
    assertUlps(6, ulps(-3.925f, 3.925f, ScalarMath::erf, Erf::of));
    assertUlps(6, ulps(-0.01f, 0.01f, ScalarMath::erf, Erf::of));
    assertEquals(1, ScalarMath.erf(5f), 0x1p-23);
    assertEquals(-1, ScalarMath.erf(Float.NEGATIVE_INFINITY), 0x1p-23);
    assertTrue(Float.isNaN(ScalarMath.erf(Float.NaN)));
  }

  @Test
  void geluIsWithinFourRoundingsOfItsArgument() {
    double worst = 0;
    for (int i = 0; i <= SAMPLES; i++) {
      float x = -12 + 24f * i / SAMPLES;
      double expected = x * 0.5 * (1 + Erf.of(x * Math.sqrt(0.5)));
      worst = Math.max(worst, Math.abs(ScalarMath.gelu(x) - expected) / Math.abs(x + 1e-30));
    }
    assertUlps(2, worst * 0x1p23);
  }
}
