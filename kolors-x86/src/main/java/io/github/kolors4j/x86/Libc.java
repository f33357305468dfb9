package io.github.kolors4j.x86;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/** The three calls of the system that this takes, with the numbers of Linux on x86-64. */
@SuppressWarnings("restricted") // what this module is for; the provider asks for the permission
final class Libc {
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final long MAP_FAILED = -1;
  private static final long SYS_ARCH_PRCTL = 158;
  private static final long ARCH_REQ_XCOMP_PERM = 0x1023;
  private static final long XFEATURE_XTILEDATA = 18;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO_OF =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle MMAP =
      function(
          "mmap",
          FunctionDescriptor.of(
              ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG),
          ERRNO);
  private static final MethodHandle MPROTECT =
      function("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT), ERRNO);
  private static final MethodHandle SYSCALL =
      function(
          "syscall",
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          ERRNO,
          Linker.Option.firstVariadicArg(1));

  private Libc() {}

  private static MethodHandle function(
      String name, FunctionDescriptor type, Linker.Option... options) {
    MemorySegment address =
        LINKER
            .defaultLookup()
            .find(name)
            .orElseThrow(
                () -> new UnsupportedOperationException("the system has no " + name + "."));
    return LINKER.downcallHandle(address, type, options);
  }

  /** A function in machine code, for calls that are short: the collector waits for them. */
  static MethodHandle code(MemorySegment entry, FunctionDescriptor type) {
    return LINKER.downcallHandle(entry, type, Linker.Option.critical(true));
  }

  /**
   * Memory that can be written to, for the rest of the process's life.
   *
   * @throws UnsupportedOperationException if the system gives none
   */
  static MemorySegment map(long size) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment mapped =
          (MemorySegment)
              MMAP.invokeExact(
                  state,
                  MemorySegment.NULL,
                  size,
                  PROT_READ | PROT_WRITE,
                  MAP_PRIVATE_ANONYMOUS,
                  -1,
                  0L);
      if (mapped.address() == MAP_FAILED) {
        throw refused("gives no memory", state);
      }
      return mapped.reinterpret(size);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /**
   * Takes away the right to write to memory and gives that to execute it.
   *
   * @throws UnsupportedOperationException if the system does not let us
   */
  static void makeExecutable(MemorySegment memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int) MPROTECT.invokeExact(state, memory, memory.byteSize(), PROT_READ | PROT_EXEC);
      if (result != 0) {
        throw refused("forbids executable memory", state);
      }
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /**
   * Asks Linux for the registers of AMX, which a process has not by itself; all its threads get
   * them.
   *
   * @throws UnsupportedOperationException if the system does not give them
   */
  static void requestTiles() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result =
          (long)
              SYSCALL.invokeExact(state, SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
      if (result != 0) {
        throw refused("does not let this process use AMX", state);
      }
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private static UnsupportedOperationException refused(String what, MemorySegment state) {
    return new UnsupportedOperationException(
        "the system %s (errno %s).".formatted(what, (int) ERRNO_OF.get(state, 0L)));
  }

  /** What a method handle throws: of these nothing that is checked. */
  static RuntimeException unchecked(Throwable thrown) {
    if (thrown instanceof Error e) {
      throw e;
    }
    return thrown instanceof RuntimeException e ? e : new IllegalStateException(thrown);
  }
}
