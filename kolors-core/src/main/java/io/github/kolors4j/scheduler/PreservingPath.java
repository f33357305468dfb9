package io.github.kolors4j.scheduler;

/**
 * What the solvers share that keep the variance at 1, and lay sigmas by law over the whole table of
 * trained ones: DPM-Solver's, DEIS and UniPC.
 *
 * @param lastTimestep how many trained timesteps are left when the noisiest are clipped
 * @param rounds whether the timesteps of sigmas by law are rounded, and not cut off
 */
record PreservingPath(
    NoiseSchedule noise,
    TimestepChoice timesteps,
    int lastTimestep,
    SigmaSpacing sigmaSpacing,
    SigmaEnds ends,
    boolean rounds) {

  static PreservingPath of(OptionValues options, NoiseSchedule noise) {
    TimestepChoice timesteps = TimestepChoice.of(options);
    return of(options, noise, timesteps, timesteps.trained());
  }

  static PreservingPath of(
      OptionValues options, NoiseSchedule noise, TimestepChoice timesteps, int lastTimestep) {
    SigmaSpacing law = SigmaSpacing.of(options);
    SigmaEnds ends = law == SigmaSpacing.TIMESTEPS ? SigmaEnds.FREE : SigmaEnds.of(options);
    return new PreservingPath(
        noise, timesteps, lastTimestep, law, ends, law == SigmaSpacing.KARRAS);
  }

  /**
   * This path, spaced by another law that rounds timesteps and spans the whole table, whatever
   * options say.
   */
  PreservingPath overTheTableBy(SigmaSpacing law) {
    return new PreservingPath(noise, timesteps, lastTimestep, law, SigmaEnds.FREE, true);
  }

  /** This path, with timesteps cut off to whole numbers and not rounded. */
  PreservingPath cuttingOff() {
    return new PreservingPath(noise, timesteps, lastTimestep, sigmaSpacing, ends, false);
  }

  SigmaGrid ofCount(int n) {
    if (sigmaSpacing == SigmaSpacing.TIMESTEPS) {
      return SigmaGrid.at(timesteps.allButLast(lastTimestep, n), noise);
    }
    SigmaRange range = ends.or(noise.maxSigma(), noise.minSigma());
    SigmaGrid grid = SigmaGrid.spaced(sigmaSpacing, range, n, noise).whole(rounds);
    // the table's last sigma, which a logarithm rounded down would cut off to the timestep before
    return range.max() == noise.maxSigma() ? grid.beginningAt(noise.length() - 1) : grid;
  }

  SigmaGrid ofTimesteps(float[] given) {
    sigmaSpacing.refuseTimesteps();
    return SigmaGrid.at(Grid.whole(given), noise);
  }

  /** The least sigma of so many steps: a law's own, or else that of the table. */
  double lastSigma(SigmaGrid grid) {
    return sigmaSpacing == SigmaSpacing.TIMESTEPS ? noise.minSigma() : grid.last();
  }
}
