package io.github.kolors4j.benchmarks;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Attention;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Attention at the U-Net's shapes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class AttentionBenchmark {
  private static final int WIDTH_OF_HEAD = 64;

  /** Queries, keys, heads. */
  @Param({"1024x1024x20", "4096x4096x10", "1024x256x20"})
  public String shape;

  private Tensor q;
  private Tensor k;
  private Tensor v;
  private Attention.Heads heads;
  private double flop;

  /** Makes queries, keys and values. */
  @Setup
  public void make(Inputs inputs) {
    int[] dims = Inputs.dims(shape);
    int width = dims[2] * WIDTH_OF_HEAD;
    q = inputs.activation(1, dims[0], width);
    k = inputs.activation(1, dims[1], width);
    v = inputs.activation(1, dims[1], width);
    heads = Attention.Heads.of(dims[2], WIDTH_OF_HEAD);
    flop = 4.0 * dims[0] * dims[1] * width;
  }

  /** Without a mask. */
  @Benchmark
  public float attention(Inputs inputs, Flops flops) {
    try (var _ = inputs.workspace.scope()) {
      flops.gflops += flop;
      return Attention.scaledDotProduct(q, k, v, heads, null).data()[0];
    }
  }
}
