package io.github.kolors4j.request;

import java.util.concurrent.CancellationException;

/** A request was cancelled before all its images were made; those that were are in here. */
public class GenerationCancelledException extends CancellationException {
  private static final long serialVersionUID = 1;

  private final transient ImageResult finished;

  /**
   * A cancelled request.
   *
   * @param message who wanted it, and how far the request had come
   * @param finished what was completed, which may be nothing
   */
  public GenerationCancelledException(String message, ImageResult finished) {
    super(message);
    this.finished = finished;
  }

  /**
   * What was completed.
   *
   * @return a result with as many images and seeds as were finished, which may be none
   */
  public ImageResult finished() {
    return finished;
  }
}
