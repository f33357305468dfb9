package io.github.kolors4j.cli;

import java.util.function.Consumer;

/** Options that change a request only where they are given. */
final class Given {
  private Given() {}

  /**
   * Applies one option.
   *
   * @param value the option's, null where it is not given
   * @param setter what takes it
   */
  static <T> void given(T value, Consumer<? super T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }
}
