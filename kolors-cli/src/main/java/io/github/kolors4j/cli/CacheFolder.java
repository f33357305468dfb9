package io.github.kolors4j.cli;

import java.nio.file.Path;
import java.util.Optional;

/** {@code kolors4j} in the user's cache folder; all that is in it can be made again. */
final class CacheFolder {
  /** Another folder in its place, as for tests. */
  static final String PROPERTY = "kolors4j.cache";

  private CacheFolder() {}

  /** None without a home, as in a container whose user the system does not know. */
  static Optional<Path> find() {
    String property = System.getProperty(PROPERTY, "");
    if (!property.isEmpty()) {
      return Optional.of(Path.of(property));
    }
    String given = System.getenv("XDG_CACHE_HOME");
    if (given != null && Path.of(given).isAbsolute()) {
      return Optional.of(Path.of(given, "kolors4j"));
    }
    String home = System.getProperty("user.home", "");
    return home.equals("?") || !Path.of(home).isAbsolute()
        ? Optional.empty()
        : Optional.of(Path.of(home, ".cache", "kolors4j"));
  }
}
