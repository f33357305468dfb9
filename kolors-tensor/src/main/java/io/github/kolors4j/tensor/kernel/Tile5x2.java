package io.github.kolors4j.tensor.kernel;

import static io.github.kolors4j.tensor.kernel.VectorWidth.FLOATS;
import static io.github.kolors4j.tensor.kernel.VectorWidth.LANES;
import static io.github.kolors4j.tensor.kernel.VectorWidth.VECTOR;
import static io.github.kolors4j.tensor.kernel.VectorWidth.load;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The tile for 16 vector registers: 10 accumulators, 2 of B, 1 broadcast. Larger tiles (4 × 3, 6 ×
 * 2, 3 × 4) make C2 spill accumulators in every round and halve the speed.
 */
@SuppressWarnings("NarrowCalculation") // ints on purpose, see VECTOR; a panel is below 2 GB
final class Tile5x2 implements MicroKernel {
  private static final int NR = 2 * LANES;

  @Override
  public int rows() {
    return 5;
  }

  @Override
  public int columns() {
    return NR;
  }

  @Override
  public int lanes() {
    return LANES;
  }

  @Override
  public void tile(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc) {
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c01 = FloatVector.zero(FLOATS);
    FloatVector c10 = FloatVector.zero(FLOATS);
    FloatVector c11 = FloatVector.zero(FLOATS);
    FloatVector c20 = FloatVector.zero(FLOATS);
    FloatVector c21 = FloatVector.zero(FLOATS);
    FloatVector c30 = FloatVector.zero(FLOATS);
    FloatVector c31 = FloatVector.zero(FLOATS);
    FloatVector c40 = FloatVector.zero(FLOATS);
    FloatVector c41 = FloatVector.zero(FLOATS);
    long panel = Float.BYTES * (long) bo;
    for (int k = 0; k < kc; k++) {
      long at = panel + k * (2 * VECTOR);
      FloatVector b0 = load(b, at);
      FloatVector b1 = load(b, at + VECTOR);
      FloatVector x = FloatVector.broadcast(FLOATS, a[ao + k]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(FLOATS, a[ao + k + LDA]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(FLOATS, a[ao + k + 2 * LDA]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(FLOATS, a[ao + k + 3 * LDA]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      x = FloatVector.broadcast(FLOATS, a[ao + k + 4 * LDA]);
      c40 = x.fma(b0, c40);
      c41 = x.fma(b1, c41);
    }
    FloatVector.fromArray(FLOATS, c, co).add(c00).intoArray(c, co);
    FloatVector.fromArray(FLOATS, c, co + LANES).add(c01).intoArray(c, co + LANES);
    FloatVector.fromArray(FLOATS, c, co + ldc).add(c10).intoArray(c, co + ldc);
    FloatVector.fromArray(FLOATS, c, co + ldc + LANES).add(c11).intoArray(c, co + ldc + LANES);
    FloatVector.fromArray(FLOATS, c, co + 2 * ldc).add(c20).intoArray(c, co + 2 * ldc);
    FloatVector.fromArray(FLOATS, c, co + 2 * ldc + LANES)
        .add(c21)
        .intoArray(c, co + 2 * ldc + LANES);
    FloatVector.fromArray(FLOATS, c, co + 3 * ldc).add(c30).intoArray(c, co + 3 * ldc);
    FloatVector.fromArray(FLOATS, c, co + 3 * ldc + LANES)
        .add(c31)
        .intoArray(c, co + 3 * ldc + LANES);
    FloatVector.fromArray(FLOATS, c, co + 4 * ldc).add(c40).intoArray(c, co + 4 * ldc);
    FloatVector.fromArray(FLOATS, c, co + 4 * ldc + LANES)
        .add(c41)
        .intoArray(c, co + 4 * ldc + LANES);
  }

  @Override
  public void narrowTile(
      int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc) {
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c10 = FloatVector.zero(FLOATS);
    FloatVector c20 = FloatVector.zero(FLOATS);
    FloatVector c30 = FloatVector.zero(FLOATS);
    FloatVector c40 = FloatVector.zero(FLOATS);
    long panel = Float.BYTES * (long) bo;
    for (int k = 0; k < kc; k++) {
      long at = panel + k * VECTOR;
      FloatVector b0 = load(b, at);
      FloatVector x = FloatVector.broadcast(FLOATS, a[ao + k]);
      c00 = x.fma(b0, c00);
      x = FloatVector.broadcast(FLOATS, a[ao + k + LDA]);
      c10 = x.fma(b0, c10);
      x = FloatVector.broadcast(FLOATS, a[ao + k + 2 * LDA]);
      c20 = x.fma(b0, c20);
      x = FloatVector.broadcast(FLOATS, a[ao + k + 3 * LDA]);
      c30 = x.fma(b0, c30);
      x = FloatVector.broadcast(FLOATS, a[ao + k + 4 * LDA]);
      c40 = x.fma(b0, c40);
    }
    FloatVector.fromArray(FLOATS, c, co).add(c00).intoArray(c, co);
    FloatVector.fromArray(FLOATS, c, co + ldc).add(c10).intoArray(c, co + ldc);
    FloatVector.fromArray(FLOATS, c, co + 2 * ldc).add(c20).intoArray(c, co + 2 * ldc);
    FloatVector.fromArray(FLOATS, c, co + 3 * ldc).add(c30).intoArray(c, co + 3 * ldc);
    FloatVector.fromArray(FLOATS, c, co + 4 * ldc).add(c40).intoArray(c, co + 4 * ldc);
  }
}
