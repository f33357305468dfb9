/** Small programs that show how the library is used. */
module io.github.kolors4j.examples {
  requires io.github.kolors4j;
  requires io.github.kolors4j.mini;

  exports io.github.kolors4j.examples;
}
