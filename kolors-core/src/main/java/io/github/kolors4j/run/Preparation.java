package io.github.kolors4j.run;

import io.github.kolors4j.request.ImageRequest;

/**
 * What is known of a request before the work starts.
 *
 * @param resolved the request, checked and filled in
 * @param timetable its steps, of which the first one has been rehearsed
 */
public record Preparation(ResolvedRequest resolved, Timetable timetable) {
  /**
   * The request with height, width and the seed of each image.
   *
   * @return what is going to be made
   */
  public ImageRequest request() {
    return resolved.request();
  }
}
