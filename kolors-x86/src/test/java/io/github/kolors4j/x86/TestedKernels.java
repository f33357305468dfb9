package io.github.kolors4j.x86;

import io.github.kolors4j.tensor.Bf16Kernel;
import java.util.stream.Stream;

/** The kernels that run on this CPU, and AMX's blocks also where AMX does not. */
final class TestedKernels {
  private TestedKernels() {}

  /** None on a CPU without AVX512-BF16. */
  static Stream<Bf16Kernel> onThisCpu() {
    CpuFeatures features = CpuFeatures.ofThisCpu();
    if (!features.hasAvx512Bf16()) {
      return Stream.empty();
    }
    Avx512Kernel vectors = new Avx512Kernel("");
    Bf16Kernel fastest = X86Provider.make(features);
    return Stream.of(vectors, fastest instanceof AmxKernel ? fastest : new AmxBlocks(vectors));
  }
}
