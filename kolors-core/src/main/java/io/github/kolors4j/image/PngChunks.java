package io.github.kolors4j.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;

/** The chunks of a PNG file, each whole and with the right checksum. */
final class PngChunks {
  private static final int SIGNATURE = 8;
  private static final int FRAME = 12; // length, type and checksum
  private static final int HEADER = 0x49484452; // IHDR
  private static final int DATA = 0x49444154; // IDAT
  private static final int END = 0x49454E44; // IEND
  private static final int EXIF = 0x65584966; // eXIf
  private static final int TEXT = 0x74455874; // tEXt
  private static final int COMPRESSED_TEXT = 0x7A545874; // zTXt
  private static final int INTERNATIONAL_TEXT = 0x69545874; // iTXt

  private static final String EXIF_KEYWORD = "Raw profile type exif";
  private static final String XMP_KEYWORD = "XML:com.adobe.xmp";

  /** Of one that is compressed, in bytes: as Pillow. */
  private static final int LONGEST_TEXT = 1 << 20;

  /** Of all of them together, in bytes beside those of the file. */
  private static final long MOST_UNPACKED = 4 << 20;

  /** By the rules of the format. */
  private static final int LONGEST_KEYWORD = 79;

  private final PictureSource source;
  private final ByteBuffer bytes;
  private byte[] exif = {};
  private final List<Text> texts = new ArrayList<>();

  /**
   * A text, unpacked when it is asked for: a file can hold thousands, of a megabyte each.
   *
   * @param type of its chunk
   * @param keyword what it is for
   * @param from where what stands after the keyword begins
   * @param end where it ends
   */
  private record Text(int type, String keyword, int from, int end) {}

  PngChunks(PictureSource source) throws InvalidPictureException {
    this.source = source;
    bytes = ByteBuffer.wrap(source.bytes());
    int at = SIGNATURE;
    int type = 0;
    boolean hasData = false;
    while (type != END && at < bytes.limit()) {
      int left = bytes.limit() - at - FRAME;
      int length = left < 0 ? -1 : bytes.getInt(at);
      if (length < 0 || length > left) {
        throw source.fault("is cut short");
      }
      type = bytes.getInt(at + 4);
      if (at == SIGNATURE && (type != HEADER || length != 13)) {
        throw source.fault("is damaged: it does not begin with its header");
      }
      check(at + 4, at + 8 + length);
      hasData |= type == DATA;
      metadata(type, at + 8, at + 8 + length);
      at += FRAME + length;
    }
    if (!hasData) {
      throw source.fault("is cut short");
    }
  }

  /** Pixels in a row; a number above 2³¹−1 is negative. */
  int width() {
    return bytes.getInt(16);
  }

  /** Rows; a number above 2³¹−1 is negative. */
  int height() {
    return bytes.getInt(20);
  }

  /** Bytes of a pixel as it is decoded. */
  int pixelBytes() {
    int channels = switch (bytes.get(25)) { // the colour type
          case 2 -> 3;
          case 4 -> 2;
          case 6 -> 4;
          default -> 1;
        };
    return bytes.get(24) > Byte.SIZE ? 2 * channels : channels;
  }

  /** The Exif block, of a chunk of its own or as ImageMagick writes it; may be empty. */
  byte[] exif() {
    return exif.length > 0 ? exif : fromHexadecimal(latin(last(EXIF_KEYWORD)));
  }

  /** The XMP packet; may be empty. */
  byte[] xmp() {
    return last(XMP_KEYWORD);
  }

  /** The texts by their keywords; of two with one keyword the first. */
  Map<String, String> texts() throws InvalidPictureException {
    Map<String, String> values = new LinkedHashMap<>();
    long unpacked = 0;
    for (Text text : texts) {
      if (!values.containsKey(text.keyword)) {
        byte[] value = unpacked(text);
        unpacked += value.length;
        if (unpacked > source.bytes().length + MOST_UNPACKED) {
          throw source.fault("has packed texts of more than %,d bytes in all", MOST_UNPACKED);
        }
        values.put(
            text.keyword,
            text.type == INTERNATIONAL_TEXT
                ? new String(value, StandardCharsets.UTF_8)
                : latin(value));
      }
    }
    return values;
  }

  /** The last text of a keyword; empty where there is none. */
  private byte[] last(String keyword) {
    for (Text text : texts.reversed()) {
      if (text.keyword.equals(keyword)) {
        return unpacked(text);
      }
    }
    return new byte[0];
  }

  private void check(int from, int end) throws InvalidPictureException {
    CRC32 sum = new CRC32();
    sum.update(source.bytes(), from, end - from);
    if ((int) sum.getValue() != bytes.getInt(end)) {
      byte[] name = Arrays.copyOfRange(source.bytes(), from, from + Integer.BYTES);
      throw source.fault(
          "is damaged: the checksum of its chunk %s is wrong",
          new String(name, StandardCharsets.US_ASCII).replaceAll("\\P{Alpha}", "?"));
    }
  }

  private void metadata(int type, int from, int end) {
    if (type == EXIF) {
      exif = Arrays.copyOfRange(source.bytes(), from, end);
    } else if (type == TEXT || type == COMPRESSED_TEXT || type == INTERNATIONAL_TEXT) {
      int value = afterZero(from, end);
      int letters = Math.max(0, value - 1 - from);
      if (letters <= LONGEST_KEYWORD) {
        byte[] keyword = Arrays.copyOfRange(source.bytes(), from, from + letters);
        texts.add(new Text(type, latin(keyword), value, end));
      }
    }
  }

  /** What stands after the keyword; empty where it cannot be read. */
  private byte[] unpacked(Text text) {
    int type = text.type;
    int end = text.end;
    int at = text.from;
    boolean compressed = type == COMPRESSED_TEXT;
    if (compressed) {
      at++; // the method
    } else if (type == INTERNATIONAL_TEXT) {
      compressed = at < end && bytes.get(at) != 0;
      at = afterZero(afterZero(at + 2, end), end); // language, and the keyword translated
    }
    if (at >= end) {
      return new byte[0];
    }
    if (!compressed) {
      return Arrays.copyOfRange(source.bytes(), at, end);
    }
    try (InputStream unpacked =
        new InflaterInputStream(new ByteArrayInputStream(source.bytes(), at, end - at))) {
      return unpacked.readNBytes(LONGEST_TEXT);
    } catch (IOException _) {
      return new byte[0];
    }
  }

  /** A name and a length, each on its line, and then lines of digits. */
  private static byte[] fromHexadecimal(String text) {
    try {
      return HexFormat.of().parseHex(text.lines().skip(3).collect(Collectors.joining()));
    } catch (IllegalArgumentException _) {
      return new byte[0];
    }
  }

  private int afterZero(int from, int end) {
    int at = from;
    while (at < end && bytes.get(at) != 0) {
      at++;
    }
    return at + 1;
  }

  private static String latin(byte[] text) {
    return new String(text, StandardCharsets.ISO_8859_1);
  }
}
