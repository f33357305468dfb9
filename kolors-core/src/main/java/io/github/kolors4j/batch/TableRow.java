package io.github.kolors4j.batch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A row of a table of requests.
 *
 * @param number from 1, of the rows that are not empty
 * @param id the value of the column {@code id}, else the number
 * @param values by the names of their columns, as JSON has them: {@code Map}, {@code List}, {@code
 *     String}, {@code Number}, {@code Boolean} or null, which is no value
 * @param fault why the row cannot be read, as a sentence; such a row has no values
 */
public record TableRow(
    long number, String id, Map<String, @Nullable Object> values, Optional<String> fault) {

  /** Keeps a copy of the values, in their order. */
  public TableRow {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(fault, "fault");
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  static TableRow bad(long number, String fault) {
    return new TableRow(number, Long.toString(number), Map.of(), Optional.of(fault));
  }
}
