package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Weight;
import java.util.Optional;

/**
 * What an adapter's file does to the weight of one module.
 *
 * @param delta what is added, as the file has it
 * @param scale what it is multiplied by, besides the weight that a user gives the adapter
 * @param magnitude of the rows, {@code [rows, 1]}, or of the inputs, {@code [1, inputs]}; empty
 *     where the update is added and no more
 */
record Update(Delta delta, double scale, Optional<Matrix> magnitude) {
  /**
   * Refuses an update of another shape.
   *
   * @param of the weight's name
   * @param rows of the weight
   * @param rowLength values of each
   * @param name of the adapter
   */
  void checkFits(String of, long rows, long rowLength, String name) throws InvalidFileException {
    if (delta.rows() != rows || delta.rowLength() != rowLength) {
      throw new InvalidFileException(
          "[adapter] %s: the update is [%s, %s], and %s has %s rows of %s values. An adapter of another model?"
              .formatted(name, delta.rows(), delta.rowLength(), of, rows, rowLength));
    }
  }

  /**
   * The weight with the update.
   *
   * @param strength what the user multiplies it by; not 0
   * @throws InvalidFileException if it is an update of another shape
   */
  Weight over(Weight base, double strength, String name) throws InvalidFileException {
    checkFits(base.name(), base.rows(), base.rowLength(), name);
    Weight updated = delta.times((float) (scale * strength)).addedTo(base);
    if (magnitude.isEmpty()) {
      return updated;
    }
    Matrix each = magnitude.get();
    if (each.columns() == 1 && each.rows() == base.rows()) {
      return RenormalizedWeight.byRows(updated, each.values());
    }
    if (each.rows() == 1 && base.shape().dim(1) == each.columns()) {
      return RenormalizedWeight.byInputs(updated, each.values());
    }
    throw new InvalidFileException(
        "[adapter] %s: the magnitudes are %s, and %s is %s: one an output or one an input is needed."
            .formatted(name, each, base.name(), base.shape()));
  }
}
