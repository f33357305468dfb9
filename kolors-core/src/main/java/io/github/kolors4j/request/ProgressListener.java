package io.github.kolors4j.request;

/** Hears of every stage and every step, on the thread that generates. */
@FunctionalInterface
public interface ProgressListener {
  /**
   * A stage has begun or a step has ended.
   *
   * @param progress where the request stands
   */
  void onProgress(Progress progress);
}
