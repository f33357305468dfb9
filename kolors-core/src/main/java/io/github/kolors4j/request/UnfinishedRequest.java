package io.github.kolors4j.request;

import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a request had completed when it failed. It rides, as a suppressed exception, on whatever
 * ended the request, be that a listener's exception, a full heap or a file that vanished: {@link
 * #finishedBefore} finds it there.
 */
public final class UnfinishedRequest extends Exception {
  private static final long serialVersionUID = 1;

  private transient @Nullable Supplier<ImageResult> asked;
  private transient @Nullable ImageResult finished;

  /**
   * The rest of a request that failed.
   *
   * @param finished what was completed, which may be nothing
   */
  public UnfinishedRequest(ImageResult finished) {
    this(() -> finished);
  }

  /**
   * The rest of a request that may fail, made beforehand: when the heap is full, there is no room
   * to put together what was completed.
   *
   * @param finished tells what was completed, which may be nothing; asked once, when somebody wants
   *     to know
   */
  public UnfinishedRequest(Supplier<ImageResult> finished) {
    super(null, null, false, false);
    this.asked = finished;
  }

  /**
   * What was completed.
   *
   * @return a result with as many images and seeds as were finished, which may be none
   */
  public synchronized ImageResult finished() {
    if (finished == null && asked != null) {
      finished = asked.get();
      asked = null;
    }
    if (finished == null) { // images are not serialized
      throw new IllegalStateException("[request] the finished images are in another JVM.");
    }
    return finished;
  }

  @Override
  public synchronized String getMessage() {
    if (finished == null && asked == null) {
      return "[request] what was finished before is in another JVM.";
    }
    return "[request] %s of %s images were finished before."
        .formatted(finished().count(), finished().request().numImages());
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
        return Optional.of(unfinished.finished());
      }
    }
    return Optional.empty();
  }
}
