package io.github.kolors4j.tensor.kernel;

import io.github.kolors4j.tensor.Values;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A range of an array with guards around it: NaN around an input, so that reading outside shows in
 * the result, and a mark around an output.
 */
record Window(float[] array, int at, int length) {
  private static final int GUARD = 67;
  private static final float MARK = 12345.678f;

  static Window input(long seed, int offset, int length) {
    Window window = of(offset, length, Float.NaN);
    System.arraycopy(Values.random(seed, length), 0, window.array, window.at, length);
    return window;
  }

  /** An output that the kernel reads, too. */
  static Window update(long seed, int offset, int length) {
    Window window = of(offset, length, MARK);
    System.arraycopy(Values.random(seed, length), 0, window.array, window.at, length);
    return window;
  }

  static Window output(int offset, int length) {
    return of(offset, length, MARK);
  }

  private static Window of(int offset, int length, float guard) {
    float[] array = new float[GUARD + offset + length + GUARD];
    Arrays.fill(array, guard);
    return new Window(array, GUARD + offset, length);
  }

  Window copy() {
    return new Window(array.clone(), at, length);
  }

  /** The array as the kernels take a panel; {@link #at} is its first value there, too. */
  MemorySegment panel() {
    return MemorySegment.ofArray(array);
  }

  float get(int i) {
    return array[at + i];
  }

  void set(int i, float value) {
    array[at + i] = value;
  }

  /** Whether a value is still the mark that an output begins as. */
  void assertUntouched(int i, String where) {
    Values.assertSameBits(MARK, get(i), where + ", which is not to be written, at " + i);
  }

  void assertGuards(String where) {
    for (int i = 0; i < array.length; i++) {
      if ((i < at || i >= at + length) && array[i] != MARK) {
        throw new AssertionError(where + " wrote outside its window, at " + (i - at));
      }
    }
  }

  void assertSameBits(Window expected, String where) {
    for (int i = 0; i < length; i++) {
      Values.assertSameBits(expected.get(i), get(i), where + " at " + i);
    }
  }
}
