package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The sentences about shapes that do not fit. */
final class Checks {
  private Checks() {}

  /** A tensor, where there is one, must have a shape. */
  static void same(String operation, String name, @Nullable Tensor tensor, Shape shape) {
    if (tensor != null && !tensor.shape().equals(shape)) {
      throw new IllegalArgumentException(
          "[%s] %s is %s and must be %s.".formatted(operation, name, tensor.shape(), shape));
    }
  }

  /** A parameter, where there is one, must be a vector of n values. */
  static void vector(String operation, @Nullable Weight weight, int n) {
    if (weight != null && (weight.shape().rank() != 1 || weight.shape().dim(0) != n)) {
      throw new IllegalArgumentException("[%s] %s must be [%s].".formatted(operation, weight, n));
    }
  }

  /** Something about the arguments must hold. */
  static void that(boolean holds, String message, Object... values) {
    if (!holds) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, message, values));
    }
  }
}
