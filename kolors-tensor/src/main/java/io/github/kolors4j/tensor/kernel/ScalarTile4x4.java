package io.github.kolors4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The tile of the scalar kernels: a row of four independent chains at a time. */
final class ScalarTile4x4 implements MicroKernel {
  private static final int MR = 4;
  private static final int NR = 4;

  @Override
  public int rows() {
    return MR;
  }

  @Override
  public int columns() {
    return NR;
  }

  @Override
  public int lanes() {
    return 1;
  }

  @Override
  public void tile(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc) {
    for (int i = 0; i < MR; i++) {
      row(kc, a, ao + i * LDA, b, bo, c, co + i * ldc);
    }
  }

  private static void row(int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co) {
    float c0 = 0;
    float c1 = 0;
    float c2 = 0;
    float c3 = 0;
    for (int k = 0; k < kc; k++) {
      float x = a[ao + k];
      c0 = Math.fma(x, value(b, bo), c0);
      c1 = Math.fma(x, value(b, bo + 1), c1);
      c2 = Math.fma(x, value(b, bo + 2), c2);
      c3 = Math.fma(x, value(b, bo + 3), c3);
      bo += NR;
    }
    c[co] += c0;
    c[co + 1] += c1;
    c[co + 2] += c2;
    c[co + 3] += c3;
  }

  @Override
  public void narrowTile(
      int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co, int ldc) {
    for (int i = 0; i < MR; i++) {
      narrowRow(kc, a, ao + i * LDA, b, bo, c, co + i * ldc);
    }
  }

  private static void narrowRow(
      int kc, float[] a, int ao, MemorySegment b, int bo, float[] c, int co) {
    float sum = 0;
    for (int k = 0; k < kc; k++) {
      sum = Math.fma(a[ao + k], value(b, bo + k), sum);
    }
    c[co] += sum;
  }

  private static float value(MemorySegment b, int at) {
    return b.getAtIndex(ValueLayout.JAVA_FLOAT, at);
  }
}
