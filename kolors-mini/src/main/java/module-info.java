/** The mini checkpoint: a very small Kolors, to try the pipeline without a download. */
module io.github.kolors4j.mini {
  exports io.github.kolors4j.mini;
}
