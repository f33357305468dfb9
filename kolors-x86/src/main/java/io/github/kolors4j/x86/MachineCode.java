package io.github.kolors4j.x86;

import io.github.kolors4j.x86.Assembler.Label;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Code in pages of its own, which are written first and executed then, never both at a time. They
 * stay until the process ends.
 */
final class MachineCode {
  private static final int PAGE = 4096;

  private final MemorySegment pages;

  /**
   * Puts code into executable memory.
   *
   * @throws UnsupportedOperationException if the system forbids it
   */
  MachineCode(Assembler assembler) {
    byte[] code = assembler.code();
    pages = Libc.map(Math.ceilDiv((long) code.length, PAGE) * PAGE);
    MemorySegment.copy(code, 0, pages, ValueLayout.JAVA_BYTE, 0, code.length);
    Libc.makeExecutable(pages);
  }

  /** The function that begins at a label; its arguments are passed as in C on Linux. */
  MethodHandle function(Label entry, FunctionDescriptor type) {
    return Libc.code(pages.asSlice(entry.offset()), type);
  }
}
