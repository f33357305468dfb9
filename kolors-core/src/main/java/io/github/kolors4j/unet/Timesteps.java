package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;

/**
 * The sinusoidal embedding of numbers (Vaswani et al. 2017, as in Ho et al. 2020); diffusers'
 * {@code Timesteps}. In F32, with functions that give the same bits on every machine.
 *
 * @param numChannels width of the embedding
 * @param flipSinToCos whether the cosines come first
 * @param freqShift taken off the number of frequencies in the exponent
 */
record Timesteps(int numChannels, boolean flipSinToCos, float freqShift) {
  private static final float LOG_MAX_PERIOD = (float) StrictMath.log(10_000);

  /** {@code timesteps [n]} to {@code [n, numChannels]}; the numbers may have fractions. */
  Tensor forward(Workspace workspace, float... timesteps) {
    int half = numChannels / 2;
    int sinAt = flipSinToCos ? half : 0;
    int cosAt = half - sinAt;
    Tensor emb = workspace.tensor(timesteps.length, numChannels); // [n, d]
    float[] data = emb.data();
    for (int i = 0; i < timesteps.length; i++) {
      int row = i * numChannels;
      for (int j = 0; j < half; j++) {
        float exponent = -LOG_MAX_PERIOD * j / (half - freqShift);
        float angle = timesteps[i] * (float) StrictMath.exp(exponent);
        data[row + sinAt + j] = (float) StrictMath.sin(angle);
        data[row + cosAt + j] = (float) StrictMath.cos(angle);
      }
      if (numChannels % 2 == 1) {
        data[row + numChannels - 1] = 0;
      }
    }
    return emb;
  }
}
