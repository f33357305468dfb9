package io.github.kolors4j.tensor.random;

/**
 * Random numbers from a seed: those of one of PyTorch's generators, so that a seed gives the
 * picture it gives there. Which one, {@link GeneratorType} says by name.
 *
 * <p>The draws of a generator are a sequence: draw what diffusers draws, in its order. Not
 * thread-safe.
 */
public interface Generator {
  /**
   * The seed as it was given.
   *
   * @return all 64 bits
   */
  long seed();

  /**
   * Draws standard normals into part of an array, as {@code torch.randn(length, generator=this)}.
   *
   * @param target where to
   * @param offset the first place that is written
   * @param length how many
   * @throws IndexOutOfBoundsException if the array has no such range
   */
  void randn(float[] target, int offset, int length);

  /**
   * Draws standard normals.
   *
   * @param n how many
   * @return a new array
   * @throws IllegalArgumentException if {@code n} is negative
   */
  default float[] randn(int n) {
    if (n < 0) {
      throw new IllegalArgumentException("[randn] " + n + " values: draw 0 or more.");
    }
    float[] target = new float[n];
    randn(target, 0, n);
    return target;
  }

  /**
   * A generator of the same kind at the beginning of another seed.
   *
   * @param seed any
   * @return a new generator
   */
  Generator withSeed(long seed);
}
