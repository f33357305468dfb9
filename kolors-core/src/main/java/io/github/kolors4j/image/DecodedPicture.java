package io.github.kolors4j.image;

import java.util.Objects;

/**
 * A picture as its file stores it, with the metadata that may say how the camera was held. Turning
 * it upright is left to the caller of the decoder.
 *
 * @param stored the pixels, in the order of the file
 * @param exif an Exif block: a TIFF header and its first directory; may be empty
 * @param xmp an XMP packet; may be empty
 */
public record DecodedPicture(KolorsImage stored, byte[] exif, byte[] xmp) {
  private static final byte[] NONE = {};

  /** Checks that nothing is missing. */
  public DecodedPicture {
    Objects.requireNonNull(stored, "stored");
    Objects.requireNonNull(exif, "exif");
    Objects.requireNonNull(xmp, "xmp");
  }

  /**
   * A picture without metadata.
   *
   * @param stored the pixels, in the order of the file
   */
  public DecodedPicture(KolorsImage stored) {
    this(stored, NONE, NONE);
  }

  /** The picture as it is to be seen. */
  KolorsImage upright() {
    return Orientation.of(exif, xmp).apply(stored);
  }
}
