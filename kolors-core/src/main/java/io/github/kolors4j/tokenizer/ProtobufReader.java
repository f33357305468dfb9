package io.github.kolors4j.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;

/**
 * Walks over the fields of one protobuf message, trusting nothing that it reads.
 *
 * <p>{@link #next()} moves to a field; then either one of the typed readers takes its value or the
 * next {@code next()} skips it. A field whose wire type is not the one asked for, a length beyond
 * the end of the message and a number that does not end are faults of the file. Nothing is
 * allocated on the word of a length alone.
 *
 * <p>See the <a href="https://protobuf.dev/programming-guides/encoding/">wire format</a>.
 */
final class ProtobufReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final Path file;
  private final ByteBuffer bytes;
  private int field;
  private int wireType;
  private boolean unread;

  ProtobufReader(Path file, byte[] content) {
    this(file, ByteBuffer.wrap(content));
  }

  private ProtobufReader(Path file, ByteBuffer bytes) {
    this.file = file;
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Moves to the next field and skips the value of the present one if it was not read.
   *
   * @return whether there is one more field
   */
  boolean next() throws InvalidFileException {
    if (unread) {
      skip();
    }
    if (!bytes.hasRemaining()) {
      return false;
    }
    int at = bytes.position();
    long tag = varint();
    wireType = (int) tag & 7;
    long number = tag >>> 3;
    if (number == 0 || number >= 1 << 29) {
      throw broken("field number " + Long.toUnsignedString(number), at);
    }
    if (wireType > FIXED32 || wireType == 3 || wireType == 4) {
      throw broken("wire type " + wireType, at);
    }
    field = (int) number;
    unread = true;
    return true;
  }

  /** The number of the present field. */
  int field() {
    return field;
  }

  /** The present field as an {@code int32} or an enum, cut to 32 bits as protobuf does. */
  int readInt() throws InvalidFileException {
    take(VARINT);
    return (int) varint();
  }

  /** The present field as a {@code bool}. */
  boolean readBoolean() throws InvalidFileException {
    take(VARINT);
    return varint() != 0;
  }

  /** The present field as a {@code float}. */
  float readFloat() throws InvalidFileException {
    take(FIXED32);
    return slice(Float.BYTES).getFloat();
  }

  /** The length in bytes of the present field, a {@code bytes} or a {@code string}. */
  int readLength() throws InvalidFileException {
    return readSlice().remaining();
  }

  /** The present field as a {@code string}, which must be UTF-8. */
  String readString() throws InvalidFileException {
    int at = bytes.position();
    try {
      return UTF_8.newDecoder().decode(readSlice()).toString();
    } catch (CharacterCodingException e) {
      throw broken("a string that is not UTF-8", at);
    }
  }

  /** The present field as a message. */
  ProtobufReader readMessage() throws InvalidFileException {
    return new ProtobufReader(file, readSlice());
  }

  private ByteBuffer readSlice() throws InvalidFileException {
    take(LENGTH_DELIMITED);
    return slice(varint());
  }

  private void skip() throws InvalidFileException {
    switch (wireType) {
      case VARINT -> readBoolean();
      case FIXED32 -> readFloat();
      case LENGTH_DELIMITED -> readLength();
      default -> {
        take(FIXED64);
        slice(Long.BYTES);
      }
    }
  }

  private void take(int expected) throws InvalidFileException {
    if (wireType != expected) {
      throw broken(
          "field " + field + " with wire type " + wireType + " instead of " + expected,
          bytes.position());
    }
    unread = false;
  }

  private long varint() throws InvalidFileException {
    int at = bytes.position();
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      if (!bytes.hasRemaining()) {
        throw broken("a number that does not end", at);
      }
      byte next = bytes.get();
      value |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw broken("a number of more than 10 bytes", at);
  }

  /** The next bytes as a buffer of its own, which shares the content. */
  private ByteBuffer slice(long length) throws InvalidFileException {
    if (length < 0 || length > bytes.remaining()) {
      throw broken(
          "a value of "
              + Long.toUnsignedString(length)
              + " bytes where "
              + bytes.remaining()
              + " are left",
          bytes.position());
    }
    ByteBuffer slice = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    slice.limit(bytes.position() + (int) length);
    bytes.position(slice.limit());
    return slice;
  }

  private InvalidFileException broken(String what, int at) {
    return new InvalidFileException(
        "[tokenizer] "
            + file
            + ": not a SentencePiece model: "
            + what
            + " at byte "
            + at
            + ". Incomplete download?");
  }
}
