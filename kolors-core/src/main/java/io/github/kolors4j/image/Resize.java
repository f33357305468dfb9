package io.github.kolors4j.image;

/**
 * The resizing of RGB bytes by a filter that is stretched where the picture shrinks; byte for byte
 * what Pillow makes. First along the rows, then along the columns, each pass a weighted sum in
 * whole numbers that is rounded to a byte.
 */
final class Resize {
  private static final int CHANNELS = 3;

  /** Fractional bits of a weight: a byte, two bits for overshoot and these fill an int. */
  private static final int PRECISION_BITS = Integer.SIZE - 8 - 2;

  private static final int HALF = 1 << (PRECISION_BITS - 1);

  private Resize() {}

  /**
   * One direction of a picture.
   *
   * @param first for each target pixel, the first source pixel that goes into it
   * @param weights for each target pixel, one weight for each source pixel from there on
   */
  private record Taps(int[] first, int[][] weights) {
    static Taps of(ResizeFilter filter, int from, int to) {
      double scale = (double) from / to;
      double stretch = Math.max(scale, 1);
      double support = filter.support() * stretch;
      int[] first = new int[to];
      int[][] weights = new int[to][];
      for (int i = 0; i < to; i++) {
        double center = (i + 0.5) * scale;
        first[i] = Math.max((int) (center - support + 0.5), 0);
        int end = Math.min((int) (center + support + 0.5), from);
        double[] exact = new double[end - first[i]];
        double sum = 0;
        for (int k = 0; k < exact.length; k++) {
          exact[k] = filter.weight((k + first[i] - center + 0.5) * (1 / stretch));
          sum += exact[k];
        }
        weights[i] = new int[exact.length];
        for (int k = 0; k < exact.length; k++) {
          double weight = (sum == 0 ? exact[k] : exact[k] / sum) * (1 << PRECISION_BITS);
          weights[i][k] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
        }
      }
      return new Taps(first, weights);
    }
  }

  /** The bytes of a picture of another size. */
  static byte[] resize(
      ResizeFilter filter, byte[] rgb, int width, int height, int newWidth, int newHeight) {
    byte[] rows =
        newWidth == width ? rgb : alongRows(Taps.of(filter, width, newWidth), rgb, width, height);
    return newHeight == height
        ? rows
        : alongColumns(Taps.of(filter, height, newHeight), rows, newWidth);
  }

  private static byte[] alongRows(Taps taps, byte[] rgb, int width, int height) {
    int newWidth = taps.first.length;
    byte[] resized = new byte[newWidth * height * CHANNELS];
    int at = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < newWidth; x++) {
        int from = (y * width + taps.first[x]) * CHANNELS;
        for (int channel = 0; channel < CHANNELS; channel++) {
          resized[at++] = sum(rgb, from + channel, CHANNELS, taps.weights[x]);
        }
      }
    }
    return resized;
  }

  private static byte[] alongColumns(Taps taps, byte[] rgb, int width) {
    int newHeight = taps.first.length;
    int row = width * CHANNELS;
    byte[] resized = new byte[row * newHeight];
    int at = 0;
    for (int y = 0; y < newHeight; y++) {
      for (int i = 0; i < row; i++) {
        resized[at++] = sum(rgb, taps.first[y] * row + i, row, taps.weights[y]);
      }
    }
    return resized;
  }

  private static byte sum(byte[] values, int from, int step, int[] weights) {
    int sum = HALF;
    for (int k = 0, at = from; k < weights.length; k++, at += step) {
      sum += (values[at] & 255) * weights[k];
    }
    return (byte) Math.clamp(sum >> PRECISION_BITS, 0, 255);
  }
}
