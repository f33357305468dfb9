package io.github.kolors4j.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Writes SentencePiece models, good ones and bad ones, field by field. */
final class ModelBytes {
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A small model that is in order: byte pairs, no byte fallback, identity normalizer. */
  static ModelBytes good() {
    return pieces().bytes(2, trainer()).bytes(3, normalizer());
  }

  /** The pieces of {@link #good()}, to be followed by other specs. */
  static ModelBytes pieces() {
    return new ModelBytes()
        .piece("<unk>", 0, UNKNOWN)
        .piece("<s>", 0, CONTROL)
        .piece("</s>", 0, CONTROL)
        .piece("a", -1, NORMAL)
        .piece("b", -2, NORMAL)
        .piece("ab", -3, NORMAL);
  }

  static ModelBytes trainer() {
    return new ModelBytes().number(3, 2);
  }

  static ModelBytes normalizer() {
    return new ModelBytes().bytes(1, "identity").number(4, 0);
  }

  ModelBytes piece(String text, float score, int type) {
    return bytes(1, new ModelBytes().bytes(1, text).real(2, score).number(3, type));
  }

  ModelBytes number(int field, long value) {
    return varint(field << 3).varint(value);
  }

  ModelBytes real(int field, float value) {
    return varint(field << 3 | 5)
        .raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
  }

  ModelBytes bytes(int field, String value) {
    return bytes(field, value.getBytes(UTF_8));
  }

  ModelBytes bytes(int field, ModelBytes message) {
    return bytes(field, message.toByteArray());
  }

  ModelBytes bytes(int field, byte[] value) {
    return varint(field << 3 | 2).varint(value.length).raw(value);
  }

  ModelBytes varint(long value) {
    for (; (value & ~0x7FL) != 0; value >>>= 7) {
      out.write((int) value & 0x7F | 0x80);
    }
    out.write((int) value);
    return this;
  }

  ModelBytes raw(byte... bytes) {
    out.writeBytes(bytes);
    return this;
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }
}
