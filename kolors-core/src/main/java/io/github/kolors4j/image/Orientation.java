package io.github.kolors4j.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a camera was held, by the metadata of a file. Each is a mirror image and a turn that make the
 * stored rows upright; the order is that of the tag's values, from 1. What counts as said is what
 * Pillow's {@code exif_transpose} takes for it: the tag of any type of number, and in XMP two ways
 * of writing.
 */
enum Orientation {
  UPRIGHT(false, false, false),
  MIRRORED(false, true, false),
  UPSIDE_DOWN(false, true, true),
  MIRRORED_UPSIDE_DOWN(false, false, true),
  TRANSPOSED(true, false, false),
  TURNED_LEFT(true, false, true),
  TRANSVERSE(true, true, true),
  TURNED_RIGHT(true, true, false);

  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int TAG = 0x0112;
  private static final int ENTRY = 12;
  private static final Pattern IN_XMP = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

  private final boolean swapsAxes;
  private final boolean fromTheRight;
  private final boolean fromTheBottom;

  Orientation(boolean swapsAxes, boolean fromTheRight, boolean fromTheBottom) {
    this.swapsAxes = swapsAxes;
    this.fromTheRight = fromTheRight;
    this.fromTheBottom = fromTheBottom;
  }

  /**
   * That of the Exif tag, or of the XMP packet where there is no such tag; upright where both say
   * nothing, or nothing that can be read.
   *
   * @param exif a TIFF structure, be it a whole file, with or without Exif's signature before it
   * @param xmp an XMP packet
   */
  static Orientation of(byte[] exif, byte[] xmp) {
    OptionalDouble value;
    try {
      value = inExif(exif);
    } catch (IndexOutOfBoundsException _) {
      return UPRIGHT;
    }
    if (value.isPresent()) {
      return of(value.getAsDouble());
    }
    Matcher found = IN_XMP.matcher(new String(xmp, StandardCharsets.ISO_8859_1));
    return found.find() ? of(Integer.parseInt(found.group(1))) : UPRIGHT;
  }

  private static Orientation of(double value) {
    Orientation[] ofTag = values();
    boolean known = value == Math.rint(value) && value >= 1 && value <= ofTag.length;
    return known ? ofTag[(int) value - 1] : UPRIGHT;
  }

  /** The tag's value in the first directory: the last, where there are several. */
  private static OptionalDouble inExif(byte[] exif) {
    int start = startsWithSignature(exif) ? EXIF.length : 0;
    OptionalDouble value = OptionalDouble.empty();
    if (exif.length == start) {
      return value;
    }
    ByteBuffer tiff = ByteBuffer.wrap(exif, start, exif.length - start).slice();
    tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int directory = tiff.getInt(4);
    int entries = tiff.getShort(directory) & 0xFFFF;
    int first = directory + Short.BYTES;
    for (int i = 0; i < entries && first + (i + 1) * ENTRY <= tiff.limit(); i++) {
      int entry = first + i * ENTRY;
      if ((tiff.getShort(entry) & 0xFFFF) == TAG) {
        OptionalDouble found = firstNumber(tiff, entry);
        value = found.isPresent() ? found : value;
      }
    }
    return value;
  }

  /**
   * The first value of a field; NaN where it is none of the types that Pillow takes for numbers.
   */
  private static OptionalDouble firstNumber(ByteBuffer tiff, int entry) {
    int type = tiff.getShort(entry + 2) & 0xFFFF;
    long count = tiff.getInt(entry + 4) & 0xFFFFFFFFL;
    int size =
        switch (type) {
          case 1, 2, 6, 7 -> Byte.BYTES;
          case 3, 8 -> Short.BYTES;
          case 4, 9, 11, 13 -> Integer.BYTES;
          case 5, 10, 12 -> Long.BYTES;
          default -> 0;
        };
    if (size == 0 || count == 0) {
      return OptionalDouble.empty();
    }
    int at = count * size <= Integer.BYTES ? entry + 8 : tiff.getInt(entry + 8);
    return OptionalDouble.of(
        switch (type) {
          case 3 -> tiff.getShort(at) & 0xFFFF;
          case 4, 13 -> unsigned(tiff, at);
          case 5 -> unsigned(tiff, at) / unsigned(tiff, at + Integer.BYTES);
          case 6 -> tiff.get(at);
          case 8 -> tiff.getShort(at);
          case 9 -> tiff.getInt(at);
          case 10 -> (double) tiff.getInt(at) / tiff.getInt(at + Integer.BYTES);
          case 11 -> tiff.getFloat(at);
          case 12 -> tiff.getDouble(at);
          default -> Double.NaN;
        });
  }

  private static double unsigned(ByteBuffer tiff, int at) {
    return tiff.getInt(at) & 0xFFFFFFFFL;
  }

  private static boolean startsWithSignature(byte[] exif) {
    return exif.length >= EXIF.length && Arrays.equals(exif, 0, EXIF.length, EXIF, 0, EXIF.length);
  }

  /** The picture, upright. */
  KolorsImage apply(KolorsImage picture) {
    if (this == UPRIGHT) {
      return picture;
    }
    int width = swapsAxes ? picture.height() : picture.width();
    int height = swapsAxes ? picture.width() : picture.height();
    byte[] from = picture.bytes();
    byte[] to = new byte[from.length];
    int at = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int column = swapsAxes ? y : x;
        int row = swapsAxes ? x : y;
        column = fromTheRight ? picture.width() - 1 - column : column;
        row = fromTheBottom ? picture.height() - 1 - row : row;
        System.arraycopy(from, (row * picture.width() + column) * 3, to, at, 3);
        at += 3;
      }
    }
    return KolorsImage.owning(width, height, to);
  }
}
