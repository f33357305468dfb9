package io.github.kolors4j.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * How a camera was held: the Exif tag of a JPEG or PNG file. Each is a mirror image and a turn that
 * make the stored rows upright; the order is that of the tag's values, from 1.
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

  private static final int TAG = 0x0112;
  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final long PNG = 0x89504E470D0A1A0AL;
  private static final int EXIF_CHUNK = 0x65584966; // eXIf
  private static final int JPEG = 0xFFD8;
  private static final int APP1 = 0xE1;
  private static final int START_OF_SCAN = 0xDA;

  private final boolean swapsAxes;
  private final boolean fromTheRight;
  private final boolean fromTheBottom;

  Orientation(boolean swapsAxes, boolean fromTheRight, boolean fromTheBottom) {
    this.swapsAxes = swapsAxes;
    this.fromTheRight = fromTheRight;
    this.fromTheBottom = fromTheBottom;
  }

  /** That of a file; upright where it says nothing, or nothing that can be read. */
  static Orientation of(byte[] file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(file);
      if (file.length >= 2 && (bytes.getShort(0) & 0xFFFF) == JPEG) {
        return ofJpeg(bytes);
      }
      return file.length >= 8 && bytes.getLong(0) == PNG ? ofPng(bytes) : UPRIGHT;
    } catch (IndexOutOfBoundsException _) {
      return UPRIGHT;
    }
  }

  private static Orientation ofJpeg(ByteBuffer bytes) {
    int at = 2;
    while ((bytes.get(at) & 255) == 255) {
      int marker = bytes.get(at + 1) & 255;
      if (marker == 255) {
        at++; // a fill byte
        continue;
      }
      if (marker == START_OF_SCAN) {
        return UPRIGHT;
      }
      int length = bytes.getShort(at + 2) & 0xFFFF;
      int exif = at + 4;
      if (marker == APP1 && startsWithExif(bytes, exif)) {
        return ofTiff(bytes.slice(exif + EXIF.length, length - 2 - EXIF.length));
      }
      at += 2 + length;
    }
    return UPRIGHT;
  }

  private static boolean startsWithExif(ByteBuffer bytes, int at) {
    return bytes.slice(at, EXIF.length).equals(ByteBuffer.wrap(EXIF));
  }

  private static Orientation ofPng(ByteBuffer bytes) {
    int at = Long.BYTES;
    while (true) {
      int length = bytes.getInt(at);
      if (bytes.getInt(at + 4) == EXIF_CHUNK) {
        return ofTiff(bytes.slice(at + 8, length));
      }
      if (length < 0) {
        return UPRIGHT;
      }
      at += 12 + length; // length, type and checksum
    }
  }

  private static Orientation ofTiff(ByteBuffer tiff) {
    tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int directory = tiff.getInt(4);
    int entries = tiff.getShort(directory) & 0xFFFF;
    for (int i = 0; i < entries; i++) {
      int entry = directory + 2 + 12 * i;
      if ((tiff.getShort(entry) & 0xFFFF) == TAG) {
        int value = tiff.getShort(entry + 8);
        return value >= 1 && value <= values().length ? values()[value - 1] : UPRIGHT;
      }
    }
    return UPRIGHT;
  }

  /** The picture, upright. */
  KolorsImage apply(KolorsImage stored) {
    if (this == UPRIGHT) {
      return stored;
    }
    int width = swapsAxes ? stored.height() : stored.width();
    int height = swapsAxes ? stored.width() : stored.height();
    byte[] from = stored.rgb();
    byte[] to = new byte[from.length];
    int at = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int column = swapsAxes ? y : x;
        int row = swapsAxes ? x : y;
        column = fromTheRight ? stored.width() - 1 - column : column;
        row = fromTheBottom ? stored.height() - 1 - row : row;
        System.arraycopy(from, (row * stored.width() + column) * 3, to, at, 3);
        at += 3;
      }
    }
    return KolorsImage.of(width, height, to);
  }
}
