package io.github.kolors4j.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * A reader of files, and what it promises: whatever the bytes are, it gives a value or the
 * documented exception, whose message is one line that names the file, soon and without much
 * memory.
 *
 * @param name of the kind of file
 * @param file what messages call it
 * @param seeds good files, the smallest first
 * @param mutator damages them
 * @param reader reads them, by a door that programs use
 * @param allowance bytes that it may allocate beside {@value #BYTES_FOR_EACH} for each of the file
 */
record FuzzTarget(
    String name, String file, List<byte[]> seeds, Mutator mutator, Reader reader, long allowance) {
  /** Of the processor's time: the machine may have other things to do. */
  private static final long MOST_NANOSECONDS = 1_000_000_000;

  private static final long BYTES_FOR_EACH = 64;

  private static final int LONGEST_MESSAGE = 1_500;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Reads a file through the library. */
  @FunctionalInterface
  interface Reader {
    /**
     * Reads a file to its last byte.
     *
     * @return what it holds, by value
     * @throws InvalidFileException if the file is not what it should be
     * @throws IllegalArgumentException if it is, and a request cannot be made with what it holds
     */
    Object read(byte[] file) throws IOException;
  }

  /**
   * What became of a file.
   *
   * @param value what it holds, null where it was refused
   * @param nanoseconds of the processor
   * @param bytes allocated, most of them garbage at once
   */
  record Outcome(Object value, long nanoseconds, long bytes) {
    boolean wasRead() {
      return value != null;
    }
  }

  /** Reads a file and checks all that is promised. */
  Outcome check(byte[] bytes) throws IOException {
    long thread = Thread.currentThread().threadId();
    long time = THREADS.getCurrentThreadCpuTime();
    long allocated = THREADS.getThreadAllocatedBytes(thread);
    Object value = null;
    try {
      value = reader.read(bytes);
    } catch (InvalidFileException e) {
      checkMessage(e.getMessage(), file);
    } catch (IllegalArgumentException e) {
      checkMessage(e.getMessage(), "");
    }
    long spent = THREADS.getCurrentThreadCpuTime() - time;
    long taken = THREADS.getThreadAllocatedBytes(thread) - allocated;
    assertTrue(spent <= MOST_NANOSECONDS, () -> "%,d ns".formatted(spent));
    assertTrue(
        taken <= allowance + BYTES_FOR_EACH * bytes.length,
        () -> "%,d bytes allocated".formatted(taken));
    return new Outcome(value, spent, taken);
  }

  private static void checkMessage(String message, String name) {
    assertTrue(message != null && message.startsWith("["), message);
    assertTrue(message.contains(name), message);
    assertTrue(message.length() <= LONGEST_MESSAGE, message);
    assertTrue(message.chars().noneMatch(Character::isISOControl), message);
  }

  /** For the names of tests. */
  @Override
  public String toString() {
    return name;
  }
}
