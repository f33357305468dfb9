package io.github.kolors4j.batch;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What became of a table.
 *
 * @param manifest the file with a line for each row
 * @param rows of the table
 * @param made pictures that this run has made
 * @param kept pictures that were there
 * @param failed rows without a picture
 * @param elapsed from the call to the end
 * @param computing of it, in texts and pictures; the rest is the batch's own: reading rows, writing
 *     files
 * @param columns that are no arguments, and were carried along
 */
public record BatchSummary(
    Path manifest,
    long rows,
    long made,
    long kept,
    long failed,
    Duration elapsed,
    Duration computing,
    List<String> columns) {

  /** Keeps a copy. */
  public BatchSummary {
    columns = List.copyOf(columns);
  }
}
