package io.github.kolors4j.tensor;

import java.util.concurrent.CancellationException;

/**
 * An operation ended before its result was whole, because whoever asked for it does not want it any
 * more: see {@link ThreadPool#stoppedBy}. What it has written so far is of no use.
 */
public final class OperationStoppedException extends CancellationException {
  private static final long serialVersionUID = 1;

  /** An operation that was stopped. */
  OperationStoppedException() {
    super("[threads] the operation was stopped from outside: its result is not whole.");
  }
}
