package io.github.kolors4j.tensor;

/**
 * Gives products of BF16 where the CPU has instructions for them. Found as a service: a module
 * {@code provides} it, or a jar names it in {@code META-INF/services}.
 */
public interface Bf16Provider {
  /**
   * The kernel for a precision.
   *
   * @param precision any but F32
   * @return the kernel, usable by several threads at once
   * @throws UnsupportedOperationException where F32 is what is left, with a sentence that says why
   *     and, where there is something to be done, what
   */
  Bf16Kernel kernel(Precision precision);
}
