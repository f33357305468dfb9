package io.github.kolors4j;

import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.NotFiniteException;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.run.Preparation;
import java.io.UncheckedIOException;
import java.util.Objects;

/**
 * A request that a pipeline has checked and filled in, to be generated later without another look
 * at it. A queue refuses at its door what has no chance, and works on what is left.
 *
 * {@snippet :
 * PreparedRequest prepared = pipeline.prepare(request, RunControl.NONE);
 * ImageResult result = prepared.generate(RunControl.NONE);
 * }
 *
 * <p>Immutable. It may be generated more than once and by several threads, with the same pictures
 * each time, as its seeds are drawn; generators of its caller's go on instead.
 */
public final class PreparedRequest {
  private final KolorsPipeline pipeline;
  private final Preparation preparation;

  PreparedRequest(KolorsPipeline pipeline, Preparation preparation) {
    this.pipeline = pipeline;
    this.preparation = preparation;
  }

  /**
   * What is going to be made.
   *
   * @return the request with everything filled in that it left open: width, height and seeds
   */
  public ImageRequest request() {
    return preparation.request();
  }

  /**
   * Makes the images, one after another, as {@link KolorsPipeline#generate} does.
   *
   * @param control who watches, and who may end it; generators are those that the request was
   *     prepared with
   * @return the images, or their latents, with their seeds and the time that it took
   * @throws IllegalArgumentException if an adapter of the request does not fit the model
   * @throws GenerationCancelledException if it was cancelled, as with {@code generate}
   * @throws IllegalStateException if the pipeline is closed, or about to be
   * @throws NotFiniteException if it came to NaN or infinity, of which a black picture would become
   * @throws UncheckedIOException if a file of the weights was cut short while it was in use
   * @throws OutOfMemoryError if the heap is too small, with a sentence that says what helps
   */
  public ImageResult generate(RunControl control) {
    return pipeline.generate(preparation, Objects.requireNonNull(control, "control"));
  }
}
