/** The mini checkpoint: a very small Kolors, to try the pipeline without a download. */
module io.github.kolors4j.mini {
  requires static org.jspecify;

  exports io.github.kolors4j.mini;
}
