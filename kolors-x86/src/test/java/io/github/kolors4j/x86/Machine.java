package io.github.kolors4j.x86;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** What runs code whose instructions this CPU may lack. */
interface Machine {
  /** Where memory begins, whose end is the stack. */
  long BASE = 0x10000;

  /** Bytes at the end of memory that belong to the stack; calls begin in their middle. */
  int STACK = 1 << 16;

  /**
   * Calls a function as C does, and checks that it leaves what is the caller's.
   *
   * @return what it returns, a number
   */
  long call(int entry, long... arguments) throws IOException, InterruptedException;

  /** {@link Bochs} where {@code -Dkolors4j.bochs} says where it is, and {@link Emulator} else. */
  static Machine of(byte[] code, MemorySegment memory) throws IOException, InterruptedException {
    String bochs = System.getProperty("kolors4j.bochs");
    return bochs == null ? new Emulator(code, memory) : new Bochs(Path.of(bochs), code, memory);
  }
}
