package io.github.kolors4j.image;

/**
 * A part of a picture that is painted by itself, at a size of its own, and put back; diffusers'
 * {@code padding_mask_crop}. In pixels of the whole picture.
 *
 * @param left first column
 * @param top first row
 * @param right column after the last
 * @param bottom row after the last
 */
public record CropRegion(int left, int top, int right, int bottom) {
  private static final int CHANNELS = 3;

  /** Fractional bits of Pillow's alpha composite. */
  private static final int ALPHA_BITS = 7;

  /**
   * Checks the edges.
   *
   * @throws IllegalArgumentException if nothing lies between them, or they begin before 0
   */
  public CropRegion {
    if (left < 0 || top < 0 || right <= left || bottom <= top) {
      throw new IllegalArgumentException(
          "[image] nothing lies between the columns %s and %s and the rows %s and %s of a picture."
              .formatted(left, right, top, bottom));
    }
  }

  /**
   * The smallest region around all that a mask marks, with a margin, and grown to the proportions
   * of a picture; diffusers' {@code VaeImageProcessor.get_crop_region}. At the edges of the mask it
   * may be less, and of other proportions.
   *
   * @param mask black where nothing is painted
   * @param width of the picture that will be painted
   * @param height of the picture that will be painted
   * @param padding the margin in pixels of the mask, 0 or more
   * @return the region
   * @throws IllegalArgumentException if the mask is all black
   */
  public static CropRegion of(KolorsImage mask, int width, int height, int padding) {
    CropRegion marked = marked(mask, padding);
    int w = marked.right - marked.left;
    int h = marked.bottom - marked.top;
    double ratio = (double) width / height;
    if ((double) w / h > ratio) {
      Span span = new Span(marked.top, marked.bottom).grown((int) (w / ratio - h), mask.height());
      return new CropRegion(marked.left, span.from, marked.right, span.to);
    }
    Span span = new Span(marked.left, marked.right).grown((int) (h * ratio - w), mask.width());
    return new CropRegion(span.from, marked.top, span.to, marked.bottom);
  }

  private static CropRegion marked(KolorsImage mask, int padding) {
    byte[] grey = Grey.of(mask);
    int w = mask.width();
    int left = w;
    int top = mask.height();
    int right = 0;
    int bottom = 0;
    for (int i = 0; i < grey.length; i++) {
      if (grey[i] != 0) {
        left = Math.min(left, i % w);
        right = Math.max(right, i % w + 1);
        top = Math.min(top, i / w);
        bottom = Math.max(bottom, i / w + 1);
      }
    }
    if (right == 0) {
      throw new IllegalArgumentException(
          "[image] the mask is all black: nothing of it marks a region to crop. Paint white into it, or blur it less.");
    }
    return new CropRegion(
        Math.max(left - padding, 0),
        Math.max(top - padding, 0),
        (int) Math.min((long) right + padding, w),
        (int) Math.min((long) bottom + padding, mask.height()));
  }

  private record Span(int from, int to) {
    /**
     * Longer by some pixels, half of them before it, and pushed back to where there is a picture.
     */
    Span grown(int more, int end) {
      int newFrom = from - more / 2;
      int newTo = to + more - more / 2;
      if (newTo >= end) {
        newFrom -= newTo - end;
        newTo = end;
      }
      if (newFrom < 0) {
        newTo -= newFrom;
        newFrom = 0;
      }
      return new Span(newFrom, Math.min(newTo, end));
    }
  }

  /**
   * The region of a picture, resized to fit into another size, in its middle; where the proportions
   * differ, the outermost rows or columns go on. Diffusers' {@code preprocess} with {@code
   * resize_mode="fill"}.
   *
   * @param image the whole picture
   * @param width of the result
   * @param height of the result
   * @return the picture of the region
   * @throws IllegalArgumentException if the picture does not have the region
   */
  public KolorsImage cut(KolorsImage image, int width, int height) {
    KolorsImage part = of(image);
    boolean wider = (double) width / height < (double) part.width() / part.height();
    int w = wider ? width : fit(part.width(), height, part.height());
    int h = wider ? fit(part.height(), width, part.width()) : height;
    KolorsImage resized = part.resize(w, h);
    int x = width / 2 - w / 2;
    int y = height / 2 - h / 2;
    byte[] rgb = new byte[width * height * CHANNELS];
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        boolean ofWhole = column < 2 * x + w && row < 2 * y + h; // an odd one is left black
        for (int channel = 0; ofWhole && channel < CHANNELS; channel++) {
          rgb[(row * width + column) * CHANNELS + channel] =
              (byte) extended(resized, column - x, row - y, channel);
        }
      }
    }
    return KolorsImage.owning(width, height, rgb);
  }

  private static int fit(int extent, int target, int other) {
    return Math.max(1, (int) ((long) extent * target / other));
  }

  /**
   * A value of a picture. Beside it the outermost pixel goes on, and as it is got by Pillow's
   * bicubic filter at the very edge, the one before has a part in it: {@code 9/8} and {@code −1/8}.
   */
  private static int extended(KolorsImage image, int x, int y, int channel) {
    int w = image.width();
    int h = image.height();
    if (x >= 0 && x < w && y >= 0 && y < h) {
      return at(image, x, y, channel);
    }
    int insideX = Math.clamp(x, 0, w - 1);
    int insideY = Math.clamp(y, 0, h - 1);
    int beforeX = insideX == x ? x : Math.clamp(x < 0 ? 1 : w - 2, 0, w - 1);
    int beforeY = insideY == y ? y : Math.clamp(y < 0 ? 1 : h - 2, 0, h - 1);
    int outermost = at(image, insideX, insideY, channel);
    int before = at(image, beforeX, beforeY, channel);
    return Math.clamp((9 * outermost - before + 4) >> 3, 0, 255);
  }

  private static int at(KolorsImage image, int x, int y, int channel) {
    return image.bytes()[(y * image.width() + x) * CHANNELS + channel] & 255;
  }

  private KolorsImage of(KolorsImage image) {
    if (right > image.width() || bottom > image.height()) {
      throw new IllegalArgumentException(
          "[image] %s has no %s: the picture and its mask must be of one size."
              .formatted(image, this));
    }
    int w = right - left;
    byte[] rgb = new byte[w * (bottom - top) * CHANNELS];
    for (int row = top; row < bottom; row++) {
      System.arraycopy(
          image.bytes(),
          (row * image.width() + left) * CHANNELS,
          rgb,
          (row - top) * w * CHANNELS,
          w * CHANNELS);
    }
    return KolorsImage.owning(w, bottom - top, rgb);
  }

  /**
   * Puts a painted region back, and the original over it wherever the mask is black; where it is
   * grey, in part. Diffusers' {@code VaeImageProcessor.apply_overlay}.
   *
   * @param painted what became of the region, of any size
   * @param original the whole picture
   * @param mask of the whole picture, white where it was painted
   * @return the whole picture
   * @throws IllegalArgumentException if original and mask differ in size, or do not have the region
   */
  public KolorsImage paste(KolorsImage painted, KolorsImage original, KolorsImage mask) {
    if (original.width() != mask.width() || original.height() != mask.height()) {
      throw new IllegalArgumentException(
          "[image] %s has a mask of %sx%s: they must be of one size."
              .formatted(original, mask.width(), mask.height()));
    }
    KolorsImage part = cropped(painted, right - left, bottom - top);
    byte[] grey = Grey.of(mask);
    byte[] rgb = new byte[original.bytes().length];
    for (int pixel = 0; pixel < grey.length; pixel++) {
      int x = pixel % original.width();
      int y = pixel / original.width();
      boolean inside = x >= left && x < right && y >= top && y < bottom;
      int alpha = 255 - (grey[pixel] & 255);
      for (int channel = 0; channel < CHANNELS; channel++) {
        int at = pixel * CHANNELS + channel;
        int below = inside ? at(part, x - left, y - top, channel) : 0;
        rgb[at] = (byte) over(original.bytes()[at] & 255, alpha, below);
      }
    }
    return KolorsImage.owning(original.width(), original.height(), rgb);
  }

  /** Resized to cover a size, and what is beyond cut off; diffusers' {@code _resize_and_crop}. */
  private static KolorsImage cropped(KolorsImage image, int width, int height) {
    boolean wider = (double) width / height > (double) image.width() / image.height();
    int w = wider ? width : (int) ((long) image.width() * height / image.height());
    int h = wider ? (int) ((long) image.height() * width / image.width()) : height;
    KolorsImage resized = image.resize(Math.max(w, 1), Math.max(h, 1));
    byte[] rgb = new byte[width * height * CHANNELS];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int fromX = x - (width / 2 - w / 2);
        int fromY = y - (height / 2 - h / 2);
        if (fromX >= 0 && fromX < w && fromY >= 0 && fromY < h) {
          for (int channel = 0; channel < CHANNELS; channel++) {
            rgb[(y * width + x) * CHANNELS + channel] = (byte) at(resized, fromX, fromY, channel);
          }
        }
      }
    }
    return KolorsImage.owning(width, height, rgb);
  }

  /** Pillow's way: multiplied by alpha, rounded, divided by it, rounded, and composed. */
  private static int over(int above, int alpha, int below) {
    if (alpha == 0) {
      return below;
    }
    int multiplied = dividedBy255(above * alpha + 128);
    int colour = alpha == 255 ? multiplied : Math.min(255 * multiplied / alpha, 255);
    int weight = alpha << ALPHA_BITS;
    int rest = (255 << ALPHA_BITS) - weight;
    return dividedBy255(colour * weight + below * rest + (128 << ALPHA_BITS)) >> ALPHA_BITS;
  }

  private static int dividedBy255(int value) {
    return ((value >> 8) + value) >> 8;
  }
}
