package io.github.kolors4j.image;

import java.util.Locale;

/**
 * The largest picture that is read. A few kilobytes can unpack to gigabytes, so the pixels are
 * counted before any is decoded; what the Java heap cannot hold is refused too, whatever is said
 * here.
 *
 * @param maxPixels width times height, at least 1
 * @param maxBytes the length of a file or stream, at least 1
 */
public record PictureLimits(long maxPixels, long maxBytes) {
  /** Pillow's limit of pixels, 178,956,970, and 2³⁰ bytes. */
  public static final PictureLimits DEFAULT = new PictureLimits(178_956_970, 1L << 30);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is below 1
   */
  public PictureLimits {
    if (maxPixels < 1 || maxBytes < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "[image] limits of %,d pixels and %,d bytes: each must be at least 1.",
              maxPixels,
              maxBytes));
    }
  }

  /**
   * These limits with another number of pixels.
   *
   * @param pixels width times height, at least 1
   * @return the limits
   * @throws IllegalArgumentException if it is below 1
   */
  public PictureLimits withMaxPixels(long pixels) {
    return new PictureLimits(pixels, maxBytes);
  }

  /**
   * These limits with another length.
   *
   * @param bytes of a file or stream, at least 1
   * @return the limits
   * @throws IllegalArgumentException if it is below 1
   */
  public PictureLimits withMaxBytes(long bytes) {
    return new PictureLimits(maxPixels, bytes);
  }
}
