package io.github.kolors4j.tensor.random;

import java.util.Arrays;
import java.util.function.LongFunction;
import java.util.stream.Collectors;

/** The generators of PyTorch whose numbers this library knows, by device and dtype. */
public enum GeneratorType {
  /** {@code torch.randn} in F32 on the CPU. */
  CPU("cpu", TorchGenerator::new),
  /** {@code torch.randn} in F16 on the CPU. */
  CPU_F16("cpu-f16", TorchHalfGenerator::new),
  /** {@code torch.randn} in F32 on CUDA. */
  CUDA("cuda", CudaGenerator::new),
  /** {@code torch.randn} in F16 on CUDA: the same as in F32, rounded. */
  CUDA_F16("cuda-f16", seed -> new CudaGenerator(seed, true, CudaGenerator.DEFAULT_MAX_BLOCKS));

  private final String text;
  private final LongFunction<Generator> constructor;

  GeneratorType(String text, LongFunction<Generator> constructor) {
    this.text = text;
    this.constructor = constructor;
  }

  /**
   * Finds a generator by its name.
   *
   * @param name {@code cpu}, {@code cpu-f16}, {@code cuda} or {@code cuda-f16}
   * @return the type
   * @throws IllegalArgumentException if there is none of that name
   */
  public static GeneratorType byName(String name) {
    for (GeneratorType type : values()) {
      if (type.text.equals(name)) {
        return type;
      }
    }
    String names =
        Arrays.stream(values()).map(GeneratorType::toString).collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        "[random] no generator \"" + name + "\": use one of " + names + ".");
  }

  /**
   * A generator at its beginning.
   *
   * @param seed any
   * @return a new generator
   */
  public Generator generator(long seed) {
    return constructor.apply(seed);
  }

  /** The name, as {@code cuda-f16}. */
  @Override
  public String toString() {
    return text;
  }
}
