package io.github.kolors4j.tensor;

/**
 * Buffers of one thread that live on from task to task, so that a task allocates nothing. A slot's
 * content is undefined at the start of a task.
 */
public final class Scratch {
  private static final int SLOTS = 8;

  private final float[][] slots = new float[SLOTS][];

  Scratch() {}

  /**
   * A buffer.
   *
   * @param slot which one, 0 to 7: one task uses each for one purpose
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
}
