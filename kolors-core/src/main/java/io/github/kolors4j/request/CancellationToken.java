package io.github.kolors4j.request;

import org.jspecify.annotations.Nullable;

/**
 * A wish to end requests, from any thread. A request that was given the token stops with a {@link
 * GenerationCancelledException}, within half a second and whatever it is doing, a callback aside.
 * So does one whose thread is interrupted.
 */
public final class CancellationToken {
  private final @Nullable CancellationToken parent;
  private volatile boolean cancelled;

  /** A token that has not been cancelled. */
  public CancellationToken() {
    this(null);
  }

  private CancellationToken(@Nullable CancellationToken parent) {
    this.parent = parent;
  }

  /**
   * A token for a part of what this one is for: it is cancelled with this one, or alone.
   *
   * @return another token, of which this one knows nothing
   */
  public CancellationToken child() {
    return new CancellationToken(this);
  }

  /** Asks the requests with this token to end. There is no way back. */
  public void cancel() {
    cancelled = true;
  }

  /**
   * Whether {@link #cancel} was called, here or on what this is a {@link #child} of.
   *
   * @return true from then on
   */
  public boolean isCancelled() {
    return cancelled || (parent != null && parent.isCancelled());
  }
}
