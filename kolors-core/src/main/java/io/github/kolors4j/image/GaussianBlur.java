package io.github.kolors4j.image;

/**
 * Pillow's {@code ImageFilter.GaussianBlur}, byte for byte: three passes of a box whose length may
 * have a fraction (Gwosdek et al. 2011), along the rows and then along the columns. Beyond the
 * edges of the picture its outermost pixels go on.
 */
final class GaussianBlur {
  private static final int CHANNELS = 3;
  private static final int PASSES = 3;

  /** Fractional bits of a weight. */
  private static final int PRECISION_BITS = 24;

  private static final int ONE = 1 << PRECISION_BITS;

  private GaussianBlur() {}

  /**
   * The weights of a box.
   *
   * @param radius whole pixels to each side
   * @param weight of each of them and of the one in the middle
   * @param farWeight of the next one to each side
   */
  private record Box(int radius, long weight, long farWeight) {
    /** As long as three of them have the deviation of the Gaussian; in the F32 of the original. */
    static Box of(float deviation) {
      float sigma2 = deviation * deviation / PASSES;
      float length = (float) Math.sqrt(12.0 * sigma2 + 1.0);
      float whole = (float) Math.floor((length - 1.0) / 2.0);
      float fraction = (2 * whole + 1) * (whole * (whole + 1) - 3 * sigma2);
      fraction /= 6 * (sigma2 - (whole + 1) * (whole + 1));
      float radius = whole + fraction;
      int pixels = (int) radius;
      long weight = (long) (ONE / (radius * 2 + 1));
      return new Box(pixels, weight, (ONE - (2L * pixels + 1) * weight) / 2);
    }
  }

  /** The bytes of the blurred picture. */
  static byte[] blur(byte[] rgb, int width, int height, float deviation) {
    Box box = Box.of(deviation);
    byte[] blurred = rgb;
    for (int pass = 0; pass < PASSES; pass++) {
      blurred = along(blurred, box, new Lines(height, width * CHANNELS, width, CHANNELS));
    }
    for (int pass = 0; pass < PASSES; pass++) {
      blurred = along(blurred, box, new Lines(width, CHANNELS, height, width * CHANNELS));
    }
    return blurred;
  }

  /**
   * The rows of a picture, or its columns.
   *
   * @param count how many
   * @param stride from one to the next, in bytes
   * @param length pixels of each
   * @param step from one pixel to the next, in bytes
   */
  private record Lines(int count, int stride, int length, int step) {}

  private static byte[] along(byte[] from, Box box, Lines lines) {
    byte[] to = new byte[from.length];
    for (int line = 0; line < lines.count; line++) {
      for (int channel = 0; channel < CHANNELS; channel++) {
        int at = line * lines.stride + channel;
        long sum = 0;
        for (int i = -box.radius - 1; i < box.radius; i++) {
          sum += pixel(from, at, lines, i);
        }
        for (int i = 0; i < lines.length; i++) {
          long left = pixel(from, at, lines, i - box.radius - 1);
          sum += pixel(from, at, lines, i + box.radius) - left;
          long far = left + pixel(from, at, lines, i + box.radius + 1);
          long bulk = sum * box.weight + far * box.farWeight;
          to[at + i * lines.step] = (byte) ((bulk + ONE / 2) >> PRECISION_BITS);
        }
      }
    }
    return to;
  }

  private static int pixel(byte[] bytes, int at, Lines lines, int index) {
    return bytes[at + Math.clamp(index, 0, lines.length - 1) * lines.step] & 255;
  }
}
