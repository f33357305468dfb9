package io.github.kolors4j.benchmarks;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.MatMul;
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

/** Matrix products at the U-Net's most costly shapes: 512², two samples. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class MatMulBenchmark {
  /** Rows, columns and depth of the product. */
  @Param({
    "1024x1024x1024",
    "2048x10240x1280",
    "2048x1280x5120",
    "2048x1280x1280",
    "8192x5120x640",
    "8192x640x2560",
    "8192x640x640"
  })
  public String shape;

  private Tensor x;
  private Weight weight;
  private Weight bias;
  private double flop;

  /** Makes the factors. */
  @Setup
  public void make(Inputs inputs) {
    int[] mnk = Inputs.dims(shape);
    x = inputs.activation(mnk[0], mnk[2]);
    weight = inputs.weight(mnk[1], mnk[2]);
    bias = inputs.weight(mnk[1]);
    flop = 2.0 * mnk[0] * mnk[1] * mnk[2];
  }

  /** With a bias. */
  @Benchmark
  public float linear(Inputs inputs, Flops flops) {
    try (var _ = inputs.workspace.scope()) {
      flops.gflops += flop;
      return MatMul.linear(x, weight, bias).data()[0];
    }
  }

  /** Half of the columns gate the other half. */
  @Benchmark
  public float geglu(Inputs inputs, Flops flops) {
    try (var _ = inputs.workspace.scope()) {
      flops.gflops += flop;
      return MatMul.linearGeglu(x, weight, bias).data()[0];
    }
  }
}
