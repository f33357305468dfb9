package io.github.kolors4j.batch;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A table of requests: a file of CSV with a line of names at its beginning, or of JSON Lines. A row
 * is a request, its columns are named as diffusers' arguments ({@code prompt}, {@code
 * negative_prompt}, {@code seed}, {@code num_inference_steps} …), and others are carried along. It
 * is read row by row, as often as somebody asks, and never held whole.
 *
 * <p>Cells of CSV are text where the argument is a text, else JSON where they are such (also with
 * pandas' {@code 25.0} for 25 and {@code True}), and an empty one without quotes is no value.
 */
public final class BatchTable {
  static final String ID = "id";

  /** Of one line of JSON: latents in Base64 have their place in it. */
  private static final int MOST_CHARACTERS = 64 << 20;

  private static final int LONGEST_ID = 200;

  private static final Pattern CONTROL = Pattern.compile("\\p{Cc}");

  /** Reads the rows. */
  private interface Rows extends Closeable {
    @Nullable TableRow next() throws IOException;
  }

  /** Begins to read. */
  @FunctionalInterface
  private interface Source {
    Rows open() throws IOException;
  }

  /** Takes rows, one after another. */
  @FunctionalInterface
  public interface RowConsumer {
    /**
     * Takes a row.
     *
     * @param row the next one, also one that cannot be read
     * @throws IOException what ends the reading
     */
    void accept(TableRow row) throws IOException;
  }

  private final String name;
  private final Path folder;
  private final Source source;

  private BatchTable(String name, Path folder, Source source) {
    this.name = name;
    this.folder = folder;
    this.source = source;
  }

  /**
   * A file.
   *
   * @param file its name ends with {@code .csv}, or with {@code .jsonl} or {@code .ndjson}
   * @return the table; names of pictures in it are relative to the file's folder
   * @throws InvalidFileException if it is missing, has another ending, or a line of names at its
   *     beginning that cannot be
   * @throws IOException if it cannot be read
   */
  public static BatchTable read(Path file) throws IOException {
    String ending = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    if (!Files.exists(file)) {
      throw new InvalidFileException("[batch] %s does not exist.".formatted(file));
    }
    Path folder = Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(Path.of(""));
    if (ending.endsWith(".jsonl") || ending.endsWith(".ndjson")) {
      return new BatchTable(file.toString(), folder, () -> new JsonLines(reader(file)));
    }
    if (ending.endsWith(".csv")) {
      BatchTable table =
          new BatchTable(file.toString(), folder, () -> new CsvRows(file, reader(file)));
      table.source.open().close(); // a header that cannot be is known now
      return table;
    }
    throw new InvalidFileException(
        "[batch] %s is no table of requests: its name must end with .csv or .jsonl."
            .formatted(file));
  }

  /**
   * Rows of one's own.
   *
   * @param rows each by the names of diffusers' arguments, with values as JSON has them
   * @param folder what names of pictures are relative to
   * @return the table
   */
  public static BatchTable of(
      List<? extends Map<String, ? extends @Nullable Object>> rows, Path folder) {
    List<TableRow> all = new ArrayList<>();
    for (Map<String, ? extends @Nullable Object> row : rows) {
      all.add(row(all.size() + 1L, new LinkedHashMap<>(row)));
    }
    return new BatchTable(
        "the table",
        folder,
        () -> {
          var iterator = all.iterator();
          return new Rows() {
            @Override
            public @Nullable TableRow next() {
              return iterator.hasNext() ? iterator.next() : null;
            }

            @Override
            public void close() {}
          };
        });
  }

  /** What messages call it. */
  String name() {
    return name;
  }

  /**
   * What names of pictures are relative to.
   *
   * @return the folder of the table's file
   */
  public Path folder() {
    return folder;
  }

  /**
   * Reads all rows, once more from the beginning.
   *
   * @param consumer takes them
   * @throws InvalidFileException if the file is not UTF-8
   * @throws IOException if it cannot be read
   */
  public void forEach(RowConsumer consumer) throws IOException {
    try (Rows rows = source.open()) {
      for (TableRow row = rows.next(); row != null; row = rows.next()) {
        consumer.accept(row);
      }
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(
          "[batch] %s is not UTF-8: save it as such, as spreadsheets do with \"CSV UTF-8\"."
              .formatted(name),
          e);
    }
  }

  /**
   * Reads all rows and refuses two of the same id, as a batch does when it begins: to know it
   * before a model is opened, or downloaded.
   *
   * @throws InvalidFileException if two rows have the same id, or the file is not UTF-8
   * @throws IOException if it cannot be read
   */
  public void checkIds() throws IOException {
    DistinctIds ids = new DistinctIds(name);
    forEach(ids::add);
  }

  private static BufferedReader reader(Path file) throws IOException {
    try {
      return new BufferedReader(
          new InputStreamReader(
              Files.newInputStream(file),
              StandardCharsets.UTF_8
                  .newDecoder()
                  .onMalformedInput(CodingErrorAction.REPORT)
                  .onUnmappableCharacter(CodingErrorAction.REPORT)));
    } catch (NoSuchFileException e) {
      throw new InvalidFileException("[batch] %s does not exist.".formatted(file), e);
    }
  }

  /** A row with the id that its values name. */
  private static TableRow row(long number, Map<String, @Nullable Object> values) {
    Object given = values.remove(ID);
    String id = given == null ? "" : given.toString();
    if (given instanceof Map || given instanceof List || given instanceof Boolean) {
      return TableRow.bad(
          number, "[batch] row %s: the id is no text and no number.".formatted(number));
    }
    if (id.length() > LONGEST_ID || CONTROL.matcher(id).find()) {
      return TableRow.bad(
          number,
          "[batch] row %s: an id has at most %s characters, and none that controls a terminal."
              .formatted(number, LONGEST_ID));
    }
    return new TableRow(
        number, id.isEmpty() ? Long.toString(number) : id, values, Optional.empty());
  }

  /** Rows of CSV under their header. */
  private static final class CsvRows implements Rows {
    private final CsvReader csv;
    private final List<String> columns = new ArrayList<>();
    private long number;

    CsvRows(Path file, Reader in) throws IOException {
      csv = new CsvReader(in);
      try {
        readHeader(file);
      } catch (CharacterCodingException e) {
        throw new InvalidFileException(
            "[batch] %s is not UTF-8: save it as such, as spreadsheets do with \"CSV UTF-8\"."
                .formatted(file),
            e);
      }
    }

    private void readHeader(Path file) throws IOException {
      CsvReader.Line header = csv.next();
      if (header == null) {
        throw new InvalidFileException(
            "[batch] %s is empty: its first line must name the columns, as prompt,seed."
                .formatted(file));
      }
      if (header.fault().isPresent()) {
        throw new InvalidFileException(
            "[batch] %s: the line of names %s.".formatted(file, header.fault().get()));
      }
      Set<String> seen = new LinkedHashSet<>();
      for (CsvReader.Field field : header.fields()) {
        String column = field.text().strip();
        if (column.isEmpty() || !seen.add(column)) {
          throw new InvalidFileException(
              "[batch] %s: column %s is called %s: each needs a name of its own."
                  .formatted(file, columns.size() + 1, ForeignText.quoted(column)));
        }
        columns.add(column);
      }
      if (columns.size() == 1 && columns.getFirst().matches(".*[;\t].*")) {
        throw new InvalidFileException(
            "[batch] %s: the line of names has no comma: separate columns with commas (RFC 4180)."
                .formatted(file));
      }
    }

    @Override
    public @Nullable TableRow next() throws IOException {
      CsvReader.Line line = csv.next();
      if (line == null) {
        return null;
      }
      number++;
      if (line.fault().isPresent()) {
        return TableRow.bad(
            number,
            "[batch] row %s, line %s, %s.".formatted(number, line.line(), line.fault().get()));
      }
      if (line.fields().size() != columns.size()) {
        return TableRow.bad(
            number,
            "[batch] row %s, line %s, has %s fields, and the line of names has %s: put a field with a comma in quotes."
                .formatted(number, line.line(), line.fields().size(), columns.size()));
      }
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      for (int i = 0; i < columns.size(); i++) {
        CsvReader.Field field = line.fields().get(i);
        if (!field.text().isEmpty() || field.quoted()) {
          values.put(columns.get(i), RequestReader.valueOf(columns.get(i), field.text()));
        }
      }
      return row(number, values);
    }

    @Override
    public void close() throws IOException {
      csv.close();
    }
  }

  /** A row a line. */
  private static final class JsonLines implements Rows {
    private final BufferedReader in;
    private long number;
    private long line;

    JsonLines(BufferedReader in) {
      this.in = in;
    }

    @Override
    public @Nullable TableRow next() throws IOException {
      while (true) {
        String text = line();
        if (text == null) {
          return null;
        }
        line++;
        if (line == 1 && text.startsWith("\uFEFF")) {
          text = text.substring(1);
        }
        if (!text.isBlank()) {
          number++;
          return parsed(text);
        }
      }
    }

    private TableRow parsed(String text) {
      if (text.length() > MOST_CHARACTERS) {
        return TableRow.bad(
            number,
            String.format(
                Locale.ROOT,
                "[batch] row %d, line %d, is longer than %,d characters.",
                number,
                line,
                MOST_CHARACTERS));
      }
      try {
        JsonReader json = JsonReader.of(text);
        Map<String, Object> values = json.object();
        json.end();
        return row(number, new LinkedHashMap<>(values));
      } catch (JsonException e) {
        return TableRow.bad(
            number, "[batch] row %s, line %s, %s".formatted(number, line, e.reason()));
      }
    }

    /** The next line, of which nothing is kept beyond the most that it may have. */
    private @Nullable String line() throws IOException {
      int c = in.read();
      if (c < 0) {
        return null;
      }
      StringBuilder text = new StringBuilder();
      while (c >= 0 && c != '\n') {
        if (text.length() <= MOST_CHARACTERS) {
          text.append((char) c);
        }
        c = in.read();
      }
      return text.toString();
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** Names of arguments that a table may have beside those of a request's JSON. */
  static Set<String> argumentsOfRows() {
    Set<String> names = new LinkedHashSet<>(ImageRequest.argumentNames());
    names.addAll(List.of(ID, "scheduler", "scheduler_options"));
    names.addAll(FileArguments.OF_ROWS);
    return names;
  }
}
