package io.github.kolors4j.scheduler;

/**
 * What the solvers share that run along the sigmas of chosen timesteps, and lay these by law
 * between the first and the last that the timesteps chose: Euler's, Heun's, linear multistep, DPM 2
 * and SDE.
 */
record SigmaPath(
    NoiseSchedule noise, TimestepChoice timesteps, SigmaSpacing sigmaSpacing, SigmaEnds ends) {

  static SigmaPath of(OptionValues options, NoiseSchedule noise) {
    SigmaSpacing law = SigmaSpacing.of(options);
    boolean free = law == SigmaSpacing.TIMESTEPS;
    return new SigmaPath(
        noise, TimestepChoice.of(options), law, free ? SigmaEnds.FREE : SigmaEnds.of(options));
  }

  /** Where Karras' law does not look at {@code sigma_min} and {@code sigma_max}. */
  static SigmaPath withKarrasOfTimesteps(OptionValues options, NoiseSchedule noise) {
    return SigmaSpacing.of(options) == SigmaSpacing.KARRAS
        ? new SigmaPath(noise, TimestepChoice.of(options), SigmaSpacing.KARRAS, SigmaEnds.FREE)
        : of(options, noise);
  }

  /** Where no law is known: what asks for one was left by others. */
  static SigmaPath withoutLaw(OptionValues options, NoiseSchedule noise) {
    return new SigmaPath(noise, TimestepChoice.of(options), SigmaSpacing.TIMESTEPS, SigmaEnds.FREE);
  }

  /** So many sigmas, from timesteps in F32 or double. */
  SigmaGrid ofCount(int n, boolean inFloat) {
    return byLaw(ofTimesteps(n, inFloat), n);
  }

  /** The sigmas of so many timesteps themselves. */
  SigmaGrid ofTimesteps(int n, boolean inFloat) {
    return SigmaGrid.at(timesteps.fractional(n, inFloat), noise);
  }

  SigmaGrid ofTimesteps(float[] given) {
    sigmaSpacing.refuseTimesteps();
    return SigmaGrid.at(Grid.widened(given), noise);
  }

  /** Other sigmas between the same ends, where a law is asked for. */
  SigmaGrid byLaw(SigmaGrid chosen, int n) {
    return sigmaSpacing == SigmaSpacing.TIMESTEPS
        ? chosen
        : SigmaGrid.spaced(sigmaSpacing, ends.or(chosen.first(), chosen.last()), n, noise);
  }

  /** The standard deviation of the first sample. */
  double initNoiseSigma(float[] sigmas) {
    float max = 0;
    for (float sigma : sigmas) {
      max = Math.max(max, sigma);
    }
    boolean leading = timesteps.spacing() == TimestepSpacing.LEADING;
    return leading ? (float) Math.sqrt(max * max + 1) : max;
  }
}
