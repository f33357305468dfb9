package io.github.kolors4j.hub;

import java.io.IOException;

/** A pull that cannot go on. What is there already is kept, and the next one goes on from it. */
public final class HubException extends IOException {
  private static final long serialVersionUID = 1;

  private final Reason reason;

  /** What a caller may want to tell apart. */
  public enum Reason {
    /** No such repository, or one that the token does not open; the hub does not say which. */
    NO_REPOSITORY,
    /** The repository has no such branch, tag or commit. */
    NO_REVISION,
    /** The owner's terms have to be accepted at the hub first, with the account of the token. */
    GATED,
    /** A file that is needed is not there. */
    NO_FILE,
    /** It is not in the cache, and the network is not to be used. */
    OFFLINE,
    /** No answer, or none that came to its end, after all retries. */
    UNREACHABLE,
    /** Too many requests, for longer than anyone waits. */
    RATE_LIMITED,
    /** The answer is not what the hub's protocol says. */
    PROTOCOL,
    /** What came is not what the listing promises. */
    DAMAGED,
    /** The disk is too small or cannot be written. */
    DISK
  }

  HubException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  HubException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /**
   * Why.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }
}
