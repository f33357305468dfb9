package io.github.kolors4j.cli;

import io.github.kolors4j.request.CancellationToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;

/**
 * The end of the process, by Ctrl-C or by a failure: no half-written file stays, what is finished
 * is kept, and one sentence says where.
 */
final class Interruption {
  /** Names of files that a sentence has; of more, the first and the last ones. */
  private static final int MOST_NAMES = 8;

  private final CancellationToken token = new CancellationToken();
  private final List<Path> saved = new ArrayList<>();
  private Writing rest = () -> {};
  private boolean finished;
  private boolean over;
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

  /**
   * Writes a file, which an interruption waits for.
   *
   * @throws CancellationException if the interruption has waited and now nothing can be written to
   *     its end
   */
  synchronized void whole(Path file, Writing writing) throws IOException {
    if (over) {
      throw new CancellationException("[output] interrupted before " + file + " was written.");
    }
    writing.write();
    if (!OutputFiles.isStandardOutput(file)) {
      saved.add(file);
    }
  }

  /** Has something written that is worth keeping should the process be interrupted. */
  synchronized void beforeTheEnd(Writing writing) {
    rest = writing;
  }

  /** A sentence on the files that are complete, with a space before it; empty if there are none. */
  synchronized String saved() {
    if (saved.isEmpty()) {
      return "";
    }
    List<String> names = saved.stream().map(Path::toString).toList();
    if (names.size() > MOST_NAMES) {
      names = List.of(names.get(0), names.get(1), "...", names.getLast());
    }
    return " Complete %s: %s."
        .formatted(
            saved.size() == 1 ? "is 1 file" : "are " + saved.size() + " files",
            names.stream().collect(Collectors.joining(", ")));
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
        String fault = "";
        try {
          rest.write();
        } catch (IOException | OutOfMemoryError e) {
          fault = " " + KolorsCommand.sentence(e);
        }
        terminal.error("interrupted before the end." + saved() + fault);
      }
      over = true;
    }
  }
}
