package io.github.kolors4j.image;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;

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

  /**
   * A picture for the VAE's encoder, as diffusers' {@code VaeImageProcessor.preprocess}: resized
   * where it has another size, then {@code 2·(byte/255) − 1}.
   *
   * @param workspace where the tensor is made
   * @param image the picture
   * @param width pixels in a row, at least 1
   * @param height rows, at least 1
   * @return {@code [1, height, width, 3]}, from −1 to 1, in the innermost scope
   * @throws IllegalArgumentException if an extent is below 1, or there are too many pixels
   */
  public static Tensor preprocess(Workspace workspace, KolorsImage image, int width, int height) {
    byte[] rgb = image.resize(width, height).rgb();
    Tensor sample = workspace.tensor(1, height, width, CHANNELS);
    float[] values = sample.data();
    for (int i = 0; i < rgb.length; i++) {
      values[i] = 2f * ((rgb[i] & 255) / 255f) - 1f;
    }
    return sample;
  }

  /**
   * A picture for a ControlNet, as diffusers' {@code prepare_control_image}: resized where it has
   * another size, then {@code byte/255}.
   *
   * @param workspace where the tensor is made
   * @param image the picture
   * @param width pixels in a row, at least 1
   * @param height rows, at least 1
   * @return {@code [1, height, width, 3]}, from 0 to 1, in the innermost scope
   * @throws IllegalArgumentException if an extent is below 1, or there are too many pixels
   */
  public static Tensor preprocessControl(
      Workspace workspace, KolorsImage image, int width, int height) {
    byte[] rgb = image.resize(width, height).bytes();
    Tensor sample = workspace.tensor(1, height, width, CHANNELS);
    float[] values = sample.data();
    for (int i = 0; i < rgb.length; i++) {
      values[i] = (rgb[i] & 255) / 255f;
    }
    return sample;
  }

  /**
   * The brightness of a picture, as diffusers' {@code VaeImageProcessor.preprocess} with {@code
   * do_convert_grayscale}: resized where it has another size, then grey.
   *
   * @param image the picture
   * @param width pixels in a row, at least 1
   * @param height rows, at least 1
   * @return {@code [height, width]}, from 0 to 1
   * @throws IllegalArgumentException if an extent is below 1, or there are too many pixels
   */
  public static float[] brightness(KolorsImage image, int width, int height) {
    byte[] grey = Grey.of(image.resize(width, height));
    float[] values = new float[grey.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (grey[i] & 255) / 255f;
    }
    return values;
  }

  /** F32 as the reference computes; a value that is not a number becomes 0. */
  static int toByte(float x) {
    float unit = Math.clamp(x / 2 + 0.5f, 0f, 1f);
    return (int) Math.rint(unit * 255f);
  }
}
