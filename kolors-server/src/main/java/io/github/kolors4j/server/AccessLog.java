package io.github.kolors4j.server;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A line for each answer, without anything of what was asked. */
final class AccessLog {
  /** The name of the log, so that it can be turned on and off. */
  static final String NAME = "io.github.kolors4j.server.access";

  private static final Logger LOG = LoggerFactory.getLogger(NAME);

  /**
   * An answer was given.
   *
   * @param exchange the request
   * @param status of the answer
   * @param failure what kept it from its end; null for none
   * @param nanos how long it took
   */
  void answered(Exchange exchange, int status, @Nullable Throwable failure, long nanos) {
    if (LOG.isInfoEnabled()) {
      String end = failure == null ? Integer.toString(status) : "broken off";
      String milliseconds = String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
      LOG.info(
          "{} {} {} {} {} {}",
          exchange.remote(),
          exchange.method(),
          shown(exchange.path()),
          end,
          milliseconds,
          exchange.id());
    }
  }

  /** A path is what anybody may send. */
  private static String shown(String path) {
    String clean = path.replaceAll("[^!-~]", "?");
    return clean.length() <= 200 ? clean : clean.substring(0, 200) + "...";
  }
}
