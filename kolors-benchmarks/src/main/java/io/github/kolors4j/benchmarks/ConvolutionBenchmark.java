package io.github.kolors4j.benchmarks;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.Convolution;
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

/** Convolutions of 3×3 at the shapes of VAE and U-Net. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class ConvolutionBenchmark {
  private static final Convolution.Geometry SAME = new Convolution.Geometry(1, 1);

  /** Samples, height and width, channels in and out. */
  @Param({
    "1x64x512x512", "1x128x512x512", "1x256x256x256", "1x512x128x128",
    "2x64x320x320", "2x32x640x640", "2x16x1280x1280", "2x16x2560x1280"
  })
  public String shape;

  private Tensor x;
  private Weight weight;
  private Weight bias;
  private double flop;

  /** Makes the feature map and the filters. */
  @Setup
  public void make(Inputs inputs) {
    int[] dims = Inputs.dims(shape);
    x = inputs.activation(dims[0], dims[1], dims[1], dims[2]);
    weight = inputs.weight(dims[3], dims[2], 3, 3);
    bias = inputs.weight(dims[3]);
    flop = 2.0 * dims[0] * dims[1] * dims[1] * dims[2] * dims[3] * 9;
  }

  /** Stride 1, as large as the input. */
  @Benchmark
  public float conv3x3(Inputs inputs, Flops flops) {
    try (var _ = inputs.workspace.scope()) {
      flops.gflops += flop;
      return Convolution.conv2d(x, weight, bias, SAME).data()[0];
    }
  }
}
