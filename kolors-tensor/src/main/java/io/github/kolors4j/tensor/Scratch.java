package io.github.kolors4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Buffers of one thread that live on from task to task, so that a task allocates nothing. Each is
 * known by its {@link Slot}, which belongs to the class that uses it.
 */
public final class Scratch {
  static final long CACHE_LINE = 64;

  private @Nullable Object[] buffers = new @Nullable Object[0];
  private int[] lengths = new int[0];
  private @Nullable Scratch inner;

  /** The next in a list of those that nobody uses; the list's owner's. */
  @Nullable Scratch nextFree;

  Scratch() {}

  /**
   * One purpose of a buffer: what it is for, and of which type it is. A class makes the slots that
   * it needs once, as constants, and gives them to nobody; so two users that are at work at the
   * same time never get one buffer.
   *
   * @param <T> {@code float[]}, or a {@code MemorySegment} outside of the heap
   */
  public static final class Slot<T> {
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final int index = COUNT.getAndIncrement();
    private final String name;
    private final IntFunction<T> allocate;

    private Slot(String name, IntFunction<T> allocate) {
      this.name = name;
      this.allocate = allocate;
    }

    /**
     * A slot for values on the heap.
     *
     * @param name what the buffer is for, for whoever looks at one in a debugger
     * @return a new slot, to be kept in a constant
     */
    public static Slot<float[]> floats(String name) {
      return new Slot<>(name, float[]::new);
    }

    /**
     * A slot for packed panels: values outside of the heap, from a cache line's begin on. An index
     * into them counts values.
     *
     * @param name what the buffer is for, for whoever looks at one in a debugger
     * @return a new slot, to be kept in a constant
     */
    public static Slot<MemorySegment> panels(String name) {
      return new Slot<>(
          name, length -> Arena.ofAuto().allocate(Float.BYTES * (long) length, Scratch.CACHE_LINE));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * The buffer of a slot. Asking again gives the same one, unless more is asked for than it has.
   *
   * @param slot what it is for
   * @param length how many values it must have at least
   * @param <T> its type
   * @return the buffer, with what the slot's user left there, or zeros
   */
  public <T> T get(Slot<T> slot, int length) {
    if (slot.index >= lengths.length) {
      buffers = Arrays.copyOf(buffers, slot.index + 1);
      lengths = Arrays.copyOf(lengths, slot.index + 1);
    }
    // Every buffer in a slot's place was made by the slot.
    @SuppressWarnings("unchecked")
    T buffer = (T) buffers[slot.index];
    if (buffer == null || lengths[slot.index] < length) {
      buffer = slot.allocate.apply(length);
      buffers[slot.index] = buffer;
      lengths[slot.index] = length;
    }
    return buffer;
  }

  /**
   * The buffers of the next depth, for one who is called while this one's user is at work and may
   * be of its kind.
   *
   * @return always the same, of the same thread
   */
  Scratch inner() {
    if (inner == null) {
      inner = new Scratch();
    }
    return inner;
  }
}
