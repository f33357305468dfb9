package io.github.kolors4j.image;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Texts with a keyword each that ride in a picture's file and change none of its pixels: text
 * chunks of a PNG, as Pillow's {@code PngInfo.add_text} writes them, and comments and Exif's {@code
 * UserComment} of a JPEG.
 */
public final class PictureText {
  /**
   * The keyword of the line that the field's tools read and write, AUTOMATIC1111's first of all: in
   * a PNG a chunk of that name, in a JPEG the {@code UserComment}.
   */
  public static final String PARAMETERS = "parameters";

  private static final int MOST_KEYWORD = 79;

  /** Signature, and the header's chunk. */
  private static final int PNG_HEAD = 8 + 12 + 13;

  /** Bytes of a JPEG's segment, without the two of its length. */
  private static final int MOST_SEGMENT = 65_533;

  private static final int APP1 = 0xE1;
  private static final int COMMENT = 0xFE;
  private static final int JFIF = 0xE0;

  private PictureText() {}

  /**
   * The texts of a picture file.
   *
   * @param file a PNG or a JPEG
   * @return by keyword, in their order; none for a format without
   * @throws InvalidPictureException if it is a PNG or JPEG that is damaged
   * @throws InvalidFileException if it is missing or a folder
   * @throws IOException if the system cannot read it
   */
  public static Map<String, String> read(Path file) throws IOException {
    PictureSource source = PictureFile.open(file, PictureLimits.DEFAULT);
    if (new PngDecoder().accepts(source)) {
      return new PngChunks(source).texts();
    }
    return new JpegDecoder().accepts(source) ? ofJpeg(source.bytes()) : Map.of();
  }

  /** A PNG with texts behind its header, where also readers that stop at the pixels find them. */
  static byte[] intoPng(byte[] png, Map<String, String> texts) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(png, 0, PNG_HEAD);
    for (var text : texts.entrySet()) {
      writeChunk(out, text.getKey(), text.getValue());
    }
    out.write(png, PNG_HEAD, png.length - PNG_HEAD);
    return out.toByteArray();
  }

  /** {@code tEXt} where Latin-1 has all letters, else {@code iTXt}; never compressed. */
  private static void writeChunk(ByteArrayOutputStream out, String keyword, String text)
      throws IOException {
    byte[] key = keyword.getBytes(StandardCharsets.US_ASCII);
    if (key.length == 0 || key.length > MOST_KEYWORD) {
      throw new IllegalArgumentException(
          "[image] the keyword \"%s\" has not 1 to %s letters.".formatted(keyword, MOST_KEYWORD));
    }
    boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
    ByteArrayOutputStream chunk = new ByteArrayOutputStream();
    chunk.write((latin ? "tEXt" : "iTXt").getBytes(StandardCharsets.US_ASCII));
    chunk.write(key);
    // The end of the keyword; then flag and method of compression, language, translated keyword.
    chunk.write(new byte[latin ? 1 : 5]);
    chunk.write(text.getBytes(latin ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
    byte[] bytes = chunk.toByteArray();
    CRC32 sum = new CRC32();
    sum.update(bytes);
    out.write(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length - Integer.BYTES).array());
    out.write(bytes);
    out.write(ByteBuffer.allocate(Integer.BYTES).putInt((int) sum.getValue()).array());
  }

  /**
   * A JPEG with texts: {@link #PARAMETERS} as Exif's user comment, the others as comments of {@code
   * keyword} and, after a space, text. What is longer than a segment is left out.
   */
  static byte[] intoJpeg(byte[] jpeg, Map<String, String> texts) throws IOException {
    // SOI, and JFIF's segment where it is there
    int head = 2;
    if (jpeg.length > 6 && (jpeg[3] & 255) == JFIF) {
      head += 2 + ByteBuffer.wrap(jpeg).getChar(4);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(jpeg, 0, head);
    for (var text : texts.entrySet()) {
      if (text.getKey().equals(PARAMETERS)) {
        writeSegment(out, APP1, exif(text.getValue()));
      } else {
        String comment = text.getKey() + " " + text.getValue();
        writeSegment(out, COMMENT, comment.getBytes(StandardCharsets.UTF_8));
      }
    }
    out.write(jpeg, head, jpeg.length - head);
    return out.toByteArray();
  }

  private static void writeSegment(ByteArrayOutputStream out, int marker, byte[] content)
      throws IOException {
    if (content.length <= MOST_SEGMENT) {
      out.write(
          ByteBuffer.allocate(4)
              .put((byte) 0xFF)
              .put((byte) marker)
              .putChar((char) (content.length + 2))
              .array());
      out.write(content);
    }
  }

  /** An Exif block whose only entry is the user comment, in UTF-16 as Exif's "Unicode" is. */
  private static byte[] exif(String text) {
    byte[] comment = "UNICODE\0".getBytes(StandardCharsets.US_ASCII);
    byte[] letters = text.getBytes(StandardCharsets.UTF_16BE);
    ByteBuffer block = ByteBuffer.allocate(6 + 8 + 18 + 18 + comment.length + letters.length);
    block.put("Exif\0\0".getBytes(StandardCharsets.US_ASCII));
    block.put("MM".getBytes(StandardCharsets.US_ASCII)).putChar((char) 42).putInt(8);
    entry(block, 0x8769, 4, 1, 26); // where the Exif directory is
    entry(block, 0x9286, 7, comment.length + letters.length, 44); // UserComment
    block.put(comment).put(letters);
    return block.array();
  }

  /** A directory of one entry. */
  private static void entry(ByteBuffer block, int tag, int type, int count, int value) {
    block.putChar((char) 1).putChar((char) tag).putChar((char) type);
    block.putInt(count).putInt(value).putInt(0);
  }

  private static Map<String, String> ofJpeg(byte[] jpeg) {
    Map<String, String> texts = new LinkedHashMap<>();
    ByteBuffer bytes = ByteBuffer.wrap(jpeg);
    int at = 2;
    while (at + 4 <= jpeg.length && (jpeg[at] & 255) == 0xFF) {
      int marker = jpeg[at + 1] & 255;
      int length = bytes.getChar(at + 2);
      int end = at + 2 + length;
      if (marker < 0xC0 || marker == 0xDA || length < 2 || end > jpeg.length) {
        break; // the scan, or what is not known
      }
      if (marker == COMMENT) {
        String comment = new String(jpeg, at + 4, length - 2, StandardCharsets.UTF_8);
        int space = comment.indexOf(' ');
        if (space > 0) {
          texts.putIfAbsent(comment.substring(0, space), comment.substring(space + 1));
        }
      } else if (marker == APP1) {
        userComment(jpeg, at + 4, end, texts);
      }
      at = end;
    }
    return texts;
  }

  /** Of the form that {@link #exif} writes; what others write is theirs. */
  private static void userComment(byte[] jpeg, int from, int end, Map<String, String> texts) {
    byte[] like = exif("");
    if (end - from < like.length
        || jpeg[from + 6] != 'M'
        || ByteBuffer.wrap(jpeg).getChar(from + 34) != 0x9286) {
      return;
    }
    int begin = from + like.length;
    texts.put(PARAMETERS, new String(jpeg, begin, end - begin, StandardCharsets.UTF_16BE));
  }
}
