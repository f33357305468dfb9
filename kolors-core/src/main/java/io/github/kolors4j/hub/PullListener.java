package io.github.kolors4j.hub;

/** Watches a pull, on the thread that called it. */
public interface PullListener {
  /** Nobody. */
  PullListener NONE = new PullListener() {};

  /**
   * Something is to be fetched, and nothing is yet: the last moment to show the licence. What this
   * throws ends the pull.
   *
   * @param plan the files
   * @param bytesToFetch those that the cache does not have
   */
  default void onBegin(PullPlan plan, long bytesToFetch) {}

  /**
   * Called some times a second, and at the end.
   *
   * @param progress how far it is
   */
  default void onProgress(PullProgress progress) {}
}
