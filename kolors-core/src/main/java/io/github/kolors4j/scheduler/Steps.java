package io.github.kolors4j.scheduler;

import java.util.Arrays;

/** The steps of a request: a number, or exactly which. */
public sealed interface Steps {
  /** Most steps of a request, and most timesteps that a model can have been trained on. */
  int MOST = 100_000;

  /**
   * So many steps, chosen by the scheduler.
   *
   * @param numInferenceSteps 1 to {@value #MOST}
   */
  record Count(int numInferenceSteps) implements Steps {
    /**
     * So many steps.
     *
     * @throws IllegalArgumentException if they are below 1 or more than {@value #MOST}
     */
    public Count {
      if (numInferenceSteps < 1 || numInferenceSteps > MOST) {
        throw new IllegalArgumentException(
            "[scheduler] num_inference_steps is "
                + numInferenceSteps
                + (numInferenceSteps < 1
                    ? ": use 1 or more."
                    : ": use no more than " + MOST + "."));
      }
    }
  }

  /**
   * The timesteps themselves, the noisiest first.
   *
   * @param timesteps one a step
   */
  record Timesteps(float... timesteps) implements Steps {
    /**
     * Chosen timesteps.
     *
     * @throws IllegalArgumentException if there are none or more than {@value #MOST}, or one is not
     *     finite
     */
    public Timesteps {
      timesteps = checked("timesteps", 1, timesteps);
    }

    /**
     * The values.
     *
     * @return a new array, one a step
     */
    @Override
    public float[] timesteps() {
      return timesteps.clone();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Timesteps that && Arrays.equals(timesteps, that.timesteps);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(timesteps);
    }

    @Override
    public String toString() {
      return "Timesteps" + Arrays.toString(timesteps);
    }
  }

  /**
   * The noise levels themselves, the noisiest first.
   *
   * @param sigmas one before each step and one after the last, mostly 0
   */
  record Sigmas(float... sigmas) implements Steps {
    /**
     * Chosen noise levels.
     *
     * @throws IllegalArgumentException if there are fewer than two or more than {@value #MOST}, or
     *     one is negative or not finite
     */
    public Sigmas {
      sigmas = checked("sigmas", 2, sigmas);
      for (float sigma : sigmas) {
        if (sigma < 0) {
          throw new IllegalArgumentException(
              "[scheduler] sigmas hold " + sigma + ": a noise level is 0 or more.");
        }
      }
    }

    /**
     * The values.
     *
     * @return a new array, one before each step and one after the last
     */
    @Override
    public float[] sigmas() {
      return sigmas.clone();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Sigmas that && Arrays.equals(sigmas, that.sigmas);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(sigmas);
    }

    @Override
    public String toString() {
      return "Sigmas" + Arrays.toString(sigmas);
    }
  }

  /**
   * So many steps, chosen by the scheduler.
   *
   * @param numInferenceSteps 1 to {@value #MOST}
   * @return the steps
   * @throws IllegalArgumentException if they are below 1 or more than {@value #MOST}
   */
  static Steps of(int numInferenceSteps) {
    return new Count(numInferenceSteps);
  }

  private static float[] checked(String name, int least, float[] values) {
    if (values.length < least || values.length > MOST) {
      throw new IllegalArgumentException(
          "[scheduler] "
              + name
              + " have "
              + values.length
              + " values: give "
              + (values.length < least ? least + " or more." : "no more than " + MOST + "."));
    }
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new IllegalArgumentException(
            "[scheduler] " + name + " hold " + value + ": each must be a finite number.");
      }
    }
    return values.clone();
  }
}
