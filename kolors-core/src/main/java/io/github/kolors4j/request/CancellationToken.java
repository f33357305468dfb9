package io.github.kolors4j.request;

/**
 * A wish to end requests, from any thread. A request that was given the token stops with a {@link
 * GenerationCancelledException}, within half a second and whatever it is doing, a callback aside.
 * So does one whose thread is interrupted.
 */
public final class CancellationToken {
  private volatile boolean cancelled;

  /** A token that has not been cancelled. */
  public CancellationToken() {}

  /** Asks the requests with this token to end. There is no way back. */
  public void cancel() {
    cancelled = true;
  }

  /**
   * Whether {@link #cancel} was called.
   *
   * @return true from then on
   */
  public boolean isCancelled() {
    return cancelled;
  }
}
