package io.github.kolors4j.request;

/** What happens where the reference has faults; {@code docs/differences.md} lists them. */
public enum Compatibility {
  /** Faults of diffusers are mended: what its documentation promises is what happens. */
  MENDED,
  /**
   * Faults of diffusers are kept, for who needs its exact pictures. Black ones are among them: a
   * value that is NaN or infinite ends no request.
   */
  DIFFUSERS
}
