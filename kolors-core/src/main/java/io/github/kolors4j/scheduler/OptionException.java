package io.github.kolors4j.scheduler;

import io.github.kolors4j.safetensors.json.JsonWriter;
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
    this(key + " is " + JsonWriter.abbreviated(value) + ": " + rule);
  }

  /** A name that somebody gave, not too long for a message. */
  static String shown(String name) {
    return name.length() <= 80 ? name : name.substring(0, 77) + "...";
  }

  /** What is wrong, without the part in brackets. */
  String reason() {
    return reason;
  }
}
