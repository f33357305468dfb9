package io.github.kolors4j.tensor.random;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The generators of PyTorch whose numbers this library knows, by device and dtype. */
public enum GeneratorType {
  /** {@code torch.randn} in F32 on the CPU. */
  CPU("cpu"),
  /** {@code torch.randn} in F16 on the CPU. */
  CPU_F16("cpu-f16"),
  /** {@code torch.randn} in F32 on CUDA. */
  CUDA("cuda"),
  /** {@code torch.randn} in F16 on CUDA: the same as in F32, rounded. */
  CUDA_F16("cuda-f16");

  private final String text;

  GeneratorType(String text) {
    this.text = text;
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
    return switch (this) {
      case CPU -> new TorchGenerator(seed);
      case CPU_F16 -> new TorchHalfGenerator(seed);
      case CUDA -> new CudaGenerator(seed);
      case CUDA_F16 -> new CudaGenerator(seed, true, CudaGenerator.DEFAULT_MAX_BLOCKS);
    };
  }

  /** The name, as {@code cuda-f16}. */
  @Override
  public String toString() {
    return text;
  }
}
