package io.github.kolors4j.tensor.kernel;

import static io.github.kolors4j.tensor.kernel.VectorWidth.BYTES;
import static io.github.kolors4j.tensor.kernel.VectorWidth.FLOATS;
import static io.github.kolors4j.tensor.kernel.VectorWidth.INTS;
import static io.github.kolors4j.tensor.kernel.VectorWidth.LANES;
import static io.github.kolors4j.tensor.kernel.VectorWidth.floats;
import static io.github.kolors4j.tensor.kernel.VectorWidth.ints;
import static io.github.kolors4j.tensor.kernel.VectorWidth.load;
import static io.github.kolors4j.tensor.kernel.VectorWidth.loadBytes;
import static io.github.kolors4j.tensor.kernel.VectorWidth.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The kernels on the JDK's Vector API: a vector body and a scalar tail that does the same
 * operations, so that a value does not depend on where in the range it stands.
 */
public final class VectorKernels implements Kernels {
  private static final VectorSpecies<Float> QUAD = FloatVector.SPECIES_128;
  private static final VectorShuffle<Float> SWAP_VALUES =
      VectorShuffle.fromValues(QUAD, 1, 0, 3, 2);
  private static final VectorShuffle<Float> SWAP_PAIRS = VectorShuffle.fromValues(QUAD, 2, 3, 0, 1);
  private static final VectorMask<Float> ODD_VALUES = VectorMask.fromLong(QUAD, 0b1010);
  private static final VectorMask<Float> ODD_PAIRS = VectorMask.fromLong(QUAD, 0b1100);

  /**
   * For what is left of a range after the last whole vector. Group norm's kernels and Winograd's
   * transforms have tails of their own: with these, they took up to 1.4 times as long where
   * channels leave a tail (35 and 40 channels, 512 bits, Zen 5, a busy machine).
   */
  private static final ScalarKernels TAIL = new ScalarKernels();

  /** Halves of bytes that are decoded at a time. */
  private static final int NIBBLES = Math.max(8, LANES);

  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** How far the halves of a word's bytes are from its top. */
  private static final int[] FROM_TOP = {24, 28, 16, 20, 8, 12, 0, 4};

  private static final IntVector TO_TOP = toTop(0);
  private static final IntVector TO_TOP_SECOND = toTop(4);

  /** What the halves of bytes are, in the order of their bits. */
  private static final float[] HALVES = {0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1};

  /** Asked once: the JVM takes a microsecond to answer. */
  private static final boolean MANY_REGISTERS = Cpu.vectorRegisters() == 32;

  private static final MicroKernel TILE = MANY_REGISTERS ? new Tile6x4() : new Tile5x2();

  private static IntVector toTop(int first) {
    int[] shifts = new int[LANES];
    for (int i = 0; i < LANES; i++) {
      shifts[i] = FROM_TOP[(first + i) % FROM_TOP.length];
    }
    return IntVector.fromArray(INTS, shifts, 0);
  }

  @Override
  public String description() {
    return "vector " + FLOATS.vectorBitSize() + "-bit";
  }

  @Override
  public MicroKernel microKernel() {
    return TILE;
  }

  @Override
  public void transpose(float[] x, int xo, int ldx, int rows, int kc, float[] y, int yo, int ldy) {
    // Blocks of 4 × 4: neighbours exchange single values, then pairs. At any machine's width the
    // vectors are of 128 bits: 4 to 5 values a nanosecond on Emerald Rapids, where zips of two
    // vectors give 2.2; they gave 4.6 on Zen 4, where value by value gives 1.6 and gathering 2.3.
    int bound = kc - kc % 4;
    int rowBound = rows - rows % 4;
    for (int k = 0; k < bound; k += 4) {
      for (int i = 0, at = xo + k, to = yo + k * ldy;
          i < rowBound;
          i += 4, at += 4 * ldx, to += 4) {
        FloatVector r0 = FloatVector.fromArray(QUAD, x, at);
        FloatVector r1 = FloatVector.fromArray(QUAD, x, at + ldx);
        FloatVector r2 = FloatVector.fromArray(QUAD, x, at + 2 * ldx);
        FloatVector r3 = FloatVector.fromArray(QUAD, x, at + 3 * ldx);
        FloatVector s0 = r0.blend(r1.rearrange(SWAP_VALUES), ODD_VALUES);
        FloatVector s1 = r0.rearrange(SWAP_VALUES).blend(r1, ODD_VALUES);
        FloatVector s2 = r2.blend(r3.rearrange(SWAP_VALUES), ODD_VALUES);
        FloatVector s3 = r2.rearrange(SWAP_VALUES).blend(r3, ODD_VALUES);
        s0.blend(s2.rearrange(SWAP_PAIRS), ODD_PAIRS).intoArray(y, to);
        s1.blend(s3.rearrange(SWAP_PAIRS), ODD_PAIRS).intoArray(y, to + ldy);
        s0.rearrange(SWAP_PAIRS).blend(s2, ODD_PAIRS).intoArray(y, to + 2 * ldy);
        s1.rearrange(SWAP_PAIRS).blend(s3, ODD_PAIRS).intoArray(y, to + 3 * ldy);
      }
    }
    TAIL.transpose(x, xo + bound, ldx, rowBound, kc - bound, y, yo + bound * ldy, ldy);
    TAIL.transpose(x, xo + rowBound * ldx, ldx, rows - rowBound, kc, y, yo + rowBound, ldy);
  }

  @Override
  public void addRows(
      float[] factors, int fo, int count, float[] rows, int ro, int ld, float[] y, int yo, int n) {
    int j = 0;
    // four chains at a time hide a good part of the latency of one
    for (; j <= n - 4 * LANES; j += 4 * LANES) {
      FloatVector s0 = load(y, yo + j);
      FloatVector s1 = load(y, yo + j + LANES);
      FloatVector s2 = load(y, yo + j + 2 * LANES);
      FloatVector s3 = load(y, yo + j + 3 * LANES);
      for (int k = 0; k < count; k++) {
        FloatVector factor = FloatVector.broadcast(FLOATS, factors[fo + k]);
        int row = ro + k * ld + j;
        s0 = factor.fma(load(rows, row), s0);
        s1 = factor.fma(load(rows, row + LANES), s1);
        s2 = factor.fma(load(rows, row + 2 * LANES), s2);
        s3 = factor.fma(load(rows, row + 3 * LANES), s3);
      }
      s0.intoArray(y, yo + j);
      s1.intoArray(y, yo + j + LANES);
      s2.intoArray(y, yo + j + 2 * LANES);
      s3.intoArray(y, yo + j + 3 * LANES);
    }
    for (; j < FLOATS.loopBound(n); j += LANES) {
      FloatVector sum = load(y, yo + j);
      for (int k = 0; k < count; k++) {
        FloatVector factor = FloatVector.broadcast(FLOATS, factors[fo + k]);
        sum = factor.fma(load(rows, ro + k * ld + j), sum);
      }
      sum.intoArray(y, yo + j);
    }
    TAIL.addRows(factors, fo, count, rows, ro + j, ld, y, yo + j, n - j);
  }

  @Override
  public void addProduct(
      float[] a,
      int ao,
      int rows,
      int depth,
      float[] b,
      int bo,
      float[] y,
      int yo,
      int ldy,
      int n) {
    int width = MANY_REGISTERS ? 4 * LANES : 2 * LANES;
    int bound = n - n % width;
    int rowBound = rows - rows % 4;
    // Four rows at a time read b a quarter as often, and many chains hide the latency of one. The
    // panel stays in L1 meanwhile. Six rows are more than C2 inlines here.
    for (int j = 0; j < bound; j += width) {
      for (int i = 0; i < rowBound; i += 4) {
        if (MANY_REGISTERS) {
          addWideTile(a, ao + i * depth, depth, b, bo + j, y, yo + i * ldy + j, ldy);
        } else {
          addTile(a, ao + i * depth, depth, b, bo + j, y, yo + i * ldy + j, ldy);
        }
      }
    }
    for (int i = rowBound; i < rows; i++) {
      addRows(a, ao + i * depth, depth, b, bo, PANEL, y, yo + i * ldy, bound);
    }
    if (bound < n) { // calls for no columns would be as many as rows, and take as long as tiles
      for (int i = 0; i < rows; i++) {
        int from = yo + i * ldy + bound;
        addRows(a, ao + i * depth, depth, b, bo + bound, PANEL, y, from, n - bound);
      }
    }
  }

  private static void addTile(
      float[] a, int ao, int depth, float[] b, int bo, float[] y, int yo, int ldy) {
    int a1 = ao + depth;
    int a2 = a1 + depth;
    int a3 = a2 + depth;
    int y1 = yo + ldy;
    int y2 = y1 + ldy;
    int y3 = y2 + ldy;
    FloatVector s00 = load(y, yo);
    FloatVector s01 = load(y, yo + LANES);
    FloatVector s10 = load(y, y1);
    FloatVector s11 = load(y, y1 + LANES);
    FloatVector s20 = load(y, y2);
    FloatVector s21 = load(y, y2 + LANES);
    FloatVector s30 = load(y, y3);
    FloatVector s31 = load(y, y3 + LANES);
    for (int k = 0; k < depth; k++) {
      int at = bo + k * PANEL;
      FloatVector b0 = load(b, at);
      FloatVector b1 = load(b, at + LANES);
      FloatVector f0 = FloatVector.broadcast(FLOATS, a[ao + k]);
      s00 = f0.fma(b0, s00);
      s01 = f0.fma(b1, s01);
      FloatVector f1 = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s10 = f1.fma(b0, s10);
      s11 = f1.fma(b1, s11);
      FloatVector f2 = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s20 = f2.fma(b0, s20);
      s21 = f2.fma(b1, s21);
      FloatVector f3 = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s30 = f3.fma(b0, s30);
      s31 = f3.fma(b1, s31);
    }
    s00.intoArray(y, yo);
    s01.intoArray(y, yo + LANES);
    s10.intoArray(y, y1);
    s11.intoArray(y, y1 + LANES);
    s20.intoArray(y, y2);
    s21.intoArray(y, y2 + LANES);
    s30.intoArray(y, y3);
    s31.intoArray(y, y3 + LANES);
  }

  /** Four vectors at a time, where there are 32 registers. */
  private static void addWideTile(
      float[] a, int ao, int depth, float[] b, int bo, float[] y, int yo, int ldy) {
    int a1 = ao + depth;
    int a2 = a1 + depth;
    int a3 = a2 + depth;
    int y1 = yo + ldy;
    int y2 = y1 + ldy;
    int y3 = y2 + ldy;
    FloatVector s00 = load(y, yo);
    FloatVector s01 = load(y, yo + LANES);
    FloatVector s02 = load(y, yo + 2 * LANES);
    FloatVector s03 = load(y, yo + 3 * LANES);
    FloatVector s10 = load(y, y1);
    FloatVector s11 = load(y, y1 + LANES);
    FloatVector s12 = load(y, y1 + 2 * LANES);
    FloatVector s13 = load(y, y1 + 3 * LANES);
    FloatVector s20 = load(y, y2);
    FloatVector s21 = load(y, y2 + LANES);
    FloatVector s22 = load(y, y2 + 2 * LANES);
    FloatVector s23 = load(y, y2 + 3 * LANES);
    FloatVector s30 = load(y, y3);
    FloatVector s31 = load(y, y3 + LANES);
    FloatVector s32 = load(y, y3 + 2 * LANES);
    FloatVector s33 = load(y, y3 + 3 * LANES);
    for (int k = 0; k < depth; k++) {
      int at = bo + k * PANEL;
      FloatVector b0 = load(b, at);
      FloatVector b1 = load(b, at + LANES);
      FloatVector b2 = load(b, at + 2 * LANES);
      FloatVector b3 = load(b, at + 3 * LANES);
      FloatVector f0 = FloatVector.broadcast(FLOATS, a[ao + k]);
      s00 = f0.fma(b0, s00);
      s01 = f0.fma(b1, s01);
      s02 = f0.fma(b2, s02);
      s03 = f0.fma(b3, s03);
      FloatVector f1 = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s10 = f1.fma(b0, s10);
      s11 = f1.fma(b1, s11);
      s12 = f1.fma(b2, s12);
      s13 = f1.fma(b3, s13);
      FloatVector f2 = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s20 = f2.fma(b0, s20);
      s21 = f2.fma(b1, s21);
      s22 = f2.fma(b2, s22);
      s23 = f2.fma(b3, s23);
      FloatVector f3 = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s30 = f3.fma(b0, s30);
      s31 = f3.fma(b1, s31);
      s32 = f3.fma(b2, s32);
      s33 = f3.fma(b3, s33);
    }
    s00.intoArray(y, yo);
    s01.intoArray(y, yo + LANES);
    s02.intoArray(y, yo + 2 * LANES);
    s03.intoArray(y, yo + 3 * LANES);
    s10.intoArray(y, y1);
    s11.intoArray(y, y1 + LANES);
    s12.intoArray(y, y1 + 2 * LANES);
    s13.intoArray(y, y1 + 3 * LANES);
    s20.intoArray(y, y2);
    s21.intoArray(y, y2 + LANES);
    s22.intoArray(y, y2 + 2 * LANES);
    s23.intoArray(y, y2 + 3 * LANES);
    s30.intoArray(y, y3);
    s31.intoArray(y, y3 + LANES);
    s32.intoArray(y, y3 + 2 * LANES);
    s33.intoArray(y, y3 + 3 * LANES);
  }

  @Override
  public void add(float[] x, int xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      load(y, yo + i).add(load(x, xo + i)).intoArray(y, yo + i);
    }
    TAIL.add(x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void multiply(float[] x, int xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      load(y, yo + i).mul(load(x, xo + i)).intoArray(y, yo + i);
    }
    TAIL.multiply(x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void scale(float factor, float[] x, int xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      load(x, xo + i).mul(factor).intoArray(y, yo + i);
    }
    TAIL.scale(factor, x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void scaleBytes(float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < BYTES.loopBound(n); i += BYTES.length()) {
      ByteVector bytes = loadBytes(x, xo + i);
      floats(bytes, 0).mul(factor).intoArray(y, yo + i);
      if (BYTES.length() > LANES) {
        floats(bytes, 1).mul(factor).intoArray(y, yo + i + LANES);
      }
    }
    TAIL.scaleBytes(factor, x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void scaleGroups(
      MemorySegment factors, long fo, int groups, MemorySegment x, long xo, float[] y, int yo) {
    // The inner loop has a constant length, so that C2 unrolls it: twice as fast as one over any
    // group, and three times as fast as a call for each (4 to 7 values a nanosecond, Zen 5).
    for (int g = 0; g < groups; g++) {
      float factor = Float.float16ToFloat(factors.get(ScalarKernels.F16, fo + 2L * g));
      for (int i = 0; i < GROUP; i += BYTES.length()) {
        ByteVector bytes = loadBytes(x, xo + (long) g * GROUP + i);
        int at = yo + g * GROUP + i;
        floats(bytes, 0).mul(factor).intoArray(y, at);
        if (BYTES.length() > LANES) {
          floats(bytes, 1).mul(factor).intoArray(y, at + LANES);
        }
      }
    }
  }

  /** The least normal number of F16. */
  private static final float LEAST_NORMAL = 0x1p-14f;

  /** 128 times this is a number of F16. */
  private static final float MOST_FACTOR = 256;

  /** Whether all products with whole numbers of 8 bits are normal numbers of F16, or zero. */
  private static boolean isNormal(float factor) {
    float size = Math.abs(factor);
    return size >= LEAST_NORMAL && size <= MOST_FACTOR;
  }

  @Override
  public void scaleBytesToF16(float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    if (!isNormal(factor)) {
      TAIL.scaleBytesToF16(factor, x, xo, y, yo, n);
      return;
    }
    int i = 0;
    for (; i < BYTES.loopBound(n); i += BYTES.length()) {
      ByteVector bytes = loadBytes(x, xo + i);
      VectorMath.toF16(floats(bytes, 0).mul(factor)).intoArray(y, yo + i);
      if (BYTES.length() > LANES) {
        VectorMath.toF16(floats(bytes, 1).mul(factor)).intoArray(y, yo + i + LANES);
      }
    }
    TAIL.scaleBytesToF16(factor, x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void scaleNibblesToF16(float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    if (!isNormal(factor)) {
      TAIL.scaleNibblesToF16(factor, x, xo, y, yo, n);
      return;
    }
    int head = (int) Math.min(n, xo & 1);
    if (head > 0) {
      TAIL.scaleNibblesToF16(factor, x, xo, y, yo, head);
    }
    long first = (xo + head) >> 1;
    int whole = (n - head) / NIBBLES * NIBBLES;
    if (LANES == HALVES.length) {
      selectNibbles(factor, x, first, y, yo + head, whole);
    } else {
      shiftNibbles(factor, x, first, y, yo + head, whole);
    }
    int i = head + whole;
    if (i < n) {
      TAIL.scaleNibblesToF16(factor, x, xo + i, y, yo + i, n - i);
    }
  }

  /** A vector has a lane for each of the sixteen values: they are computed once, and chosen. */
  private static void selectNibbles(
      float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    IntVector values =
        VectorMath.toF16(FloatVector.fromArray(FLOATS, HALVES, 0).mul(factor)).reinterpretAsInts();
    for (int i = 0; i < n; i += LANES) {
      LongVector bytes = VectorWidth.longs(x, xo + (i >> 1));
      // a long has two lanes: the upper half of its byte goes to the first, the lower to the second
      IntVector halves =
          bytes
              .lanewise(VectorOperators.LSHR, 4)
              .or(bytes.lanewise(VectorOperators.LSHL, 32))
              .reinterpretAsInts();
      halves.selectFrom(values).reinterpretAsFloats().intoArray(y, yo + i);
    }
  }

  /** Eight halves in an int: each is shifted to the top, and back with its sign. */
  private static void shiftNibbles(
      float factor, MemorySegment x, long xo, float[] y, int yo, int n) {
    for (int i = 0; i < n; i += NIBBLES) {
      IntVector word = IntVector.broadcast(INTS, x.get(WORD, xo + (i >> 1)));
      VectorMath.toF16(VectorMath.nibbles(word, TO_TOP).mul(factor)).intoArray(y, yo + i);
      if (LANES == 4) {
        VectorMath.toF16(VectorMath.nibbles(word, TO_TOP_SECOND).mul(factor))
            .intoArray(y, yo + i + LANES);
      }
    }
  }

  @Override
  public void float8(MemorySegment x, long xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < BYTES.loopBound(n); i += BYTES.length()) {
      ByteVector bytes = loadBytes(x, xo + i);
      VectorMath.float8(ints(bytes, 0)).intoArray(y, yo + i);
      if (BYTES.length() > LANES) {
        VectorMath.float8(ints(bytes, 1)).intoArray(y, yo + i + LANES);
      }
    }
    TAIL.float8(x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void silu(float[] x, int xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      VectorMath.silu(load(x, xo + i)).intoArray(y, yo + i);
    }
    TAIL.silu(x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void gelu(float[] x, int xo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      VectorMath.gelu(load(x, xo + i)).intoArray(y, yo + i);
    }
    TAIL.gelu(x, xo + i, y, yo + i, n - i);
  }

  @Override
  public void scaleShift(
      float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      load(x, xo + i).fma(load(scale, so + i), load(shift, ho + i)).intoArray(y, yo + i);
    }
    for (; i < n; i++) {
      y[yo + i] = Math.fma(x[xo + i], scale[so + i], shift[ho + i]);
    }
  }

  @Override
  public void scaleShiftSilu(
      float[] x, int xo, float[] scale, int so, float[] shift, int ho, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      FloatVector v = load(x, xo + i).fma(load(scale, so + i), load(shift, ho + i));
      VectorMath.silu(v).intoArray(y, yo + i);
    }
    for (; i < n; i++) {
      y[yo + i] = ScalarMath.silu(Math.fma(x[xo + i], scale[so + i], shift[ho + i]));
    }
  }

  @Override
  public void columnSums(float[] x, int xo, int ldx, int rows, float[] sums, int so, int n) {
    int bound = FLOATS.loopBound(n);
    for (int j = 0; j < bound; j += LANES) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = 0, at = xo + j; i < rows; i++, at += ldx) {
        sum = sum.add(load(x, at));
      }
      sum.intoArray(sums, so + j);
    }
    for (int j = bound; j < n; j++) {
      float sum = 0;
      for (int i = 0, at = xo + j; i < rows; i++, at += ldx) {
        sum += x[at];
      }
      sums[so + j] = sum;
    }
  }

  @Override
  public void columnDeviations(
      float[] x, int xo, int ldx, int rows, float[] mean, int mo, float[] sums, int so, int n) {
    int bound = FLOATS.loopBound(n);
    for (int j = 0; j < bound; j += LANES) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = 0, at = xo + j; i < rows; i++, at += ldx) {
        FloatVector d = load(x, at).sub(load(mean, mo + j));
        sum = d.fma(d, sum);
      }
      sum.intoArray(sums, so + j);
    }
    for (int j = bound; j < n; j++) {
      float sum = 0;
      for (int i = 0, at = xo + j; i < rows; i++, at += ldx) {
        float d = x[at] - mean[mo + j];
        sum = Math.fma(d, d, sum);
      }
      sums[so + j] = sum;
    }
  }

  @Override
  public double sum(float[] x, int xo, int n, float[] sums) {
    int bound = n - n % Kernels.SUM_LANES;
    for (int lane = 0; lane < Kernels.SUM_LANES; lane += LANES) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = lane; i < bound; i += Kernels.SUM_LANES) {
        sum = sum.add(load(x, xo + i));
      }
      sum.intoArray(sums, lane);
    }
    for (int i = bound; i < n; i++) {
      sums[i - bound] += x[xo + i];
    }
    return ScalarKernels.total(sums);
  }

  @Override
  public double deviation(float[] x, int xo, float mean, int n, float[] sums) {
    int bound = n - n % Kernels.SUM_LANES;
    for (int lane = 0; lane < Kernels.SUM_LANES; lane += LANES) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = lane; i < bound; i += Kernels.SUM_LANES) {
        FloatVector d = load(x, xo + i).sub(mean);
        sum = d.fma(d, sum);
      }
      sum.intoArray(sums, lane);
    }
    for (int i = bound; i < n; i++) {
      float d = x[xo + i] - mean;
      sums[i - bound] = Math.fma(d, d, sums[i - bound]);
    }
    return ScalarKernels.total(sums);
  }

  @Override
  public void normalize(
      float[] x,
      int xo,
      float mean,
      float inverse,
      float[] scale,
      float[] shift,
      float[] y,
      int yo,
      int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      FloatVector v = load(x, xo + i).sub(mean).mul(inverse);
      v.fma(load(scale, i), load(shift, i)).intoArray(y, yo + i);
    }
    for (; i < n; i++) {
      y[yo + i] = Math.fma((x[xo + i] - mean) * inverse, scale[i], shift[i]);
    }
  }

  @Override
  public void rmsNormalize(
      float[] x, int xo, float inverse, float[] scale, float[] y, int yo, int n) {
    int i = 0;
    for (; i < FLOATS.loopBound(n); i += LANES) {
      load(x, xo + i).mul(inverse).mul(load(scale, i)).intoArray(y, yo + i);
    }
    for (; i < n; i++) {
      y[yo + i] = x[xo + i] * inverse * scale[i];
    }
  }

  @Override
  public void softmaxBlock(
      float[] s,
      int keys,
      int n,
      float[] max,
      float[] sum,
      int mo,
      float[] correction,
      MemorySegment p) {
    // Three short loops: C2 keeps fewer vectors in registers when they are one (1.8 instead of 3
    // values a nanosecond on Zen 4).
    columnMaxima(s, keys, n, max, mo, correction);
    for (int j = 0; j < n; j++) {
      float old = max[mo + j];
      max[mo + j] = correction[j];
      correction[j] = ScalarMath.exp(old - correction[j]);
    }
    exponentials(s, keys, n, max, sum, mo, correction, p);
  }

  private static void columnMaxima(float[] s, int keys, int n, float[] first, int fo, float[] max) {
    for (int j = 0; j < n; j += LANES) {
      FloatVector m = load(first, fo + j);
      for (int i = 0, at = j; i < keys; i++, at += n) {
        FloatVector v = load(s, at);
        m = m.blend(v, v.compare(VectorOperators.GT, m));
      }
      m.intoArray(max, j);
    }
  }

  private static void exponentials(
      float[] s,
      int keys,
      int n,
      float[] max,
      float[] sum,
      int mo,
      float[] correction,
      MemorySegment p) {
    for (int j = 0; j < n; j += LANES) {
      FloatVector m = load(max, mo + j);
      FloatVector total = FloatVector.zero(FLOATS);
      for (int i = 0, at = j; i < keys; i++, at += n) {
        FloatVector weight = VectorMath.expNegative(load(s, at).sub(m));
        store(weight, p, Float.BYTES * (long) at);
        total = total.add(weight);
      }
      load(sum, mo + j).fma(load(correction, j), total).intoArray(sum, mo + j);
    }
  }

  @Override
  public void scaleColumns(float[] x, int xo, int rows, int n, float[] factors) {
    for (int j = 0; j < n; j += LANES) {
      FloatVector factor = load(factors, j);
      for (int i = 0, at = xo + j; i < rows; i++, at += n) {
        load(x, at).mul(factor).intoArray(x, at);
      }
    }
  }

  @Override
  public void winogradInput(float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n) {
    int bound = FLOATS.loopBound(n);
    for (int i = 0; i < bound; i += LANES) {
      FloatVector x0 = load(x, xo + i);
      FloatVector x1 = load(x, xo + i + ldx);
      FloatVector x2 = load(x, xo + i + 2 * ldx);
      FloatVector x3 = load(x, xo + i + 3 * ldx);
      FloatVector x4 = load(x, xo + i + 4 * ldx);
      FloatVector x5 = load(x, xo + i + 5 * ldx);
      FloatVector p = x2.fma(FloatVector.broadcast(FLOATS, -4f), x4);
      FloatVector q = x1.fma(FloatVector.broadcast(FLOATS, -4f), x3);
      FloatVector r = x4.sub(x2);
      FloatVector t = x3.sub(x1);
      FloatVector u = x2.fma(FloatVector.broadcast(FLOATS, -5f), x4);
      FloatVector v = x3.fma(FloatVector.broadcast(FLOATS, -5f), x5);
      x0.fma(FloatVector.broadcast(FLOATS, 4f), u).intoArray(y, yo + i);
      p.add(q).intoArray(y, yo + i + ldy);
      p.sub(q).intoArray(y, yo + i + 2 * ldy);
      t.fma(FloatVector.broadcast(FLOATS, 2f), r).intoArray(y, yo + i + 3 * ldy);
      t.fma(FloatVector.broadcast(FLOATS, -2f), r).intoArray(y, yo + i + 4 * ldy);
      x1.fma(FloatVector.broadcast(FLOATS, 4f), v).intoArray(y, yo + i + 5 * ldy);
    }
    for (int i = bound; i < n; i++) {
      float x0 = x[xo + i];
      float x1 = x[xo + i + ldx];
      float x2 = x[xo + i + 2 * ldx];
      float x3 = x[xo + i + 3 * ldx];
      float x4 = x[xo + i + 4 * ldx];
      float x5 = x[xo + i + 5 * ldx];
      float p = Math.fma(-4f, x2, x4);
      float q = Math.fma(-4f, x1, x3);
      float r = x4 - x2;
      float t = x3 - x1;
      float u = Math.fma(-5f, x2, x4);
      float v = Math.fma(-5f, x3, x5);
      y[yo + i] = Math.fma(4f, x0, u);
      y[yo + i + ldy] = p + q;
      y[yo + i + 2 * ldy] = p - q;
      y[yo + i + 3 * ldy] = Math.fma(2f, t, r);
      y[yo + i + 4 * ldy] = Math.fma(-2f, t, r);
      y[yo + i + 5 * ldy] = Math.fma(4f, x1, v);
    }
  }

  @Override
  public void winogradOutput(float[] x, int xo, int ldx, float[] y, int yo, int ldy, int n) {
    int bound = FLOATS.loopBound(n);
    for (int i = 0; i < bound; i += LANES) {
      FloatVector x0 = load(x, xo + i);
      FloatVector x1 = load(x, xo + i + ldx);
      FloatVector x2 = load(x, xo + i + 2 * ldx);
      FloatVector x3 = load(x, xo + i + 3 * ldx);
      FloatVector x4 = load(x, xo + i + 4 * ldx);
      FloatVector x5 = load(x, xo + i + 5 * ldx);
      FloatVector p = x1.add(x2);
      FloatVector q = x1.sub(x2);
      FloatVector r = x3.add(x4);
      FloatVector t = x3.sub(x4);
      FloatVector u = x0.add(p);
      FloatVector v = q.add(x5);
      u.add(r).intoArray(y, yo + i);
      t.fma(FloatVector.broadcast(FLOATS, 2f), q).intoArray(y, yo + i + ldy);
      r.fma(FloatVector.broadcast(FLOATS, 4f), p).intoArray(y, yo + i + 2 * ldy);
      t.fma(FloatVector.broadcast(FLOATS, 8f), v).intoArray(y, yo + i + 3 * ldy);
    }
    for (int i = bound; i < n; i++) {
      float x0 = x[xo + i];
      float x1 = x[xo + i + ldx];
      float x2 = x[xo + i + 2 * ldx];
      float x3 = x[xo + i + 3 * ldx];
      float x4 = x[xo + i + 4 * ldx];
      float x5 = x[xo + i + 5 * ldx];
      float p = x1 + x2;
      float q = x1 - x2;
      float r = x3 + x4;
      float t = x3 - x4;
      float u = x0 + p;
      float v = q + x5;
      y[yo + i] = u + r;
      y[yo + i + ldy] = Math.fma(2f, t, q);
      y[yo + i + 2 * ldy] = Math.fma(4f, r, p);
      y[yo + i + 3 * ldy] = Math.fma(8f, t, v);
    }
  }

  // Both dimensions in one kernel are more than C2 inlines: the last store then took its vectors as
  // objects, 1.26 GB a U-Net step of 256×256, and in two of seven processes a convolution of
  // 16×16×1,280 took 40 instead of 28 ms.
  @Override
  public void winogradWeightRow(
      int point, float[] g, int go, int channels, int n, float[] y, int yo) {
    float[] powers = ScalarKernels.WINOGRAD_WEIGHT[point];
    FloatVector p0 = FloatVector.broadcast(FLOATS, powers[0]);
    FloatVector p1 = FloatVector.broadcast(FLOATS, powers[1]);
    FloatVector p2 = FloatVector.broadcast(FLOATS, powers[2]);
    FloatVector last = FloatVector.broadcast(FLOATS, powers[3]);
    for (int c = 0; c < channels; c++) {
      int at = go + 9 * c * n;
      int to = yo + 3 * c * n;
      for (int i = 0; i < 3 * n; i += LANES) {
        FloatVector even = load(g, at + i + 6 * n).fma(p2, load(g, at + i).mul(p0));
        load(g, at + i + 3 * n).fma(p1, even).mul(last).intoArray(y, to + i);
      }
    }
  }

  @Override
  public void winogradWeight(
      float[] x, int xo, int channels, int n, MemorySegment u, int uo, int plane) {
    long bytes = Float.BYTES * (long) plane;
    for (int c = 0; c < channels; c++) {
      int at = xo + 3 * c * n;
      long to = Float.BYTES * (uo + (long) c * n);
      for (int i = 0; i < n; i += LANES) {
        FloatVector x0 = load(x, at + i);
        FloatVector x1 = load(x, at + i + n);
        FloatVector x2 = load(x, at + i + 2 * n);
        FloatVector p = x0.add(x2);
        FloatVector q = x2.fma(FloatVector.broadcast(FLOATS, 4f), x0);
        long point = to + Float.BYTES * (long) i;
        store(x0.mul(0.25f), u, point);
        store(p.add(x1).mul(-1 / 6f), u, point + bytes);
        store(p.sub(x1).mul(-1 / 6f), u, point + 2 * bytes);
        store(x1.fma(FloatVector.broadcast(FLOATS, 2f), q).mul(1 / 24f), u, point + 3 * bytes);
        store(x1.fma(FloatVector.broadcast(FLOATS, -2f), q).mul(1 / 24f), u, point + 4 * bytes);
        store(x2, u, point + 5 * bytes);
      }
    }
  }
}
