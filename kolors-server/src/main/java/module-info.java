/** An HTTP server over a pipeline: OpenAI's Images API, that of AUTOMATIC1111, jobs, and a page. */
module io.github.kolors4j.server {
  requires transitive io.github.kolors4j;
  requires java.management;
  requires micrometer.core;
  requires micrometer.registry.prometheus;
  requires org.eclipse.jetty.http;
  requires org.eclipse.jetty.io;
  requires org.eclipse.jetty.server;
  requires org.eclipse.jetty.util;
  requires org.slf4j;
  requires static org.jspecify;

  exports io.github.kolors4j.server;
}
