/** The application as a module. */
module app {
  requires io.github.kolors4j.djl;
  requires io.github.kolors4j.mini;
}
