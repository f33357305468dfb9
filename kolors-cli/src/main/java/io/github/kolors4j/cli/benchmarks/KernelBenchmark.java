package io.github.kolors4j.cli.benchmarks;

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
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * The operations that take the time, one by one, at the shapes that the full model gives them.
 * Weights are F16 outside of the heap, as a mapped file's are.
 */
public final class KernelBenchmark {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LEAST_RUNS = 3;

  /**
   * The time of one operation.
   *
   * @param name what and at which shape
   * @param flop nominal floating-point operations
   * @param best seconds of the fastest run
   * @param median seconds of the middle one
   * @param inF32 whether its products were F32's, whatever the precision
   */
  public record Result(String name, double flop, double best, double median, boolean inF32) {
    /**
     * The rate of the fastest run.
     *
     * @return GFLOP/s
     */
    public double gflops() {
      return flop / best / 1e9;
    }
  }

  /** Inputs that a case makes itself. */
  private record Inputs(Workspace workspace, Arena arena, SplittableRandom random) {
    Tensor activation(int... dims) {
      Tensor tensor = workspace.tensor(dims);
      for (int i = 0; i < tensor.shape().size(); i++) {
        tensor.data()[i] = (float) (random.nextDouble() * 2 - 1);
      }
      return tensor;
    }

    Weight weight(int... dims) {
      Shape shape = Shape.of(dims);
      MemorySegment data = arena.allocate((long) shape.size() * DType.F16.bytes());
      for (int i = 0; i < shape.size(); i++) {
        data.setAtIndex(
            SHORT, i, Float.floatToFloat16((float) ((random.nextDouble() * 2 - 1) * 0.02)));
      }
      return new StoredWeight("weight", shape, DType.F16, data);
    }
  }

  /** An operation, and how to prepare it. */
  private record Case(String name, double flop, Function<Inputs, Operation> prepare) {}

  /** What to run, and whether its products are F32's in every precision. */
  private record Operation(Runnable run, boolean inF32) {
    static Operation of(Runnable run) {
      return new Operation(run, false);
    }
  }

  private KernelBenchmark() {}

  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    cases.add(linear(1024, 1024, 1024));
    cases.add(geglu(2048, 10240, 1280));
    cases.add(linear(2048, 1280, 5120));
    cases.add(linear(2048, 1280, 1280));
    cases.add(geglu(8192, 5120, 640));
    cases.add(linear(8192, 640, 2560));
    cases.add(linear(8192, 640, 640));
    cases.add(conv("VAE", 1, 64, 512, 512));
    cases.add(conv("VAE", 1, 128, 512, 512));
    cases.add(conv("VAE", 1, 256, 256, 256));
    cases.add(conv("VAE", 1, 512, 128, 128));
    cases.add(conv("U-Net", 2, 64, 320, 320));
    cases.add(conv("U-Net", 2, 32, 640, 640));
    cases.add(conv("U-Net", 2, 16, 1280, 1280));
    cases.add(conv("U-Net", 2, 16, 2560, 1280));
    cases.add(attention("self", 1024, 1024, 20));
    cases.add(attention("self", 4096, 4096, 10));
    cases.add(attention("cross", 1024, 256, 20));
    return List.copyOf(cases);
  }

  private static Case linear(int m, int n, int k) {
    return new Case(
        "matmul %dx%dx%d".formatted(m, n, k),
        2.0 * m * n * k,
        inputs -> {
          Tensor x = inputs.activation(m, k);
          Weight weight = inputs.weight(n, k);
          Weight bias = inputs.weight(n);
          return Operation.of(() -> MatMul.linear(x, weight, bias));
        });
  }

  private static Case geglu(int m, int n, int k) {
    return new Case(
        "matmul %dx%dx%d GEGLU".formatted(m, n, k),
        2.0 * m * n * k,
        inputs -> {
          Tensor x = inputs.activation(m, k);
          Weight weight = inputs.weight(n, k);
          Weight bias = inputs.weight(n);
          return Operation.of(() -> MatMul.linearGeglu(x, weight, bias));
        });
  }

  private static Case conv(String model, int n, int size, int in, int out) {
    Convolution.Geometry same = new Convolution.Geometry(1, 1);
    return new Case(
        "conv3x3 %s [%d,%d,%d,%d->%d]".formatted(model, n, size, size, in, out),
        2.0 * n * size * size * in * out * 9,
        inputs -> {
          Tensor x = inputs.activation(n, size, size, in);
          Weight weight = inputs.weight(out, in, 3, 3);
          Weight bias = inputs.weight(out);
          return new Operation(
              () -> Convolution.conv2d(x, weight, bias, same),
              Convolution.isByWinograd(x, weight, same));
        });
  }

  private static Case attention(String kind, int queries, int keys, int heads) {
    int dHead = 64;
    Attention.Heads layout = Attention.Heads.of(heads, dHead);
    return new Case(
        "attention %s %dx%d, %d heads of %d".formatted(kind, queries, keys, heads, dHead),
        4.0 * queries * keys * heads * dHead,
        inputs -> {
          Tensor q = inputs.activation(1, queries, heads * dHead);
          Tensor k = inputs.activation(1, keys, heads * dHead);
          Tensor v = inputs.activation(1, keys, heads * dHead);
          return Operation.of(() -> Attention.scaledDotProduct(q, k, v, layout, null));
        });
  }

  /**
   * The operations that there are.
   *
   * @return their names, in order
   */
  public static List<String> names() {
    return cases().stream().map(Case::name).toList();
  }

  /**
   * Measures one operation.
   *
   * @param name one of {@link #names}
   * @param threads the threads
   * @param products who computes products
   * @param seconds how long to repeat it, after as long a time for warming up
   * @return its time
   */
  public static Result measure(String name, ThreadPool threads, Products products, double seconds) {
    Case chosen =
        cases().stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
    try (Arena arena = Arena.ofShared();
        Workspace workspace = new Workspace(threads, products)) {
      Operation operation =
          chosen.prepare().apply(new Inputs(workspace, arena, new SplittableRandom(0)));
      times(operation.run(), workspace, seconds);
      double[] times = times(operation.run(), workspace, seconds);
      boolean inF32 = operation.inF32() || products.kernel().isEmpty();
      return new Result(name, chosen.flop(), times[0], times[times.length / 2], inF32);
    }
  }

  /** The times of several runs, in seconds, the shortest first. */
  private static double[] times(Runnable operation, Workspace workspace, double seconds) {
    double[] times = new double[0];
    double sum = 0;
    while (times.length < LEAST_RUNS || sum < seconds) {
      try (var _ = workspace.scope()) {
        long begin = System.nanoTime();
        operation.run();
        double time = (System.nanoTime() - begin) / 1e9;
        sum += time;
        times = Arrays.copyOf(times, times.length + 1);
        times[times.length - 1] = time;
      }
    }
    Arrays.sort(times);
    return times;
  }
}
