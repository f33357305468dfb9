package io.github.kolors4j.image;

import io.github.kolors4j.safetensors.InvalidFileException;

/**
 * The bytes are no picture that can be used: they are damaged, cut short, of a kind that is not
 * read, or more pixels than the limit or the heap allows. The fault is that of whoever sent them,
 * where any other {@link java.io.IOException} is one of the disk or of the stream they came from.
 */
public class InvalidPictureException extends InvalidFileException {
  private static final long serialVersionUID = 1;

  /**
   * A fault of a picture's bytes.
   *
   * @param message {@code [image] NAME what is wrong, with the values: the rule. The next step.}
   */
  public InvalidPictureException(String message) {
    super(message);
  }

  /**
   * A fault of a picture's bytes that a decoder has found.
   *
   * @param message {@code [image] NAME what is wrong, with the values: the rule. The next step.}
   * @param cause what the decoder threw
   */
  public InvalidPictureException(String message, Throwable cause) {
    super(message, cause);
  }
}
