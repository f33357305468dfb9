package io.github.kolors4j.image;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The edges of a picture (Canny 1986), for a ControlNet that draws along them; pixel for pixel
 * those of OpenCV's {@code cv2.Canny} on RGB with an aperture of 3.
 *
 * {@snippet :
 * KolorsImage edges = Canny.DEFAULT.edges(KolorsImage.read(Path.of("photo.jpg")));
 * }
 *
 * @param lowThreshold an edge goes on through gradients above it, 0 or more
 * @param highThreshold an edge begins at a gradient above it, no less than the other
 */
public record Canny(int lowThreshold, int highThreshold) {
  /** 100 and 200, with which Kolors' Canny ControlNet was trained. */
  public static final Canny DEFAULT = new Canny(100, 200);

  private static final int CHANNELS = 3;

  /** Fractional bits of a tangent. */
  private static final int SHIFT = 15;

  /** The tangent of 22.5°; that of 67.5° is larger by 2. */
  private static final int TAN_22 = 13_573;

  /**
   * Checks the thresholds.
   *
   * @throws IllegalArgumentException if one is negative, or the low one above the high one
   */
  public Canny {
    if (lowThreshold < 0 || lowThreshold > highThreshold) {
      throw new IllegalArgumentException(
          "[image] Canny's thresholds are %s and %s: the low one is 0 or more, and not above the high one."
              .formatted(lowThreshold, highThreshold));
    }
  }

  /**
   * The edges, white on black.
   *
   * @param image the picture
   * @return of the same size
   */
  public KolorsImage edges(KolorsImage image) {
    Gradients gradients = Gradients.of(image);
    boolean[] edge = follow(gradients);
    byte[] rgb = new byte[edge.length * CHANNELS];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (edge[i / CHANNELS] ? 255 : 0);
    }
    return KolorsImage.owning(image.width(), image.height(), rgb);
  }

  /**
   * Sobel's derivatives of each pixel, of its channel with the largest gradient.
   *
   * @param dx to the right
   * @param dy downwards
   * @param width pixels in a row
   */
  private record Gradients(int[] dx, int[] dy, int width) {
    static Gradients of(KolorsImage image) {
      int width = image.width();
      int height = image.height();
      Gradients gradients = new Gradients(new int[width * height], new int[width * height], width);
      byte[] rgb = image.bytes();
      for (int y = 0; y < height; y++) {
        // Beyond the edges of the picture its outermost pixels go on.
        int above = Math.max(y - 1, 0) * width;
        int here = y * width;
        int below = Math.min(y + 1, height - 1) * width;
        for (int x = 0; x < width; x++) {
          int left = Math.max(x - 1, 0);
          int right = Math.min(x + 1, width - 1);
          for (int channel = 0; channel < CHANNELS; channel++) {
            int topLeft = at(rgb, above + left, channel);
            int topRight = at(rgb, above + right, channel);
            int bottomLeft = at(rgb, below + left, channel);
            int bottomRight = at(rgb, below + right, channel);
            int dx =
                topRight
                    + bottomRight
                    - topLeft
                    - bottomLeft
                    + 2 * (at(rgb, here + right, channel) - at(rgb, here + left, channel));
            int dy =
                bottomLeft
                    + bottomRight
                    - topLeft
                    - topRight
                    + 2 * (at(rgb, below + x, channel) - at(rgb, above + x, channel));
            gradients.keepLarger(here + x, dx, dy);
          }
        }
      }
      return gradients;
    }

    private static int at(byte[] rgb, int pixel, int channel) {
      return rgb[pixel * CHANNELS + channel] & 255;
    }

    private void keepLarger(int pixel, int newDx, int newDy) {
      if (Math.abs(newDx) + Math.abs(newDy) > magnitude(pixel)) {
        dx[pixel] = newDx;
        dy[pixel] = newDy;
      }
    }

    int magnitude(int pixel) {
      return Math.abs(dx[pixel]) + Math.abs(dy[pixel]);
    }

    /** Zero beyond the edges of the picture. */
    int magnitude(int x, int y) {
      boolean inside = x >= 0 && y >= 0 && x < width && y < dx.length / width;
      return inside ? magnitude(y * width + x) : 0;
    }

    /**
     * Whether a gradient is a maximum along its direction, which is one of four. Of two equal
     * neighbours above or to the left of one another one is.
     */
    boolean isCrest(int x, int y) {
      int pixel = y * width + x;
      int m = magnitude(pixel);
      int absDx = Math.abs(dx[pixel]);
      long absDy = (long) Math.abs(dy[pixel]) << SHIFT;
      long tan22 = (long) absDx * TAN_22;
      long tan67 = tan22 + ((long) absDx << (SHIFT + 1));
      if (absDy < tan22) {
        return m > magnitude(x - 1, y) && m >= magnitude(x + 1, y);
      }
      if (absDy > tan67) {
        return m > magnitude(x, y - 1) && m >= magnitude(x, y + 1);
      }
      int s = (dx[pixel] ^ dy[pixel]) < 0 ? -1 : 1;
      return m > magnitude(x - s, y - 1) && m > magnitude(x + s, y + 1);
    }
  }

  /** From every crest above the high threshold along its neighbours above the low one. */
  private boolean[] follow(Gradients gradients) {
    int width = gradients.width();
    int height = gradients.dx().length / width;
    boolean[] crest = new boolean[width * height];
    boolean[] edge = new boolean[width * height];
    Deque<Integer> begun = new ArrayDeque<>();
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int pixel = y * width + x;
        int magnitude = gradients.magnitude(pixel);
        crest[pixel] = magnitude > lowThreshold && gradients.isCrest(x, y);
        if (crest[pixel] && magnitude > highThreshold) {
          edge[pixel] = true;
          begun.push(pixel);
        }
      }
    }
    while (!begun.isEmpty()) {
      int pixel = begun.pop();
      int top = Math.max(pixel / width - 1, 0);
      int bottom = Math.min(pixel / width + 1, height - 1);
      int left = Math.max(pixel % width - 1, 0);
      int right = Math.min(pixel % width + 1, width - 1);
      for (int y = top; y <= bottom; y++) {
        for (int x = left; x <= right; x++) {
          int next = y * width + x;
          if (crest[next] && !edge[next]) {
            edge[next] = true;
            begun.push(next);
          }
        }
      }
    }
    return edge;
  }
}
