package io.github.kolors4j.scheduler;

/**
 * What the solvers share that run along the sigmas of chosen timesteps, and lay these by law
 * between the first and the last that the timesteps chose: Euler's, Heun's, linear multistep, DPM 2
 * and SDE.
 */
record SigmaPath(
    SchedulerConfig config,
    NoiseSchedule noise,
    int numTrainTimesteps,
    TimestepSpacing timestepSpacing,
    int stepsOffset,
    SigmaSpacing sigmaSpacing) {

  static SigmaPath of(SchedulerConfig config, NoiseSchedule noise) {
    return of(config, noise, SigmaSpacing.of(config));
  }

  static SigmaPath of(SchedulerConfig config, NoiseSchedule noise, SigmaSpacing sigmaSpacing) {
    SigmaRange.of(config, 1, 1);
    return new SigmaPath(
        config,
        noise,
        config.integer("num_train_timesteps"),
        config.choice("timestep_spacing", TimestepSpacing.class),
        config.integer("steps_offset"),
        sigmaSpacing);
  }

  /** So many timesteps, which need not be whole, in F32 or double. */
  double[] timesteps(int n, boolean inFloat) {
    return timestepSpacing.fractional(numTrainTimesteps, n, stepsOffset, inFloat);
  }

  SigmaGrid ofCount(int n, boolean inFloat) {
    return byLaw(SigmaGrid.at(timesteps(n, inFloat), noise), n);
  }

  SigmaGrid ofTimesteps(float[] given) {
    sigmaSpacing.refuseTimesteps();
    return SigmaGrid.at(ConfiguredScheduler.widened(given), noise);
  }

  /** Other sigmas between the same ends, where a law is asked for. */
  SigmaGrid byLaw(SigmaGrid chosen, int n) {
    return sigmaSpacing == SigmaSpacing.TIMESTEPS
        ? chosen
        : SigmaGrid.spaced(
            sigmaSpacing, SigmaRange.of(config, chosen.first(), chosen.last()), n, noise);
  }

  /** The same where Karras' law does not look at {@code sigma_min} and {@code sigma_max}. */
  SigmaGrid ofCountWithKarrasOfTimesteps(int n, boolean inFloat) {
    if (sigmaSpacing != SigmaSpacing.KARRAS) {
      return ofCount(n, inFloat);
    }
    SigmaGrid chosen = SigmaGrid.at(timesteps(n, inFloat), noise);
    return SigmaGrid.spaced(sigmaSpacing, new SigmaRange(chosen.first(), chosen.last()), n, noise);
  }

  /** The standard deviation of the first sample. */
  double initNoiseSigma(float[] sigmas) {
    float max = 0;
    for (float sigma : sigmas) {
      max = Math.max(max, sigma);
    }
    return timestepSpacing == TimestepSpacing.LEADING ? (float) Math.sqrt(max * max + 1) : max;
  }
}
