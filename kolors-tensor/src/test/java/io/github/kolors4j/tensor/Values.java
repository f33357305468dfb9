package io.github.kolors4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;

/** Inputs with constant seeds, and the comparison that all tests use. */
public final class Values {
  /** Largest relative error of one F32 rounding. */
  public static final double EPS = 0x1p-24;

  private Values() {}

  /** Values in [−1, 1), of an algorithm that the JDK specifies. */
  public static float[] random(long seed, int n) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return values;
  }

  /** A weight of random values, stored in a type. */
  public static Weight weight(long seed, DType dtype, int... dims) {
    Shape shape = Shape.of(dims);
    return weight("w" + seed, shape, dtype, random(seed, shape.size()));
  }

  /** An F32 weight of random values. */
  public static Weight weight(long seed, int... dims) {
    return weight(seed, DType.F32, dims);
  }

  /** A weight of given values, rounded to a type. */
  public static Weight weight(String name, Shape shape, DType dtype, float... values) {
    byte[] bytes = new byte[values.length * dtype.bytes()];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    var shorts = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    var floats = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      switch (dtype) {
        case F32 -> segment.set(floats, 4L * i, values[i]);
        case F16 -> segment.set(shorts, 2L * i, Float.floatToFloat16(values[i]));
        case BF16 ->
            segment.set(shorts, 2L * i, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
      }
    }
    return new StoredWeight(name, shape, dtype, segment);
  }

  /** Fails where the values differ by more than the tolerance, and where either is NaN. */
  public static void assertClose(double expected, double actual, double tolerance, String where) {
    double difference = Math.abs(actual - expected);
    if (!(difference <= tolerance)) {
      throw new AssertionError(
          "%s: expected %s but was %s, off by %s, more than %s"
              .formatted(where, expected, actual, difference, tolerance));
    }
  }

  /** The same at an index, for loops over so many values that the text would take the time. */
  public static void assertClose(
      double expected, double actual, double tolerance, Object what, int at) {
    if (!(Math.abs(actual - expected) <= tolerance)) {
      assertClose(expected, actual, tolerance, what + " at " + at);
    }
  }

  /** Fails where the bits differ; any NaN equals any other. */
  public static void assertSameBits(float expected, float actual, String where) {
    if (Float.floatToIntBits(expected) != Float.floatToIntBits(actual)) {
      throw new AssertionError("%s: expected %s but was %s".formatted(where, expected, actual));
    }
  }
}
