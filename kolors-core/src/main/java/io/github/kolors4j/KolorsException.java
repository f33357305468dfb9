package io.github.kolors4j;

import java.io.IOException;

/**
 * A checkpoint that cannot be used: a file, a config value or a weight that is missing or wrong.
 */
public class KolorsException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * A fault of a checkpoint.
   *
   * @param message {@code [part] what is wrong, with the values: the rule. The next step.}
   */
  public KolorsException(String message) {
    super(message);
  }

  /**
   * A fault of a checkpoint.
   *
   * @param message {@code [part] what is wrong, with the values: the rule. The next step.}
   * @param cause what made it known
   */
  public KolorsException(String message, Throwable cause) {
    super(message, cause);
  }
}
