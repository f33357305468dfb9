package io.github.kolors4j.safetensors;

import java.io.IOException;

/**
 * A file that cannot be used: it is missing, damaged, or not what it should be. The root of all
 * such faults, whether of a safetensors file, of a configuration, of a checkpoint's layout or of a
 * weight; any other {@link IOException} means that the system could not read or write.
 */
public class InvalidFileException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * A fault of a file.
   *
   * @param message {@code [part] what is wrong, with the values: the rule. The next step.}
   */
  public InvalidFileException(String message) {
    super(message);
  }

  /**
   * A fault of a file.
   *
   * @param message {@code [part] what is wrong, with the values: the rule. The next step.}
   * @param cause what made it known
   */
  public InvalidFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
