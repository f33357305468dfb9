package io.github.kolors4j.safetensors;

import java.io.IOException;

/** A safetensors file, or a checkpoint's index, that is not what it should be. */
public class SafetensorsException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * A fault of a file.
   *
   * @param message what is wrong, beginning with the file
   */
  public SafetensorsException(String message) {
    super(message);
  }
}
