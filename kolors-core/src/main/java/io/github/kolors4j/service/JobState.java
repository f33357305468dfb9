package io.github.kolors4j.service;

/** Where a job is in its life. It goes down this list, and never back. */
public enum JobState {
  /** Others come first. */
  QUEUED,
  /** Its pictures are being made. */
  GENERATING,
  /** All of its pictures are there. */
  COMPLETED,
  /** It ended with an error. Pictures that were finished before are kept. */
  FAILED,
  /** Somebody wanted it to end. Pictures that were finished before are kept. */
  CANCELLED;

  /**
   * Whether nothing more happens to the job.
   *
   * @return false for {@link #QUEUED} and {@link #GENERATING}
   */
  public boolean isEnded() {
    return this != QUEUED && this != GENERATING;
  }
}
