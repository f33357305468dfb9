package io.github.kolors4j.scheduler;

/** The course of the betas, the noise of one training timestep each. */
enum BetaSchedule {
  LINEAR,
  SCALED_LINEAR,
  SQUAREDCOS_CAP_V2,
  /** Of Heun's method alone. */
  EXP,
  /** Of DDPM alone. */
  SIGMOID,
  /** Of DDPM alone. */
  LAPLACE
}
