package io.github.kolors4j.tensor;

/**
 * A weight that is computed from another one, whose name, shape and rows it has: what an adapter
 * makes of a checkpoint's, as a rule. It reads the other by {@link Weight#decode} and hands its own
 * scratch on.
 */
public interface WeightOver extends ComputedWeight {
  /**
   * The weight that it is computed from.
   *
   * @return any weight
   */
  Weight base();

  @Override
  default String name() {
    return base().name();
  }

  @Override
  default Shape shape() {
    return base().shape();
  }

  @Override
  default int rows() {
    return base().rows();
  }

  @Override
  default int rowLength() {
    return base().rowLength();
  }
}
