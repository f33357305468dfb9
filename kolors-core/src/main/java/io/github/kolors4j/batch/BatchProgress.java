package io.github.kolors4j.batch;

import io.github.kolors4j.request.Progress;
import java.time.Duration;
import java.util.Optional;

/**
 * Where a batch stands.
 *
 * @param rows of the table
 * @param made pictures that this run has made
 * @param kept pictures that were there
 * @param failed rows without a picture
 * @param current the text or the picture that is being computed
 * @param picturesPerHour at the pace of this run so far, texts included; 0 before the first picture
 * @param timeLeft at that pace; zero before the first picture
 */
public record BatchProgress(
    long rows,
    long made,
    long kept,
    long failed,
    Optional<Progress> current,
    double picturesPerHour,
    Duration timeLeft) {

  /**
   * Rows of which it is known what becomes of them.
   *
   * @return at most {@link #rows}
   */
  public long done() {
    return made + kept + failed;
  }
}
