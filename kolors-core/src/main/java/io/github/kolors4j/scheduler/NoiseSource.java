package io.github.kolors4j.scheduler;

import io.github.kolors4j.tensor.random.TorchGenerator;
import java.util.OptionalLong;

/** Where the ancestral and SDE solvers of one image draw their noise. */
@FunctionalInterface
public interface NoiseSource {
  /**
   * Draws standard normals for one sample. PyTorch's generators give them in the order {@code [c,
   * h, w]}; whoever holds the sample in another order must bring them into that.
   *
   * @param target filled from its first to its last value, in the order of the sample's slice
   */
  void draw(float[] target);

  /**
   * The seed from which this image's noise comes, for solvers that have generators of their own.
   *
   * @return empty where nobody knows it
   */
  default OptionalLong seed() {
    return OptionalLong.empty();
  }

  /**
   * Draws from a new generator of another seed, in the same order of values.
   *
   * <p>This default takes PyTorch's generator for the CPU and leaves its order as it is.
   *
   * @param seed of the new generator
   * @param target filled from its first to its last value
   */
  default void drawFrom(long seed, float[] target) {
    new TorchGenerator(seed).randn(target, 0, target.length);
  }
}
