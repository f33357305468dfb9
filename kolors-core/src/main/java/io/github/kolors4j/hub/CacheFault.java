package io.github.kolors4j.hub;

import java.nio.file.Path;

/**
 * A file of the cache that is not what it should be, or of which nobody can say.
 *
 * @param file in a snapshot
 * @param kind what is the matter
 */
public record CacheFault(Path file, Kind kind) {
  /** What can be the matter. */
  public enum Kind {
    /** A link to nothing. */
    MISSING,
    /** Its content has another hash. */
    DAMAGED,
    /** It was stored without links, and no listing says which hash it should have. */
    HASH_UNKNOWN
  }
}
