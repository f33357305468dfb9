/** The command line of kolors4j, with its benchmarks and checkpoints of random weights. */
module io.github.kolors4j.cli {
  requires info.picocli;
  requires io.github.kolors4j;
  requires io.github.kolors4j.mini;
  requires io.github.kolors4j.server;
  requires java.management;
  requires static jdk.incubator.vector;
  requires jdk.management;
  requires static org.jspecify;

  // picocli sets the annotated fields.
  opens io.github.kolors4j.cli to
      info.picocli;
}
