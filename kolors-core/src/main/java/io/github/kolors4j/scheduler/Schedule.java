package io.github.kolors4j.scheduler;

/** The tables of one request: immutable, shared by its images. */
public interface Schedule {
  /**
   * The timesteps in the order in which the U-Net sees them, one a step.
   *
   * @return a new array; whole numbers where the scheduler rounds them
   */
  float[] timesteps();

  /**
   * The noise level before each step, and after the last.
   *
   * @return a new array, longer than the timesteps
   */
  float[] sigmas();

  /**
   * The standard deviation that the first sample must have: multiply standard normals by it.
   *
   * @return above 0
   */
  float initNoiseSigma();

  /**
   * How often the U-Net runs for one step of the solver.
   *
   * @return 1 for most
   */
  int order();

  /**
   * Begins the denoising of one image.
   *
   * @param noise where stochastic solvers draw from; the image's own, so that its batch mates do
   *     not matter
   * @return a run, for one thread at a time
   */
  Run start(NoiseSource noise);

  /**
   * The denoising of one image, with what the solver remembers of former steps. Steps are taken in
   * order, though not necessarily from the first.
   */
  interface Run {
    /**
     * Writes the sample as the U-Net wants it.
     *
     * @param stepIndex which step is about to be taken
     * @param sample the noisy sample
     * @param scaled where to; may be {@code sample} itself
     * @throws IllegalArgumentException if the step does not exist or the lengths differ
     */
    void scaleModelInput(int stepIndex, Slice sample, Slice scaled);

    /**
     * Takes one step.
     *
     * @param stepIndex which
     * @param modelOutput the U-Net's, after guidance
     * @param sample the noisy sample; becomes that of the next step
     * @throws IllegalArgumentException if the step does not exist or the lengths differ
     */
    void step(int stepIndex, Slice modelOutput, Slice sample);
  }
}
