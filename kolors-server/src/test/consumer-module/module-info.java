/** The application as a module. */
module app {
  requires io.github.kolors4j.server;
  requires io.github.kolors4j.mini;
}
