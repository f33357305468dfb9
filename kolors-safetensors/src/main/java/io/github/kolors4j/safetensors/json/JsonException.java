package io.github.kolors4j.safetensors.json;

import java.io.IOException;

/** A text that is not the JSON it should be, said so that the name of its file fits in front. */
public final class JsonException extends IOException {
  private static final long serialVersionUID = 1;

  /** What is wrong, a sentence without its subject. */
  private final String reason;

  private final boolean incomplete;

  JsonException(String reason) {
    this(reason, false);
  }

  JsonException(String reason, boolean incomplete) {
    super("[json] the text " + reason);
    this.reason = reason;
    this.incomplete = incomplete;
  }

  /**
   * What is wrong, to follow the name of what was read.
   *
   * @return a sentence without its subject, as {@code is not valid JSON at line 2 column 5.}
   */
  public String reason() {
    return reason;
  }

  /**
   * Whether the text ends before the JSON does, as that of a file which was cut short.
   *
   * @return false where the text is wrong before its end
   */
  public boolean incomplete() {
    return incomplete;
  }
}
