package io.github.kolors4j.image;

import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.vae.AutoencoderKLConfig;

/**
 * A picture of latents without the VAE, at no cost: a pixel a cell, each colour a weighted sum of
 * the channels.
 *
 * @param weights {@code [channels][3]}, to values from −1 to 1
 * @param bias of each colour
 */
public record LatentColours(float[][] weights, float[] bias) {
  private static final int RGB = 3;

  /** Of SDXL's VAE, which Kolors has too: the factors that ComfyUI publishes. */
  private static final LatentColours SDXL =
      new LatentColours(
          new float[][] {
            {.3651f, .4232f, .4341f},
            {-.2533f, -.0042f, .1068f},
            {.1076f, .1111f, -.0362f},
            {-.3165f, -.2492f, -.2188f}
          },
          new float[] {.1084f, -.0175f, -.0011f});

  /** Of the mini checkpoint: least squares over eight of its pictures, averaged over each cell. */
  private static final LatentColours MINI =
      new LatentColours(
          new float[][] {
            {.516f, .355f, .574f},
            {.204f, .494f, 1.143f},
            {-.280f, -.232f, -.180f},
            {.093f, -.516f, .013f}
          },
          new float[] {.460f, .276f, .272f});

  /**
   * The colours of a VAE: the mini checkpoint's has cells of 4 pixels, Kolors' of 8.
   *
   * @param vae its configuration
   * @return the weights
   */
  public static LatentColours of(AutoencoderKLConfig vae) {
    return vae.scaleFactor() == 4 ? MINI : SDXL;
  }

  /**
   * The picture of latents. Where they are still noisy, they are brought to the contrast of
   * finished ones.
   *
   * @param latents {@code [1, c, h, w]} in PyTorch's order, before the division by the scaling
   *     factor
   * @return the picture, of w times h pixels
   */
  public KolorsImage picture(FloatArray latents) {
    int height = latents.shape().dim(2);
    int width = latents.shape().dim(3);
    int cells = height * width;
    float[] z = latents.values();
    float scale = 1 / Math.max(1, deviation(z));
    byte[] rgb = new byte[cells * RGB];
    for (int cell = 0; cell < cells; cell++) {
      for (int colour = 0; colour < RGB; colour++) {
        float value = bias[colour];
        for (int channel = 0; channel < Math.min(weights.length, z.length / cells); channel++) {
          value += scale * z[channel * cells + cell] * weights[channel][colour];
        }
        rgb[cell * RGB + colour] = (byte) Math.round(255 * Math.clamp(value / 2 + 0.5f, 0f, 1f));
      }
    }
    return KolorsImage.of(width, height, rgb);
  }

  private static float deviation(float[] z) {
    double squares = 0;
    for (float value : z) {
      squares += (double) value * value;
    }
    return (float) Math.sqrt(squares / z.length);
  }
}
