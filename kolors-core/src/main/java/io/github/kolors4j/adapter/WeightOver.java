package io.github.kolors4j.adapter;

import io.github.kolors4j.tensor.ComputedWeight;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Weight;

/** A weight made of another one, whose name and shape it has. */
interface WeightOver extends ComputedWeight {
  /** What it is made of. */
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
