package io.github.kolors4j.tokenizer;

import io.github.kolors4j.tokenizer.SentencePieceModel.PieceType;
import java.io.ByteArrayOutputStream;
import java.util.List;

/** From pieces back to text, as SentencePiece does it. Immutable. */
final class PieceDecoder {
  private static final char REPLACEMENT = '\uFFFD';

  private final SentencePieceModel model;

  PieceDecoder(SentencePieceModel model) {
    this.model = model;
  }

  /**
   * Joins pieces. Space symbols become spaces, and the one that encoding put before the text goes;
   * control pieces vanish; byte pieces are put together as UTF-8, with one U+FFFD for each byte
   * that belongs to no character. What is no piece of the model stays as it is.
   */
  String decode(List<String> pieces) {
    StringBuilder text = new StringBuilder();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean dropsSpace = model.addDummyPrefix() || model.removeExtraWhitespaces();
    for (String piece : pieces) {
      int id = model.idOf(piece);
      PieceType type = model.type(id);
      if (type == PieceType.BYTE) {
        bytes.write(model.byteValue(id));
        continue;
      }
      appendUtf8(text, bytes.toByteArray());
      bytes.reset();
      dropsSpace &= text.isEmpty();
      if (type == PieceType.UNKNOWN) {
        text.append(piece);
      } else if (type != PieceType.CONTROL) {
        boolean drop = dropsSpace && piece.charAt(0) == SentencePieceModel.SPACE_SYMBOL;
        text.append(
            (drop ? piece.substring(1) : piece).replace(SentencePieceModel.SPACE_SYMBOL, ' '));
        // Where runs of spaces were removed, all leading ones go, one a piece.
        dropsSpace &= !drop || model.removeExtraWhitespaces();
      }
    }
    appendUtf8(text, bytes.toByteArray());
    return text.toString();
  }

  /**
   * Appends bytes as text. The JDK's decoder would put one U+FFFD for a run of broken bytes, and so
   * would Python's; SentencePiece puts one for each.
   */
  private static void appendUtf8(StringBuilder text, byte[] bytes) {
    for (int at = 0; at < bytes.length; ) {
      int length = utf8Length(bytes[at]);
      int codePoint = codePoint(bytes, at, length);
      if (codePoint < 0) {
        text.append(REPLACEMENT);
        at++;
      } else {
        text.appendCodePoint(codePoint);
        at += length;
      }
    }
  }

  /** The length of a character that begins with a byte, 0 if none does. */
  private static int utf8Length(byte first) {
    if (first >= 0) {
      return 1;
    }
    int ones = Integer.numberOfLeadingZeros(~first << 24);
    return ones >= 2 && ones <= 4 ? ones : 0;
  }

  /** The character of a given length, -1 if the bytes are none or a longer form than needed. */
  private static int codePoint(byte[] bytes, int at, int length) {
    if (length == 0 || at + length > bytes.length) {
      return -1;
    }
    if (length == 1) {
      return bytes[at];
    }
    int codePoint = bytes[at] & (0xFF >> (length + 1));
    for (int i = 1; i < length; i++) {
      if ((bytes[at + i] & 0xC0) != 0x80) {
        return -1;
      }
      codePoint = (codePoint << 6) | (bytes[at + i] & 0x3F);
    }
    int smallest =
        length == 2 ? 0x80 : length == 3 ? 0x800 : Character.MIN_SUPPLEMENTARY_CODE_POINT;
    boolean surrogate =
        codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    return codePoint < smallest || codePoint > Character.MAX_CODE_POINT || surrogate
        ? -1
        : codePoint;
  }
}
