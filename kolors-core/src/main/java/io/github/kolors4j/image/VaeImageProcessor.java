package io.github.kolors4j.image;

import io.github.kolors4j.tensor.Tensor;

/** From the values that the VAE works with, about −1 to 1, to pictures and back. */
public final class VaeImageProcessor {
  private static final int CHANNELS = 3;

  private VaeImageProcessor() {}

  /**
   * One picture of a decoded batch, as diffusers' {@code VaeImageProcessor.postprocess}: {@code x/2
   * + 0.5}, clamped to 0..1, times 255, rounded half to even.
   *
   * @param sample the VAE's output {@code [n, h, w, 3]}
   * @param index which picture of the batch
   * @return the picture
   */
  public static KolorsImage postprocess(Tensor sample, int index) {
    int height = sample.dim(1);
    int width = sample.dim(2);
    if (sample.dim(3) != CHANNELS) {
      throw new IllegalArgumentException(
          "[image] the decoded sample is %s: 3 channels make a picture.".formatted(sample.shape()));
    }
    byte[] rgb = new byte[height * width * CHANNELS];
    float[] values = sample.data();
    int from = index * rgb.length;
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) toByte(values[from + i]);
    }
    return KolorsImage.of(width, height, rgb);
  }

  /** F32 as the reference computes; a value that is not a number becomes 0. */
  static int toByte(float x) {
    float unit = Math.clamp(x / 2 + 0.5f, 0f, 1f);
    return (int) Math.rint(unit * 255f);
  }
}
