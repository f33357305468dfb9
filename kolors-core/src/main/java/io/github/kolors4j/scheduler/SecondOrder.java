package io.github.kolors4j.scheduler;

import java.util.Arrays;

/** The tables of solvers that run the model twice a step, but once in the last. */
final class SecondOrder {
  private SecondOrder() {}

  /** Each timestep, and after all but the last that of the second run. */
  static double[] timesteps(double[] first, double[] second) {
    double[] timesteps = new double[first.length + second.length];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = i % 2 == 0 ? first[i / 2] : second[i / 2];
    }
    return timesteps;
  }

  /** Each timestep, and after it the next, where the second run is at the end of the step. */
  static double[] withEnds(double[] timesteps) {
    return timesteps(timesteps, Arrays.copyOfRange(timesteps, 1, timesteps.length));
  }

  /** All but the first twice, and 0 after them. */
  static float[] sigmas(double[] chosen) {
    float[] sigmas = new float[2 * chosen.length];
    for (int i = 0; i < sigmas.length - 1; i++) {
      sigmas[i] = (float) chosen[(i + 1) / 2];
    }
    return sigmas;
  }

  /** All but the first twice, the last three times. */
  static float[] doubled(float[] chosen) {
    float[] sigmas = new float[2 * chosen.length];
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = chosen[Math.min((i + 1) / 2, chosen.length - 1)];
    }
    return sigmas;
  }

  /** Half way in the logarithm, as {@code torch.lerp} has it. */
  static float middle(float from, float to) {
    float end = Level.log(to);
    return Level.exp(end - (end - Level.log(from)) * 0.5f);
  }
}
