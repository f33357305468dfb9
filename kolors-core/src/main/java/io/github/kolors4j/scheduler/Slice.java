package io.github.kolors4j.scheduler;

import java.util.Arrays;
import java.util.Objects;

/**
 * One image's part of a tensor. Schedulers work value by value, so the order of the values is free,
 * but must be the same for all slices of a run.
 *
 * @param values the tensor's values; not copied
 * @param offset where the image begins
 * @param length how many values it has
 */
public record Slice(float[] values, int offset, int length) {
  /**
   * A slice of an array.
   *
   * @throws IndexOutOfBoundsException if the array has no such range
   */
  public Slice {
    Objects.checkFromIndexSize(offset, length, values.length);
  }

  /**
   * A whole array.
   *
   * @param values not copied
   * @return the slice
   */
  public static Slice of(float... values) {
    return new Slice(values, 0, values.length);
  }

  /**
   * One value.
   *
   * @param index 0 to length − 1; not checked against the length
   * @return the value
   */
  public float get(int index) {
    return values[offset + index];
  }

  /**
   * Changes one value.
   *
   * @param index 0 to length − 1; not checked against the length
   * @param value the new one
   */
  public void set(int index, float value) {
    values[offset + index] = value;
  }

  /** A new array of the values. */
  float[] copy() {
    return Arrays.copyOfRange(values, offset, offset + length);
  }
}
