package io.github.kolors4j.request;

/** What happens where the reference has faults; {@code docs/differences.md} lists them. */
public enum Compatibility {
  /** They are mended. */
  MENDED,
  /** They are kept, for who needs the exact pictures of diffusers. */
  DIFFUSERS
}
