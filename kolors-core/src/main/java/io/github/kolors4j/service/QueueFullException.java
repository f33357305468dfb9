package io.github.kolors4j.service;

import java.util.concurrent.RejectedExecutionException;

/** A request was refused because too many are waiting already. Later there will be room. */
public final class QueueFullException extends RejectedExecutionException {
  private static final long serialVersionUID = 1;

  private final int waiting;
  private final int running;

  /**
   * A full queue.
   *
   * @param waiting how many jobs are waiting
   * @param running how many jobs are being made
   */
  public QueueFullException(int waiting, int running) {
    super(
        "[service] the queue is full: %s jobs are waiting and %s running. Try again later."
            .formatted(waiting, running));
    this.waiting = waiting;
    this.running = running;
  }

  /**
   * How many jobs were waiting.
   *
   * @return the capacity of the queue
   */
  public int waiting() {
    return waiting;
  }

  /**
   * How many jobs were being made.
   *
   * @return the concurrency of the service
   */
  public int running() {
    return running;
  }
}
