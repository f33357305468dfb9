package io.github.kolors4j.tensor;

import io.github.kolors4j.tensor.kernel.KernelProvider;

/**
 * What computes in this JVM. Results in F32 do not depend on it, the time does.
 *
 * @param kernels the inner loops, as {@code vector 256-bit} or {@code scalar}
 * @param vectorBits width of the vectors, 0 without
 * @param fma whether the CPU multiplies and adds in one instruction
 * @param slowness why it is many times slower than it could be, and what helps; empty where it is
 *     not
 */
public record Engine(String kernels, int vectorBits, boolean fma, String slowness) {

  /**
   * The engine of this JVM.
   *
   * @return always an equal one
   */
  public static Engine current() {
    return new Engine(
        KernelProvider.kernels().description(),
        KernelProvider.vectorBits(),
        KernelProvider.fma(),
        KernelProvider.slowness());
  }
}
