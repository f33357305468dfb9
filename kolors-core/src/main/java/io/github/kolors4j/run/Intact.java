package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Whether the weights of a run were there when they were read. The system takes the pages of a
 * mapped file away when something cuts it short; the JVM then throws an error without the file's
 * name, or, rarely, late, after a result was made of zeros. So whatever leaves a run is preceded by
 * this check, which asks the system for the length of each file: microseconds a step.
 *
 * @param components the models, and the threads that have read from them
 */
record Intact(Components components) {

  /**
   * Ends a run whose weights are not as they were.
   *
   * @throws UncheckedIOException with the name of a file that was cut short
   */
  void check() {
    RuntimeException fault = fault();
    if (fault != null) {
      throw fault;
    }
    components.threads().checkStopped();
  }

  /** A sentence about a file that was cut short; null where all are whole. */
  @Nullable RuntimeException fault() {
    try {
      components.requireWholeFiles();
      return null;
    } catch (InvalidFileException e) {
      return new UncheckedIOException(e.getMessage(), e);
    }
  }
}
