package io.github.kolors4j.safetensors;

import io.github.kolors4j.safetensors.json.ForeignText;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** A safetensors file, or a checkpoint's index, that is not what it should be. */
public class SafetensorsException extends InvalidFileException {
  private static final long serialVersionUID = 1;

  /**
   * A fault of a file.
   *
   * @param message what is wrong, beginning with the file
   */
  public SafetensorsException(String message) {
    super(message);
  }

  /**
   * A fault of a file that the system reported.
   *
   * @param message what is wrong, beginning with the file
   * @param cause what the system reported
   */
  public SafetensorsException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The fault {@code what} of {@code file}, in the form that all messages of this module have. */
  static SafetensorsException of(Path file, String what) {
    return new SafetensorsException(message(file, what));
  }

  /** As {@link #of(Path, String)}, for a file that the system would not {@code verb}. */
  static SafetensorsException of(Path file, String verb, IOException cause) {
    return new SafetensorsException(
        message(file, "cannot be " + verb + " (" + reason(cause) + ")."), cause);
  }

  /** Without the file, which is all that the message of some has. */
  static String reason(IOException cause) {
    return switch (cause) {
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException e when e.getReason() != null -> e.getReason();
      case FileSystemException e -> e.getClass().getSimpleName();
      default -> cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    };
  }

  static String message(Path file, String what) {
    return "[safetensors] " + file + ": " + what;
  }

  /** {@code text} in quotes, on one line and not too long: it comes from a file of any content. */
  static String quote(String text) {
    return ForeignText.quoted(text);
  }
}
