package io.github.kolors4j.batch;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.util.HashMap;
import java.util.Map;

/** The ids of a table's rows, each of one row alone: the names of pictures are made of them. */
final class DistinctIds {
  private final String table;
  private final Map<String, Long> rows = new HashMap<>();

  /** Of a table that messages call so. */
  DistinctIds(String table) {
    this.table = table;
  }

  void add(TableRow row) throws InvalidFileException {
    Long other = rows.putIfAbsent(row.id(), row.number());
    if (other != null) {
      throw new InvalidFileException(
          "[batch] %s: rows %s and %s have the id %s%s: give each one of its own."
              .formatted(table, other, row.number(), row.id(), hint(other, row)));
    }
  }

  /** A number that nobody has written is hard to find. */
  private static String hint(long other, TableRow row) {
    boolean isNumber =
        row.id().equals(Long.toString(row.number())) || row.id().equals(Long.toString(other));
    return isNumber ? " (a row without one has its number)" : "";
  }

  long count() {
    return rows.size();
  }
}
