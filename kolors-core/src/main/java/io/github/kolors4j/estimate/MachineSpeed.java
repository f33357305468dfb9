package io.github.kolors4j.estimate;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Attention;
import io.github.kolors4j.tensor.ops.Convolution;
import io.github.kolors4j.tensor.ops.MatMul;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;

/**
 * How fast this machine computes what takes the time, in nominal floating-point operations a
 * second.
 *
 * @param products matrix products
 * @param convolutions of 3×3
 * @param attention attention
 */
public record MachineSpeed(double products, double convolutions, double attention) {
  /**
   * Norms, activations and copies on top of the three kinds. By the rates of the kernels in
   * docs/benchmarks.md (Zen 5, 60af0f4) whole stages took 1.28 and 1.21 times their products (U-Net
   * step at 1024×1024 and 512×512), 1.12 and 1.09 times (decode); at 256×256, where decoding the
   * weights rules, 2.0.
   */
  private static final double REST = 1.2;

  private static final int TOKENS = 1024;
  private static final int CHANNELS = 640;
  private static final int HEADS = 10;
  private static final int D_HEAD = 64;
  private static final int SIDE = 32;

  /**
   * Measures the machine with products of the full model's kinds. A JVM that has just begun needs
   * most of two seconds to compile its kernels.
   *
   * @param threads how many compute
   * @param products who computes products
   * @param time how long it may take, in all
   * @return the speed of the fastest runs
   */
  public static MachineSpeed measure(ThreadPool threads, Products products, Duration time) {
    long each = time.toNanos() / 3;
    try (Workspace workspace = new Workspace(threads, products);
        Arena arena = Arena.ofShared()) {
      Tensor x = workspace.copyOf(values(TOKENS * CHANNELS), TOKENS, CHANNELS);
      Tensor tokens = workspace.copyOf(values(TOKENS * CHANNELS), 1, TOKENS, CHANNELS);
      Tensor map = workspace.copyOf(values(TOKENS * CHANNELS), 1, SIDE, SIDE, CHANNELS);
      Weight matrix = weight(arena, CHANNELS, CHANNELS);
      Weight filter = weight(arena, CHANNELS, CHANNELS, 3, 3);
      Attention.Heads heads = Attention.Heads.of(HEADS, D_HEAD);
      Convolution.Geometry same = new Convolution.Geometry(1, 1);
      double work = 2.0 * TOKENS * CHANNELS * CHANNELS;
      return new MachineSpeed(
          work / fastest(workspace, each, () -> MatMul.linear(x, matrix, null)),
          9 * work / fastest(workspace, each, () -> Convolution.conv2d(map, filter, null, same)),
          4.0
              * TOKENS
              * TOKENS
              * CHANNELS
              / fastest(
                  workspace,
                  each,
                  () -> Attention.scaledDotProduct(tokens, tokens, tokens, heads, null)));
    }
  }

  private static float[] values(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i * 37 % 101 - 50) / 50f;
    }
    return values;
  }

  /** In F16 and outside of the heap, as a mapped file's are. */
  private static Weight weight(Arena arena, int... dims) {
    int n = Arrays.stream(dims).reduce(1, Math::multiplyExact);
    MemorySegment data = arena.allocate((long) n * DType.F16.bytes());
    for (int i = 0; i < n; i++) {
      data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((i % 89 - 44) / 1000f));
    }
    return new StoredWeight("probe", Shape.of(dims), DType.F16, data);
  }

  /** Seconds of the fastest run within a time; two at least. */
  private static double fastest(Workspace workspace, long nanos, Runnable run) {
    long begin = System.nanoTime();
    long best = Long.MAX_VALUE;
    for (int runs = 0; runs < 2 || System.nanoTime() - begin < nanos; runs++) {
      try (Workspace.Scope _ = workspace.scope()) {
        long start = System.nanoTime();
        run.run();
        best = Math.min(best, System.nanoTime() - start);
      }
    }
    return best / 1e9;
  }

  /**
   * How long some work takes.
   *
   * @param work in multiply-adds
   * @return the stage, with its seconds
   */
  public CostEstimate.Stage of(NominalWork.Kinds work) {
    double seconds =
        2
            * (work.products() / products
                + work.convolutions() / convolutions
                + work.attention() / attention);
    return new CostEstimate.Stage(2.0 * work.total(), REST * seconds);
  }
}
