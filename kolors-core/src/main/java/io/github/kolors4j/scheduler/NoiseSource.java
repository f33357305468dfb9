package io.github.kolors4j.scheduler;

import io.github.kolors4j.tensor.random.Generator;
import io.github.kolors4j.tensor.random.TorchGenerator;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/** Where the ancestral and SDE solvers of one image draw their noise. */
@FunctionalInterface
public interface NoiseSource {
  /**
   * The noise of a generator, brought into the order of the samples.
   *
   * @param generator the image's own, after its first noise was drawn
   * @param arrange makes an array of PyTorch's order {@code [c, h, w]} one of the sample's order
   * @return draws from the generator, knows its seed, and makes generators of the same kind
   */
  static NoiseSource of(Generator generator, UnaryOperator<float[]> arrange) {
    return new NoiseSource() {
      @Override
      public void draw(float[] target) {
        draw(generator, target);
      }

      @Override
      public OptionalLong seed() {
        return OptionalLong.of(generator.seed());
      }

      @Override
      public void drawFrom(long seed, float[] target) {
        draw(generator.withSeed(seed), target);
      }

      private void draw(Generator from, float[] target) {
        float[] drawn = arrange.apply(from.randn(target.length));
        System.arraycopy(drawn, 0, target, 0, target.length);
      }
    };
  }

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
