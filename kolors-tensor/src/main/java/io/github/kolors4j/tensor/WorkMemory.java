package io.github.kolors4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What a workspace works in: arrays for tensors, and room for panels.
 *
 * <p>A workspace that is closed leaves it to the next one on the same threads, whoever that is for.
 * So a small picture finds it in the caches, and the system is not asked for memory in each stage
 * of each: it gives pages of zeros, and closing a shared arena stops every thread of the JVM.
 */
final class WorkMemory {
  /**
   * Up to which size it is left to the next workspace: about what caches hold. Of more there is
   * nothing in them, and another request has other shapes.
   */
  static final long MOST_KEPT_BYTES = 16 << 20;

  private final FreeArrays arrays = new FreeArrays();
  private @Nullable Arena arena;
  private @Nullable MemorySegment panels;

  /** The arrays that no tensor uses. */
  FreeArrays arrays() {
    return arrays;
  }

  /** See {@link Workspace#panels}. */
  @SuppressWarnings("MustBeClosedChecker") // releasePanels closes it
  MemorySegment panels(int length) {
    long bytes = Float.BYTES * (long) length;
    if (panels == null || panels.byteSize() < bytes) {
      releasePanels();
      arena = Arena.ofShared();
      panels = arena.allocate(bytes, Scratch.CACHE_LINE);
    }
    return panels;
  }

  /** Whether it is small enough for the next workspace. */
  boolean isWorthKeeping() {
    long bytes = Float.BYTES * arrays.values() + (panels == null ? 0 : panels.byteSize());
    return bytes <= MOST_KEPT_BYTES;
  }

  /** Gives what no tensor uses back to the collector and to the system. */
  void clear() {
    arrays.clear();
    releasePanels();
  }

  /** At once, not when the collector comes by: it does not know how large they are. */
  private void releasePanels() {
    if (arena != null) {
      arena.close();
      arena = null;
      panels = null;
    }
  }
}
