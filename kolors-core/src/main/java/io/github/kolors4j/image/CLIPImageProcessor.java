package io.github.kolors4j.image;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;

/**
 * From pictures to what CLIP's image encoder sees; transformers' {@code CLIPImageProcessor}, the
 * one that works with Pillow.
 */
public final class CLIPImageProcessor {
  private static final int CHANNELS = 3;
  private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] STD = {0.26862954, 0.26130258, 0.27577711};

  private CLIPImageProcessor() {}

  /**
   * What of a picture the encoder sees: the shorter side is brought to its size, and the longer one
   * cut on both ends.
   *
   * @param image any
   * @param size pixels in each direction, 336 for Kolors
   * @return the square; the picture itself where it is one of that size
   */
  public static KolorsImage crop(KolorsImage image, int size) {
    int shorter = Math.min(image.width(), image.height());
    int width = (int) ((long) size * image.width() / shorter);
    int height = (int) ((long) size * image.height() / shorter);
    KolorsImage resized = image.resize(width, height, ResizeFilter.BICUBIC);
    return width == size && height == size
        ? resized
        : resized.crop((width - size) / 2, (height - size) / 2, size, size);
  }

  /**
   * A picture for the encoder: {@link #crop}, from 0 to 1, less CLIP's mean, over its deviation.
   *
   * @param workspace where the tensor is made
   * @param image any
   * @param size pixels in each direction
   * @return {@code [1, size, size, 3]}, in the innermost scope
   */
  public static Tensor preprocess(Workspace workspace, KolorsImage image, int size) {
    byte[] rgb = crop(image, size).bytes();
    Tensor pixelValues = workspace.tensor(1, size, size, CHANNELS);
    float[] values = pixelValues.data();
    for (int i = 0; i < rgb.length; i++) {
      float unit = (float) ((rgb[i] & 255) * (1 / 255.0));
      int channel = i % CHANNELS;
      values[i] = (unit - (float) MEAN[channel]) / (float) STD[channel];
    }
    return pixelValues;
  }
}
