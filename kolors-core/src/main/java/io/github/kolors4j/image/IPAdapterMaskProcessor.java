package io.github.kolors4j.image;

/** From pictures to masks; diffusers' {@code IPAdapterMaskProcessor}. */
public final class IPAdapterMaskProcessor {
  private static final int CHANNELS = 3;

  private IPAdapterMaskProcessor() {}

  /**
   * A mask of zeros and ones.
   *
   * @param mask a picture of any size
   * @param width pixels in a row of the mask
   * @param height rows of the mask
   * @return for each pixel 1 where the picture is white or nearer to it, and 0 where it is black,
   *     row by row from the top
   */
  public static float[] preprocess(KolorsImage mask, int width, int height) {
    byte[] rgb = mask.resize(width, height).bytes();
    float[] values = new float[rgb.length / CHANNELS];
    for (int i = 0; i < values.length; i++) {
      int at = i * CHANNELS;
      // Pillow's grey, in 16 bits
      int grey =
          ((rgb[at] & 255) * 19595
                  + (rgb[at + 1] & 255) * 38470
                  + (rgb[at + 2] & 255) * 7471
                  + (1 << 15))
              >> 16;
      values[i] = grey / 255f >= 0.5f ? 1 : 0;
    }
    return values;
  }
}
