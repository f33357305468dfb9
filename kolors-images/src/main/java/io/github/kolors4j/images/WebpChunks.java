package io.github.kolors4j.images;

import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.PictureSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/** The chunks of a WebP file: the first frame, its place on the canvas, and the metadata. */
final class WebpChunks {
  private static final int HEADER = 8; // name and length
  private static final int FIRST = 12;
  private static final int EXTENT = 0x3FFF;
  private static final Size UNKNOWN = new Size(0, 0);

  /** Bytes that a chunk begins with, or as many of them as are looked at. */
  private static final Map<String, Integer> HEADERS =
      Map.of("VP8X", 10, "ANMF", 16, "VP8 ", 10, "VP8L", 5);

  private final PictureSource source;
  private final ByteBuffer bytes;
  private Size canvas = UNKNOWN;
  private Size frame = UNKNOWN;
  private int left;
  private int top;
  private byte[] image = {};
  private byte[] exif = {};
  private byte[] xmp = {};

  /**
   * Extents in pixels.
   *
   * @param width of a row
   * @param height rows
   */
  record Size(int width, int height) {}

  WebpChunks(PictureSource source) throws InvalidPictureException {
    this.source = source;
    bytes = ByteBuffer.wrap(source.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    walk(FIRST, end(0, bytes.limit()));
    if (image.length == 0) {
      throw source.fault("is a WebP file without a picture");
    }
    if (canvas.equals(UNKNOWN)) {
      canvas = frame;
    }
    if (left > canvas.width - frame.width || top > canvas.height - frame.height) {
      throw source.fault("is damaged: its picture reaches over its canvas");
    }
  }

  /** The extents of the whole. */
  Size canvas() {
    return canvas;
  }

  /** The extents of the first frame. */
  Size frame() {
    return frame;
  }

  /** Columns of the canvas before the frame. */
  int left() {
    return left;
  }

  /** Rows of the canvas above the frame. */
  int top() {
    return top;
  }

  /** The first frame as a WebP file of its own: the simplest there is. */
  byte[] image() {
    return image;
  }

  /** The Exif block; may be empty. */
  byte[] exif() {
    return exif;
  }

  /** The XMP packet; may be empty. */
  byte[] xmp() {
    return xmp;
  }

  private void walk(int from, int limit) throws InvalidPictureException {
    int at = from;
    while (at <= limit - HEADER) {
      int end = end(at, limit);
      chunk(at, at + HEADER, end);
      at = end + (end - at) % 2; // to an even length
    }
  }

  /** Where the chunk ends that begins there. */
  private int end(int at, int limit) throws InvalidPictureException {
    long length = bytes.limit() < at + HEADER ? -1 : bytes.getInt(at + 4) & 0xFFFFFFFFL;
    if (length < 0 || length > limit - at - HEADER) {
      throw source.fault("is cut short");
    }
    return at + HEADER + (int) length;
  }

  private void chunk(int at, int from, int end) throws InvalidPictureException {
    String name = new String(source.bytes(), at, 4, StandardCharsets.ISO_8859_1);
    int least = HEADERS.getOrDefault(name, 0);
    if (end - from < least) {
      throw source.fault("is damaged: its chunk %s has fewer than %d bytes", name.strip(), least);
    }
    switch (name) {
      case "VP8X" -> canvas = new Size(threeBytes(from + 4) + 1, threeBytes(from + 7) + 1);
      case "ANMF" -> {
        if (image.length == 0) {
          left = 2 * threeBytes(from);
          top = 2 * threeBytes(from + 3);
          walk(from + least, end);
        }
      }
      case "VP8 " -> {
        int width = bytes.getShort(from + 6) & EXTENT;
        image(at, end, new Size(width, bytes.getShort(from + 8) & EXTENT));
      }
      case "VP8L" -> {
        int extents = bytes.getInt(from + 1);
        image(at, end, new Size((extents & EXTENT) + 1, (extents >> 14 & EXTENT) + 1));
      }
      case "EXIF" -> exif = Arrays.copyOfRange(source.bytes(), from, end);
      case "XMP " -> xmp = Arrays.copyOfRange(source.bytes(), from, end);
      default -> {
        // alpha, profiles, and what is not known
      }
    }
  }

  private void image(int at, int end, Size size) {
    if (image.length > 0) {
      return; // of a later frame
    }
    frame = size;
    image = new byte[FIRST + (end - at) + (end - at) % 2];
    System.arraycopy(source.bytes(), 0, image, 0, FIRST);
    System.arraycopy(source.bytes(), at, image, FIRST, end - at);
    ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(4, image.length - HEADER);
  }

  private int threeBytes(int at) {
    return bytes.getInt(at) & 0xFFFFFF;
  }
}
