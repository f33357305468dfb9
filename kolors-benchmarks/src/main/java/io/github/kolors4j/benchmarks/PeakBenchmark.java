package io.github.kolors4j.benchmarks;

import io.github.kolors4j.tensor.MachinePeak;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The FMA peak of the machine and the product 1024³ in one run: {@code gflops} of {@link #product}
 * over that of the wider peak is the share that the product reaches.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class PeakBenchmark {
  private static final int SIZE = 1024;

  private Tensor x;
  private Weight weight;

  /** Makes the factors. */
  @Setup
  public void make(Inputs inputs) {
    x = inputs.activation(SIZE, SIZE);
    weight = inputs.weight(SIZE, SIZE);
  }

  /** The narrowest vectors that are worth measuring. */
  @Benchmark
  public void fmaPeakNarrow(Inputs inputs, Flops flops) {
    flops.gflops += MachinePeak.run(MachinePeak.widths().getFirst(), inputs.pool);
  }

  /** The widest vectors of the CPU. */
  @Benchmark
  public void fmaPeakWide(Inputs inputs, Flops flops) {
    flops.gflops += MachinePeak.run(MachinePeak.widths().getLast(), inputs.pool);
  }

  /** The matrix product. */
  @Benchmark
  public float product(Inputs inputs, Flops flops) {
    try (var _ = inputs.workspace.scope()) {
      flops.gflops += 2.0 * SIZE * SIZE * SIZE;
      return MatMul.linear(x, weight, null).data()[0];
    }
  }
}
