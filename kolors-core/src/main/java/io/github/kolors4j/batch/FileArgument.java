package io.github.kolors4j.batch;

import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;

/**
 * Arguments of a row that name files: a picture to begin with, a ControlNet and what it follows, an
 * IP-Adapter and what it looks at. The files are hashed when the row is read, and their pixels are
 * in memory only when it is its turn.
 */
public sealed interface FileArgument permits BeginFiles, ControlNetFiles, ImagePromptFiles {
  /**
   * What the picture depends on: the files' hashes and the numbers that go with them.
   *
   * @return the same text for the same bytes, wherever the files are
   */
  String identity();

  /**
   * Reads the files.
   *
   * @param request gets what is in them
   * @throws IllegalArgumentException if a value beside them is not one that a request can have
   * @throws IOException if a file cannot be read, is no picture, or was changed since the row was
   *     read
   */
  void apply(ImageRequest.Builder request) throws IOException;
}
