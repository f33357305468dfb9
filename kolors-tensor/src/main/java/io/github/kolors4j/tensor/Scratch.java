package io.github.kolors4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Buffers of one thread that live on from task to task, so that a task allocates nothing. A slot's
 * content is undefined at the start of a task.
 */
public final class Scratch {
  private static final int SLOTS = 10;

  static final long CACHE_LINE = 64;

  private final float[][] slots = new float[SLOTS][];
  private final MemorySegment[] panels = new MemorySegment[SLOTS];

  Scratch() {}

  /**
   * A buffer.
   *
   * @param slot which one, 0 to 9: one task uses each for one purpose
   * @param length how many values it must have at least
   * @return the buffer, of undefined content
   */
  public float[] floats(int slot, int length) {
    float[] buffer = slots[slot];
    if (buffer == null || buffer.length < length) {
      buffer = new float[length];
      slots[slot] = buffer;
    }
    return buffer;
  }

  /**
   * A buffer outside of the heap that begins on a cache line, for packed panels.
   *
   * @param slot which one, 0 to 9, apart from those of {@link #floats}
   * @param length how many values it must have at least
   * @return the buffer, of undefined content; an index into it counts values
   */
  public MemorySegment panels(int slot, int length) {
    MemorySegment buffer = panels[slot];
    long bytes = Float.BYTES * (long) length;
    if (buffer == null || buffer.byteSize() < bytes) {
      buffer = Arena.ofAuto().allocate(bytes, CACHE_LINE);
      panels[slot] = buffer;
    }
    return buffer;
  }
}
