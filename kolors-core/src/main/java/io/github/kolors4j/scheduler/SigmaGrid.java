package io.github.kolors4j.scheduler;

/**
 * Timesteps with their sigmas, before the final one is appended.
 *
 * @param timesteps the noisiest first
 * @param sigmas as many
 */
record SigmaGrid(double[] timesteps, double[] sigmas) {
  static SigmaGrid at(double[] timesteps, NoiseSchedule noise) {
    return new SigmaGrid(timesteps, noise.sigmasAt(timesteps));
  }

  /** So many sigmas by a law, and the timesteps that belong to them, which are seldom whole. */
  static SigmaGrid spaced(SigmaSpacing spacing, SigmaRange range, int n, NoiseSchedule noise) {
    double[] sigmas = spacing.between(range.max(), range.min(), n);
    return new SigmaGrid(noise.timestepsOf(sigmas), sigmas);
  }

  double first() {
    return sigmas[0];
  }

  double last() {
    return sigmas[sigmas.length - 1];
  }

  /** This grid with another first timestep; its sigmas and other timesteps stay. */
  SigmaGrid beginningAt(int timestep) {
    double[] changed = timesteps.clone();
    changed[0] = timestep;
    return new SigmaGrid(changed, sigmas);
  }

  /** This grid with whole timesteps, rounded or cut off; its sigmas stay. */
  SigmaGrid whole(boolean round) {
    double[] whole = new double[timesteps.length];
    for (int i = 0; i < whole.length; i++) {
      whole[i] = (long) (round ? Math.rint(timesteps[i]) : timesteps[i]);
    }
    return new SigmaGrid(whole, sigmas);
  }
}
