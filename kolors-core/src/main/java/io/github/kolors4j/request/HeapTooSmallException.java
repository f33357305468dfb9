package io.github.kolors4j.request;

/**
 * A request whose pictures the Java heap cannot hold, said before anything is computed. It is the
 * request that is too large or the heap that is too small: a program that counts faults of its user
 * may want to tell it from the others.
 */
public final class HeapTooSmallException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /**
   * A request that is too large.
   *
   * @param message how much it needs, how much there is, and what helps
   */
  public HeapTooSmallException(String message) {
    super(message);
  }
}
