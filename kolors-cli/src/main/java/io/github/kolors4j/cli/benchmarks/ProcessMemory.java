package io.github.kolors4j.cli.benchmarks;

import java.io.IOException;
import java.io.InputStream;
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
  private final byte[] buffer = new byte[8192];
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

  /** Reads one line's number of kB, with little garbage: what a step allocates is measured too. */
  private synchronized OptionalLong value(String key) {
    try (InputStream in = Files.newInputStream(STATUS)) {
      int length = in.readNBytes(buffer, 0, buffer.length);
      String status = new String(buffer, 0, length, StandardCharsets.ISO_8859_1);
      int begin = status.indexOf(key);
      if (begin < 0) {
        return OptionalLong.empty();
      }
      String line = status.substring(begin + key.length(), status.indexOf('\n', begin));
      return OptionalLong.of(1024 * Long.parseLong(line.replace("kB", "").strip()));
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
