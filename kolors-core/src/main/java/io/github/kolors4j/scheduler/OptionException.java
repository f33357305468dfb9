package io.github.kolors4j.scheduler;

import org.jspecify.annotations.Nullable;

/** An option's value that the scheduler cannot take, said so that a file's name fits before it. */
final class OptionException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String reason;

  OptionException(String reason) {
    super("[scheduler] " + reason);
    this.reason = reason;
  }

  OptionException(String key, @Nullable Object value, String rule) {
    this(key + " is " + Json.write(value) + ": " + rule);
  }

  /** What is wrong, without the part in brackets. */
  String reason() {
    return reason;
  }
}
