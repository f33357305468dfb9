package io.github.kolors4j.request;

/** Is given each image of a request when it is completed, on the thread that generates. */
@FunctionalInterface
public interface ImageListener {
  /**
   * An image is complete; what happens to the request afterwards does not touch it any more.
   *
   * @param image the picture or its latents
   */
  void onImage(FinishedImage image);
}
