package io.github.kolors4j.cli;

import io.github.kolors4j.hub.HubEnvironment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * {@code kolors4j} in the user's cache folder, in the home that the hub's cache and the mini
 * checkpoint are in too; all that is in it can be made again.
 */
final class CacheFolder {
  /** Another folder in its place, as for tests. */
  static final String PROPERTY = "kolors4j.cache";

  private CacheFolder() {}

  /** None without a home, as in a container whose user the system does not know. */
  static Optional<Path> find() {
    String property = System.getProperty(PROPERTY, "");
    return property.isEmpty() ? of(System.getenv()) : Optional.of(Path.of(property));
  }

  /** Where the environment has it. */
  static Optional<Path> of(Map<String, String> variables) {
    String given = variables.get("XDG_CACHE_HOME");
    return given != null && Path.of(given).isAbsolute()
        ? Optional.of(Path.of(given, "kolors4j"))
        : HubEnvironment.home(variables).map(home -> home.resolve(".cache").resolve("kolors4j"));
  }
}
