package io.github.kolors4j.scheduler;

/**
 * How noise becomes a picture, step by step: an immutable configuration, safe to share between
 * threads and requests. Open to implementations of your own.
 */
public interface Scheduler {
  /**
   * The name by which {@code scheduler_config.json} and diffusers call it.
   *
   * @return as {@code EulerDiscreteScheduler}
   */
  String className();

  /**
   * All options, and what other schedulers left in the configuration for one another.
   *
   * @return the configuration
   */
  SchedulerConfig config();

  /**
   * The timesteps and noise levels of one request; diffusers {@code set_timesteps}.
   *
   * @param steps how many, or which
   * @return the tables, to be shared by all images of the request
   * @throws IllegalArgumentException if this scheduler cannot take such steps
   */
  Schedule schedule(Steps steps);
}
