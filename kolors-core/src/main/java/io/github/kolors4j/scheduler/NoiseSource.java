package io.github.kolors4j.scheduler;

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
}
