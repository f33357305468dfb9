package io.github.kolors4j.cli;

import io.github.kolors4j.request.HeapTooSmallException;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.UncheckedIOException;

/** An argument that cannot be: exit code 2. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UsageException(String message) {
    super(message);
  }

  private UsageException(IllegalArgumentException cause) {
    super(cause.getMessage(), cause);
  }

  /** What is called with values of the user. */
  @FunctionalInterface
  interface Call<T, E extends Exception> {
    T run() throws E;
  }

  /**
   * Calls the library with values of the user, which it refuses by its own sentence; other faults,
   * as of files that are read or of a heap that is too small, stay what they are.
   */
  static <T, E extends Exception> T check(Call<T, E> call) throws E {
    try {
      return call.run();
    } catch (HeapTooSmallException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      if (e.getCause() instanceof InvalidFileException ofFile) {
        throw new UncheckedIOException(e.getMessage(), ofFile);
      }
      throw new UsageException(e);
    }
  }
}
