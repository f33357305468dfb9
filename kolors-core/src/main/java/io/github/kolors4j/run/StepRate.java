package io.github.kolors4j.run;

import java.time.Duration;

/**
 * How long a denoising step takes, as far as it is known.
 *
 * <p>In the first step of a process the JVM compiles what all others run: with the mini checkpoint
 * it takes half a second, and they a thirtieth of one. A first step that is no longer than that
 * tells nothing of the next, so it is left out.
 */
final class StepRate {
  /** Of a longer step the compilers' share is small. */
  private static final long MOSTLY_WORK_NANOS = Duration.ofSeconds(5).toNanos();

  private boolean begun;
  private long nanos;
  private long steps;

  /** A step has taken so long. */
  void add(long stepNanos) {
    if (begun || stepNanos >= MOSTLY_WORK_NANOS) {
      nanos += stepNanos;
      steps++;
    }
    begun = true;
  }

  /** The mean; 0 while nothing is known. */
  long nanosPerStep() {
    return steps == 0 ? 0 : nanos / steps;
  }
}
