package io.github.kolors4j.examples.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The most memory that the process has had, as Linux tells it: of all pages, and of those that are
 * not of a file and so cannot be taken back (mapped weights are of a file).
 */
public final class ProcessMemory implements AutoCloseable {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final long PAUSE_MILLIS = 20;

  private final Thread sampler;
  private volatile boolean closed;
  private volatile long anonymous;

  /** Begins to watch. */
  public ProcessMemory() {
    sampler = Thread.ofPlatform().daemon().name("memory").unstarted(this::sample);
    if (Files.isReadable(STATUS)) {
      sampler.start();
    }
  }

  private void sample() {
    while (!closed) {
      note();
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private synchronized void note() {
    anonymous = Math.max(anonymous, value("RssAnon:").orElse(0));
  }

  /**
   * The most resident memory so far.
   *
   * @return bytes, or nothing where the system does not tell
   */
  public OptionalLong resident() {
    return value("VmHWM:");
  }

  /**
   * The most anonymous memory so far, by samples.
   *
   * @return bytes, or nothing where the system does not tell
   */
  public OptionalLong anonymous() {
    note();
    return anonymous == 0 ? OptionalLong.empty() : OptionalLong.of(anonymous);
  }

  private static OptionalLong value(String key) {
    try {
      return Files.readAllLines(STATUS, StandardCharsets.ISO_8859_1).stream()
          .filter(line -> line.startsWith(key))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst();
    } catch (IOException _) {
      return OptionalLong.empty();
    }
  }

  /** Ends the watching. */
  @Override
  public void close() {
    closed = true;
    sampler.interrupt();
  }
}
