package io.github.kolors4j.batch;

import java.nio.file.Path;
import java.util.Optional;

/** Who watches a batch; called on the thread that runs it. */
public interface BatchListener {
  /** Nobody. */
  BatchListener NONE = new BatchListener() {};

  /**
   * A stage or a step begins or ends, or a row is done.
   *
   * @param progress where the batch stands
   */
  default void onProgress(BatchProgress progress) {}

  /**
   * A row is done.
   *
   * @param row what became of it
   */
  default void onRow(Row row) {}

  /**
   * What became of a row.
   *
   * @param id of the row
   * @param number of the row, from 1
   * @param file the picture; nothing where there is an error
   * @param error why there is no picture, as a sentence
   * @param made whether this run has made it, or it was there
   */
  record Row(String id, long number, Optional<Path> file, Optional<String> error, boolean made) {}
}
