package io.github.kolors4j.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What stands in a JPEG file before the data of its first scan. */
final class JpegHead {
  private static final int TEMPORARY = 0x01;
  private static final int FIRST_FRAME = 0xC0;
  private static final int LAST_FRAME = 0xCF;
  private static final int HUFFMAN_TABLES = 0xC4;
  private static final int ARITHMETIC_CONDITIONING = 0xCC;
  private static final int FIRST_BARE = 0xD0; // restarts, start and end have no length
  private static final int LAST_BARE = 0xD9;
  private static final int START_OF_SCAN = 0xDA;
  private static final int APP0 = 0xE0;
  private static final int APP1 = 0xE1;
  private static final int APP14 = 0xEE;
  private static final int APP15 = 0xEF;
  private static final int COMMENT = 0xFE;

  private static final byte[] JFIF = ascii("JFIF\0");
  private static final byte[] EXIF = ascii("Exif\0\0");
  private static final byte[] XMP = ascii("http://ns.adobe.com/xap/1.0/\0");
  private static final byte[] ADOBE = ascii("Adobe");

  private final PictureSource source;
  private final ByteArrayOutputStream tables = new ByteArrayOutputStream();
  private final ByteArrayOutputStream exif = new ByteArrayOutputStream();
  private final int scan;
  private byte[] xmp = {};
  private boolean jfif;
  private int adobeTransform = -1;
  private Frame frame;

  /**
   * The frame header.
   *
   * @param process the low half of its marker: 0 and 1 sequential, 2 progressive
   * @param precision bits a sample
   * @param width pixels in a row
   * @param height rows
   * @param ids of the components
   * @param sampling of the components, across and down in half a byte each
   */
  record Frame(int process, int precision, int width, int height, byte[] ids, byte[] sampling) {
    int components() {
      return ids.length;
    }

    /** Whether a component has half of the rows and all of the columns. */
    boolean hasHalfTheRows(int component) {
      int most = 0;
      int across = 0;
      for (byte each : sampling) {
        most = Math.max(most, each & 15);
        across = Math.max(across, each >> 4);
      }
      return sampling[component] >> 4 == across && 2 * (sampling[component] & 15) == most;
    }
  }

  JpegHead(PictureSource source) throws InvalidPictureException {
    this.source = source;
    int at = nextMarker(2);
    for (int marker = marker(at); marker != START_OF_SCAN; marker = marker(at)) {
      if (marker == TEMPORARY || (FIRST_BARE <= marker && marker <= LAST_BARE)) {
        at = nextMarker(at + 2);
      } else {
        int end = end(at);
        segment(marker, at, end);
        at = nextMarker(end);
      }
    }
    scan = at;
    end(scan);
    if (frame == null) {
      throw source.fault("is damaged: it has a scan without a frame");
    }
  }

  Frame frame() {
    return frame;
  }

  /** The segments that a decoder of samples needs: no metadata, nothing that is said of colours. */
  byte[] tables() {
    return tables.toByteArray();
  }

  /** Where the first scan begins. */
  int scan() {
    return scan;
  }

  /** Whether the one scan has all there is, so that the data ends with the last row. */
  boolean hasOneScan() {
    return frame.process <= 1 && (source.bytes()[scan + 4] & 255) == frame.components();
  }

  /** The Exif block, of one segment or several; may be empty. */
  byte[] exif() {
    return exif.toByteArray();
  }

  /** The XMP packet; may be empty. */
  byte[] xmp() {
    return xmp;
  }

  /** Whether the first three components are brightness and colour differences: libjpeg's rules. */
  boolean hasColourDifferences() {
    if (frame.components() < 3) {
      return false;
    }
    if (frame.components() == 3 && jfif) {
      return true;
    }
    if (adobeTransform >= 0) {
      return adobeTransform != 0;
    }
    return frame.components() == 3 && !Arrays.equals(frame.ids, ascii("RGB"));
  }

  private void segment(int marker, int at, int end) throws InvalidPictureException {
    int from = at + 4;
    if (marker == APP0 && end - from >= 14 && begins(from, end, JFIF)) {
      jfif = true;
    } else if (marker == APP1 && begins(from, end, EXIF)) {
      exif.write(source.bytes(), from + EXIF.length, end - from - EXIF.length);
    } else if (marker == APP1 && begins(from, end, XMP)) {
      xmp = Arrays.copyOfRange(source.bytes(), from + XMP.length, end);
    } else if (marker == APP14 && end - from >= 12 && begins(from, end, ADOBE)) {
      adobeTransform = source.bytes()[from + 11] & 255;
    } else if (FIRST_FRAME <= marker
        && marker <= LAST_FRAME
        && marker != HUFFMAN_TABLES
        && marker != ARITHMETIC_CONDITIONING) {
      frame = frame(marker, from, end);
    }
    if ((marker < APP0 || marker > APP15) && marker != COMMENT) {
      tables.write(source.bytes(), at, end - at);
    }
  }

  private Frame frame(int marker, int from, int end) throws InvalidPictureException {
    byte[] bytes = source.bytes();
    int components = end - from < 6 ? 0 : bytes[from + 5] & 255;
    if (end - from < 6 + 3 * components) {
      throw source.fault("is damaged: its frame header is too short");
    }
    byte[] ids = new byte[components];
    byte[] sampling = new byte[components];
    for (int i = 0; i < components; i++) {
      ids[i] = bytes[from + 6 + 3 * i];
      sampling[i] = bytes[from + 7 + 3 * i];
    }
    int height = unsignedShort(from + 1);
    int width = unsignedShort(from + 3);
    return new Frame(marker & 15, bytes[from] & 255, width, height, ids, sampling);
  }

  /** Passes over fill bytes and what else does not belong, as Pillow does. */
  private int nextMarker(int from) throws InvalidPictureException {
    byte[] bytes = source.bytes();
    for (int at = from; at < bytes.length - 1; at++) {
      if (bytes[at] == -1 && bytes[at + 1] != 0 && bytes[at + 1] != -1) {
        return at;
      }
    }
    throw source.fault("is cut short");
  }

  private int marker(int at) {
    return source.bytes()[at + 1] & 255;
  }

  /** Where the segment ends whose marker is there. */
  private int end(int at) throws InvalidPictureException {
    int left = source.bytes().length - at - 2;
    int length = left < 2 ? 0 : unsignedShort(at + 2);
    if (length < 2 || length > left) {
      throw source.fault("is cut short");
    }
    return at + 2 + length;
  }

  private int unsignedShort(int at) {
    return ((source.bytes()[at] & 255) << 8) | (source.bytes()[at + 1] & 255);
  }

  private boolean begins(int from, int end, byte[] signature) {
    return end - from >= signature.length
        && Arrays.equals(
            source.bytes(), from, from + signature.length, signature, 0, signature.length);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
