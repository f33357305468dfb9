package io.github.kolors4j.request;

import java.util.Optional;

/**
 * What a request had completed when it failed. It rides, as a suppressed exception, on whatever
 * ended the request, be that a listener's exception, a full heap or a file that vanished: {@link
 * #finishedBefore} finds it there.
 */
public final class UnfinishedRequest extends Exception {
  private static final long serialVersionUID = 1;

  private final transient ImageResult finished;

  /**
   * The rest of a request that failed.
   *
   * @param finished what was completed, which may be nothing
   */
  public UnfinishedRequest(ImageResult finished) {
    super(
        "[request] %d of %d images were finished before."
            .formatted(finished.count(), finished.request().numImages()),
        null,
        false,
        false);
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

  /**
   * What a request had completed before it failed.
   *
   * @param failure what {@code generate} threw
   * @return the images that were finished; nothing where the request had not begun
   */
  public static Optional<ImageResult> finishedBefore(Throwable failure) {
    if (failure instanceof GenerationCancelledException cancelled) {
      return Optional.of(cancelled.finished());
    }
    for (Throwable suppressed : failure.getSuppressed()) {
      if (suppressed instanceof UnfinishedRequest unfinished) {
        return Optional.of(unfinished.finished);
      }
    }
    return Optional.empty();
  }
}
