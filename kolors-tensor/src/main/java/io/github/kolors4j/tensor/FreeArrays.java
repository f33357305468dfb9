package io.github.kolors4j.tensor;

import java.lang.ref.SoftReference;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The arrays of a workspace that no tensor uses, sorted by length, the last given back first.
 *
 * <p>Free arrays are held softly, so that the collector takes them before any allocation fails, be
 * it of this workspace or of anything else in the program. Giving one back makes no object: it must
 * work when the heap is full, because then everything is given back.
 */
final class FreeArrays {
  /**
   * A free array may stand in for a request of at least this share of its length. The maps of a VAE
   * grow from block to block, and what is left of one block serves the next: a decode of 1024×1024
   * makes 4.5 GB of arrays in all, where it makes 6.5 GB if nothing below three quarters will do.
   */
  private static final double MIN_FILL = 0.1;

  /** An array: held while it is lent, softly while it is free. */
  static final class Memory {
    private final int length;
    private final SoftReference<float[]> reference;
    private float @Nullable [] array;

    private Memory(float[] array) {
      this.length = array.length;
      this.reference = new SoftReference<>(array);
      this.array = array;
    }

    /** The array; only while it is lent. */
    float[] array() {
      if (array == null) {
        throw new IllegalStateException("[workspace] the array was given back.");
      }
      return array;
    }
  }

  private @Nullable Memory[] free = new @Nullable Memory[16];
  private int size;

  /** How many may come back, so that there is room for all of them. */
  private int lent;

  /** An array of at least so many values, from the free ones or a new one. */
  Memory lend(int length) {
    int at = firstOf(length);
    while (at < size && length >= MIN_FILL * at(at).length) {
      Memory memory = removeAt(at);
      memory.array = memory.reference.get();
      if (memory.array != null) {
        lent++;
        return memory;
      }
    }
    if (size + lent == free.length) {
      free = Arrays.copyOf(free, 2 * free.length);
    }
    Memory made = new Memory(new float[length]);
    lent++;
    return made;
  }

  /** Takes an array back. */
  void giveBack(Memory memory) {
    int at = firstOf(memory.length);
    System.arraycopy(free, at, free, at + 1, size - at);
    free[at] = memory;
    size++;
    lent--;
    var _ = memory.reference.get(); // the collector leaves alone what was used just now
    memory.array = null;
  }

  /** How many values all that is free has room for. */
  long values() {
    long values = 0;
    for (int i = 0; i < size; i++) {
      values += at(i).length;
    }
    return values;
  }

  /** Leaves what is free to the collector. */
  void clear() {
    Arrays.fill(free, 0, size, null);
    size = 0;
  }

  private Memory removeAt(int at) {
    Memory memory = at(at);
    size--;
    System.arraycopy(free, at + 1, free, at, size - at);
    free[size] = null;
    return memory;
  }

  private Memory at(int index) {
    Memory memory = free[index];
    assert memory != null;
    return memory;
  }

  /** Where the first array of at least so many values stands. */
  private int firstOf(int length) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (at(middle).length < length) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
