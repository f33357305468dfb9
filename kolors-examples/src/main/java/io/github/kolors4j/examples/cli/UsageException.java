package io.github.kolors4j.examples.cli;

import java.io.IOException;
import java.util.function.Supplier;

/** An argument that cannot be: exit code 2. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UsageException(String message) {
    super(message);
  }

  private UsageException(IllegalArgumentException cause) {
    super(cause.getMessage(), cause);
  }

  /** Calls the library with values of the user, which it refuses by its own sentence. */
  static <T> T check(Supplier<T> call) {
    try {
      return call.get();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e);
    }
  }

  /** What reads files of the user. */
  @FunctionalInterface
  interface Reading<T> {
    T read() throws IOException;
  }

  /** The same where files are read, whose own faults stay what they are. */
  static <T> T checkReading(Reading<T> reading) throws IOException {
    try {
      return reading.read();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e);
    }
  }
}
