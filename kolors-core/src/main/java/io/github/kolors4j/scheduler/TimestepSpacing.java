package io.github.kolors4j.scheduler;

/**
 * How the timesteps of a request lie among those that were trained.
 *
 * @see <a href="https://arxiv.org/abs/2305.08891">Lin et al., 2023, table 2</a>
 */
enum TimestepSpacing {
  /** From the last to the first, both included. */
  LINSPACE,
  /** Multiples of a whole ratio from 0 on, moved up by {@code steps_offset}. */
  LEADING,
  /** From the last down by a ratio that need not be whole. */
  TRAILING
}
