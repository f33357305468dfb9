/** Command line, example programs and benchmarks of kolors4j. */
module io.github.kolors4j.examples {
  requires info.picocli;
  requires io.github.kolors4j;
  requires java.management;
  requires jdk.management;

  exports io.github.kolors4j.examples;

  // picocli sets the annotated fields.
  opens io.github.kolors4j.examples.cli to
      info.picocli;
}
