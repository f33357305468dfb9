package io.github.kolors4j.scheduler;

/** The tables of one request: immutable, shared by its images. */
public interface Schedule {
  /**
   * The timesteps in the order in which the U-Net sees them, one for each of its runs.
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
   * How often the U-Net runs for one step of the solver. Each of its runs has an entry of its own
   * in {@link #timesteps}: with 2, entries 0, 2, 4 … begin a step, and the last step has one alone.
   * So whoever goes through the timesteps one by one need not ask; whoever starts in the middle
   * (image to image) starts at a multiple of it.
   *
   * @return 1 for most, 2 for Heun's method and its kin
   */
  int order();

  /**
   * Gives a picture the noise with which a step begins, for image to image.
   *
   * <p>This default is right where a sample is the picture with noise added, not where its variance
   * is kept at 1.
   *
   * @param stepIndex the step that will be taken first
   * @param original the picture
   * @param noise standard normals
   * @param noisy where to; may be one of the others
   * @throws IllegalArgumentException if the step does not exist or the lengths differ
   */
  default void addNoise(int stepIndex, Slice original, Slice noise, Slice noisy) {
    Tables.checkLength("noise", noise, original.length());
    Tables.checkLength("noisy sample", noisy, original.length());
    float sigma = sigmas()[stepIndex];
    for (int i = 0; i < original.length(); i++) {
      noisy.set(i, original.get(i) + sigma * noise.get(i));
    }
  }

  /**
   * Begins the denoising of one image.
   *
   * @param noise where stochastic solvers draw from; the image's own, so that its batch mates do
   *     not matter
   * @return a run, for one thread at a time
   */
  Run start(NoiseSource noise);

  /**
   * Begins the denoising of one image with diffusers' argument {@code eta}, which DDIM and TCD
   * know: from 0, no noise, to 1, as much as DDPM adds. Others do not look at it.
   *
   * @param noise where stochastic solvers draw from
   * @param eta how much noise is added in each step
   * @return a run, for one thread at a time
   * @throws IllegalArgumentException if it is not from 0 to 1, and the scheduler knows it
   */
  default Run start(NoiseSource noise, double eta) {
    return start(noise);
  }

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

    /**
     * The picture that the model sees in a sample, before a step is taken: what the sample would be
     * without its noise, by the model's output; diffusers' {@code pred_original_sample}. Nothing of
     * the run changes.
     *
     * <p>This default knows no noise level, and gives the sample as it is.
     *
     * @param stepIndex which step is about to be taken
     * @param modelOutput the U-Net's, after guidance
     * @param sample the noisy sample
     * @param original where to; may be none of the others
     * @throws IllegalArgumentException if the step does not exist or the lengths differ
     */
    default void predictOriginalSample(
        int stepIndex, Slice modelOutput, Slice sample, Slice original) {
      Tables.checkLength("original sample", original, sample.length());
      for (int i = 0; i < sample.length(); i++) {
        original.set(i, sample.get(i));
      }
    }
  }
}
