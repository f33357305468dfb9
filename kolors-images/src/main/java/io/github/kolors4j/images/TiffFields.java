package io.github.kolors4j.images;

import com.twelvemonkeys.imageio.metadata.Entry;
import com.twelvemonkeys.imageio.metadata.tiff.TIFF;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageMetadata;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.PictureSource;
import java.lang.reflect.Array;
import java.util.Arrays;

/**
 * The fields of a TIFF file that say what its samples are.
 *
 * @param metadata of the first picture
 */
record TiffFields(TIFFImageMetadata metadata) {
  private static final int WHITE_IS_ZERO = 0;
  private static final int BLACK_IS_ZERO = 1;
  private static final int RGB = 2;
  private static final int PALETTE = 3;
  private static final int INKS = 5;
  private static final int YCBCR = 6;
  private static final int UNSIGNED = 1;
  private static final int PREMULTIPLIED_ALPHA = 1;
  private static final int OLD_JPEG = 6;
  private static final int JPEG = 7;

  /** Those of a small picture are larger than it. */
  private static final long LARGE_TILE = 1 << 20;

  /**
   * Refuses samples that have no place among eight bits, or no one way to get there.
   *
   * @return bits a pixel
   */
  int checkedPixelBits(PictureSource source) throws InvalidPictureException {
    int photometric = number(TIFF.TAG_PHOTOMETRIC_INTERPRETATION, -1);
    int samples = number(TIFF.TAG_SAMPLES_PER_PIXEL, 1);
    int[] bits = numbers(TIFF.TAG_BITS_PER_SAMPLE, 1);
    int[] formats = numbers(TIFF.TAG_SAMPLE_FORMAT, UNSIGNED);
    boolean even =
        Arrays.stream(bits).allMatch(each -> each == bits[0])
            && Arrays.stream(formats).allMatch(each -> each == UNSIGNED);
    boolean wide = bits[0] == 8 || bits[0] == 16;
    boolean narrow = bits[0] == 1 || bits[0] == 2 || bits[0] == 4 || bits[0] == 8;
    boolean read =
        even
            && switch (photometric) {
              case WHITE_IS_ZERO, BLACK_IS_ZERO ->
                  (samples == 1 && (narrow || wide)) || (samples == 2 && wide);
              case RGB -> 3 <= samples && samples <= 6 && wide;
              case PALETTE -> samples == 1 && narrow;
              case INKS -> 4 <= samples && samples <= 6 && wide;
              case YCBCR -> samples == 3 && bits[0] == 8;
              default -> false;
            };
    if (!read) {
      throw source.fault(
          "is a TIFF file of photometric interpretation %d with %d samples of %d bits in format %d:"
              + " grey, RGB, palettes, inks and YCbCr of whole numbers up to 16 bits are read",
          photometric, samples, bits[0], formats[0]);
    }
    return samples * bits[0];
  }

  /**
   * Refuses strips and tiles that the file cannot have, before there is room for them.
   *
   * @param pixels of the whole picture
   */
  void checkSegments(PictureSource source, long pixels) throws InvalidPictureException {
    for (int tag :
        new int[] {
          TIFF.TAG_STRIP_BYTE_COUNTS,
          TIFF.TAG_TILE_BYTE_COUNTS,
          TIFF.TAG_JPEG_INTERCHANGE_FORMAT_LENGTH
        }) {
      for (int bytes : numbers(tag, 0)) {
        if (bytes < 0 || bytes > source.bytes().length) {
          throw source.fault("is cut short or damaged: a part of it has more bytes than the file");
        }
      }
    }
    int compression = number(TIFF.TAG_COMPRESSION, 1);
    if ((compression == OLD_JPEG || compression == JPEG) && hasProgressiveFrame(source)) {
      throw source.fault("is a TIFF file with a progressive JPEG file inside, which is not read");
    }
    long tile = (long) number(TIFF.TAG_TILE_WIDTH, 0) * number(TIFF.TAG_TILE_HEIGTH, 0);
    if (tile < 0 || tile > Math.max(4 * pixels, LARGE_TILE)) {
      throw source.fault("is damaged: its tiles are much larger than its picture");
    }
  }

  /**
   * Whether there is the header of a progressive frame: its samples are known only when all of it
   * is decoded, be it ten thousand times the size of the picture.
   */
  private static boolean hasProgressiveFrame(PictureSource source) {
    for (int at = 0; at < source.bytes().length; at++) {
      for (int components = 1; components <= 4; components++) {
        if (source.has(at, 0xFF, 0xC2, 0, 8 + 3 * components, 8)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether alpha has been multiplied into the colours. */
  boolean isPremultiplied() {
    return number(TIFF.TAG_EXTRA_SAMPLES, 0) == PREMULTIPLIED_ALPHA;
  }

  /** The XMP packet; may be empty. */
  byte[] xmp() {
    Entry entry = metadata.getTIFFField(TIFF.TAG_XMP);
    return entry != null && entry.getValue() instanceof byte[] packet ? packet : new byte[0];
  }

  private int number(int tag, int missing) {
    return numbers(tag, missing)[0];
  }

  private int[] numbers(int tag, int missing) {
    Entry entry = metadata.getTIFFField(tag);
    Object value = entry == null ? null : entry.getValue();
    if (value instanceof Number number) {
      return new int[] {number.intValue()};
    }
    if (value == null || !value.getClass().isArray() || Array.getLength(value) == 0) {
      return new int[] {missing};
    }
    int[] numbers = new int[Array.getLength(value)];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = ((Number) Array.get(value, i)).intValue();
    }
    return numbers;
  }
}
