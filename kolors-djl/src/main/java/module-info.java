/** Kolors as an engine of Deep Java Library. */
module io.github.kolors4j.djl {
  requires transitive ai.djl.api;
  requires com.google.gson;
  requires transitive io.github.kolors4j;
  requires static org.jspecify;
  requires org.slf4j;

  exports io.github.kolors4j.djl;

  provides ai.djl.engine.EngineProvider with
      io.github.kolors4j.djl.KolorsEngineProvider;
  provides ai.djl.repository.RepositoryFactory with
      io.github.kolors4j.djl.KolorsRepositoryFactory;
}
