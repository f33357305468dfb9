/** Command line, example programs and benchmarks of kolors4j. */
module io.github.kolors4j.examples {
  requires io.github.kolors4j;
  requires info.picocli;
}
