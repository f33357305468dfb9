package io.github.kolors4j.adapter;

import io.github.kolors4j.tensor.ComputedWeight;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Weight;

/**
 * A weight plus what an adapter adds to it, computed while it is read.
 *
 * @param base any weight
 * @param delta of the base's rows
 */
record AdaptedWeight(Weight base, Delta delta) implements ComputedWeight {
  @Override
  public String name() {
    return base.name();
  }

  @Override
  public Shape shape() {
    return base.shape();
  }

  @Override
  public int rows() {
    return base.rows();
  }

  @Override
  public int rowLength() {
    return base.rowLength();
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    base.decode(row, from, count, target, at, scratch);
    delta.addTo(row, from, count, target, at, scratch);
  }

  @Override
  public String toString() {
    return base + " + " + delta;
  }
}
