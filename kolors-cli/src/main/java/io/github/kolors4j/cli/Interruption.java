package io.github.kolors4j.cli;

import io.github.kolors4j.request.CancellationToken;
import java.io.IOException;

/** The end of the process by Ctrl-C: no half-written file stays, and one sentence says what is. */
final class Interruption {
  private final CancellationToken token = new CancellationToken();
  private boolean finished;
  private volatile boolean begun;

  /** What writes a file. */
  @FunctionalInterface
  interface Writing {
    void write() throws IOException;
  }

  /** Ends the requests that were given it. */
  CancellationToken token() {
    return token;
  }

  /** Whether the process is ending, so that nobody else needs to say so. */
  boolean begun() {
    return begun;
  }

  /** Writes a file, which an interruption waits for. */
  synchronized void whole(Writing writing) throws IOException {
    writing.write();
  }

  /** The command has ended by itself. */
  synchronized void finish() {
    finished = true;
  }

  /** Called when the JVM ends, for whatever reason. */
  void begin(Terminal terminal) {
    begun = true;
    token.cancel();
    synchronized (this) {
      if (!finished) {
        if (terminal.interactive()) {
          terminal.err().println();
        }
        terminal.error("interrupted before the end.");
      }
    }
  }
}
