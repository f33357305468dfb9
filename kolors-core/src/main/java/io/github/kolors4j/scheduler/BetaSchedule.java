package io.github.kolors4j.scheduler;

/** The course of the betas, the noise of one training timestep each. */
enum BetaSchedule {
  LINEAR,
  SCALED_LINEAR,
  SQUAREDCOS_CAP_V2,
  /** Betas of a cumulated product that falls exponentially; only Heun's method has it. */
  EXP,
  /** Betas along a sigmoid; only DDPM has it. */
  SIGMOID,
  /** Betas of a noise level with Laplace's distribution; only DDPM has it. */
  LAPLACE
}
