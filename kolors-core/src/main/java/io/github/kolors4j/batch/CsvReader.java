package io.github.kolors4j.batch;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The records of a CSV file by RFC 4180: fields between commas, in double quotes where they have
 * commas, quotes or line breaks in them, a quote within as two. Lines end with CRLF, LF or CR;
 * empty ones are passed over. For one thread.
 */
final class CsvReader implements Closeable {
  /** Of one record: a quote that nobody closes must not take a file of gigabytes into memory. */
  static final int MOST_CHARACTERS = 1 << 20;

  private static final int END = -1;
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /**
   * A field.
   *
   * @param text without its quotes
   * @param quoted whether it had some: {@code ""} is empty text, and nothing at all is no value
   */
  record Field(String text, boolean quoted) {}

  /**
   * A record.
   *
   * @param line on which it begins, from 1
   * @param fields in order
   * @param fault what is wrong with it, as the end of a sentence
   */
  record Line(long line, List<Field> fields, Optional<String> fault) {}

  private final BufferedReader in;
  private long line = 1;
  private boolean atBegin = true;

  /** What was read of the record. */
  private int characters;

  CsvReader(Reader in) {
    this.in = in instanceof BufferedReader buffered ? buffered : new BufferedReader(in);
  }

  /** The next record that is not an empty line, or null at the end. */
  @Nullable Line next() throws IOException {
    while (true) {
      int first = peek();
      if (atBegin && first == BYTE_ORDER_MARK) {
        read();
        first = peek();
      }
      atBegin = false;
      if (first == END) {
        return null;
      }
      Line record = record();
      boolean empty =
          record.fields.size() == 1
              && record.fields.getFirst().text.isEmpty()
              && !record.fields.getFirst().quoted;
      if (!empty || record.fault.isPresent()) {
        return record;
      }
    }
  }

  private Line record() throws IOException {
    long begin = line;
    characters = 0;
    List<Field> fields = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    while (true) {
      text.setLength(0);
      boolean quoted = peek() == '"';
      String fault = quoted ? quoted(text) : plain(text);
      fields.add(new Field(text.toString(), quoted));
      if (fault != null) {
        skipLine();
        return new Line(begin, List.copyOf(fields), Optional.of(fault));
      }
      int separator = read();
      if (separator != ',') {
        endLine(separator);
        return new Line(begin, List.copyOf(fields), Optional.empty());
      }
    }
  }

  /** Reads up to a comma or the end of the line; gives what is wrong. */
  private @Nullable String plain(StringBuilder text) throws IOException {
    while (!endsField(peek())) {
      char c = (char) read();
      if (c == '"') {
        return "has a quote in the middle of a field: put the whole field in quotes, and write the"
            + " quote in it twice";
      }
      text.append(c);
      if (isTooLong()) {
        return tooLong();
      }
    }
    return null;
  }

  private @Nullable String quoted(StringBuilder text) throws IOException {
    read();
    while (true) {
      int c = read();
      if (c == END) {
        return "has a quote that is never closed";
      }
      if (c == '"') {
        if (peek() != '"') {
          break;
        }
        read();
      }
      text.append((char) c);
      if (isTooLong()) {
        return tooLong();
      }
    }
    return endsField(peek())
        ? null
        : "has text after the quote that closes a field: write a quote within a field twice";
  }

  private boolean isTooLong() {
    return characters > MOST_CHARACTERS;
  }

  private static String tooLong() {
    return String.format(
        Locale.ROOT, "is longer than %,d characters: is a quote not closed?", MOST_CHARACTERS);
  }

  private static boolean endsField(int c) {
    return c == ',' || c == '\n' || c == '\r' || c == END;
  }

  private void endLine(int c) throws IOException {
    if (c == '\r' && peek() == '\n') {
      read();
    } else if (c == '\r') {
      line++;
    }
  }

  private void skipLine() throws IOException {
    int c = read();
    while (c != '\n' && c != '\r' && c != END) {
      c = read();
    }
    endLine(c);
  }

  private int peek() throws IOException {
    in.mark(1);
    int c = in.read();
    if (c != END) {
      in.reset();
    }
    return c;
  }

  private int read() throws IOException {
    int c = in.read();
    characters++;
    if (c == '\n') {
      line++;
    }
    return c;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
