package io.github.kolors4j.run;

import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Looks for NaN and infinity. A million values take less than a millisecond. */
final class Finite {
  private Finite() {}

  /** The first value that is no finite number; −1 where all are. */
  static int firstOther(float[] values, int count) {
    for (int i = 0; i < count; i++) {
      if (!(Math.abs(values[i]) <= Float.MAX_VALUE)) {
        return i;
      }
    }
    return -1;
  }

  /** {@code NaN at [0, 3, 17, 5]}; null where all values are finite. */
  static @Nullable String other(FloatArray array) {
    float[] values = array.values();
    int index = firstOther(values, values.length);
    return index < 0
        ? null
        : values[index] + " at " + Arrays.toString(indexOf(index, array.shape()));
  }

  /** A position in row-major order as one index an axis. */
  private static int[] indexOf(int position, Shape shape) {
    int[] index = new int[shape.rank()];
    for (int axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = position % shape.dim(axis);
      position /= shape.dim(axis);
    }
    return index;
  }
}
