package io.github.kolors4j.hub;

import java.nio.file.Path;

/**
 * A file of the cache that is not what it should be, or of which nobody can say.
 *
 * @param file in a snapshot
 * @param content what it is a link to, over all links; the file itself where it is none
 * @param kind what is the matter
 */
public record CacheFault(Path file, Path content, Kind kind) {
  /** What can be the matter. */
  public enum Kind {
    /** A link to nothing. */
    MISSING,
    /** Its content has another hash. Where that is deleted, a pull fetches it alone. */
    DAMAGED,
    /** It was stored without links, and no listing says which hash it should have. */
    HASH_UNKNOWN
  }
}
