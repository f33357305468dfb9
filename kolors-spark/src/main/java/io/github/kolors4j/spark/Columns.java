package io.github.kolors4j.spark;

import io.github.kolors4j.batch.RequestReader;
import io.github.kolors4j.batch.TableRow;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * From the columns of requests to those of the manifest: what comes in goes out, but for columns
 * that the manifest has itself.
 *
 * @param requests the columns that come in
 * @param binary whether the pictures are a column
 */
record Columns(StructType requests, boolean binary) implements Serializable {
  static final String ID = "id";
  static final String ERROR = "error";
  static final String FILE = "file";
  static final String KEY = "request_key";

  /** Spark's name for the text of a row that it could not read. */
  static final String CORRUPT = "_corrupt_record";

  private static final int LONGEST_TEXT = 80;

  /** Beyond it a double has no whole numbers of its own. */
  private static final double MOST_WHOLE = 1L << 53;

  private List<StructField> made() {
    return Stream.of(
            DataTypes.createStructField(ID, DataTypes.StringType, false),
            DataTypes.createStructField(KEY, DataTypes.StringType, true),
            DataTypes.createStructField(FILE, DataTypes.StringType, true),
            DataTypes.createStructField("seed", DataTypes.createDecimalType(20, 0), true),
            DataTypes.createStructField("sha256", DataTypes.StringType, true),
            DataTypes.createStructField("bytes", DataTypes.LongType, true),
            DataTypes.createStructField(ERROR, DataTypes.StringType, true),
            DataTypes.createStructField("request", DataTypes.StringType, true),
            DataTypes.createStructField("scheduler", DataTypes.StringType, true),
            DataTypes.createStructField("made", DataTypes.BooleanType, false),
            DataTypes.createStructField("text_seconds", DataTypes.DoubleType, true),
            DataTypes.createStructField("denoise_seconds", DataTypes.DoubleType, true),
            DataTypes.createStructField("decode_seconds", DataTypes.DoubleType, true),
            DataTypes.createStructField("total_seconds", DataTypes.DoubleType, true),
            DataTypes.createStructField("host", DataTypes.StringType, true),
            binary ? DataTypes.createStructField("picture", DataTypes.BinaryType, true) : null)
        .filter(field -> field != null)
        .toList();
  }

  /** The columns that are only handed on. */
  private List<StructField> carried() {
    Set<String> own = made().stream().map(StructField::name).collect(Collectors.toSet());
    own.add(CORRUPT);
    return Stream.of(requests.fields()).filter(field -> !own.contains(field.name())).toList();
  }

  StructType manifest() {
    List<StructField> fields = new ArrayList<>(made());
    fields.addAll(carried());
    return DataTypes.createStructType(fields);
  }

  /** The columns that come in and that a picture depends on. */
  List<String> arguments() {
    return Stream.of(requests.fieldNames())
        .filter(name -> RequestReader.isArgument(name) || name.equals(CORRUPT))
        .filter(name -> !name.equals(ID))
        .sorted()
        .toList();
  }

  /** A row of the manifest. */
  Row manifestRow(Row request, Map<String, @Nullable Object> values) {
    List<StructField> fields = made();
    List<StructField> carried = carried();
    @Nullable Object[] row = new Object[fields.size() + carried.size()];
    for (int i = 0; i < fields.size(); i++) {
      row[i] = values.get(fields.get(i).name());
    }
    for (int i = 0; i < carried.size(); i++) {
      row[fields.size() + i] = request.get(request.fieldIndex(carried.get(i).name()));
    }
    return RowFactory.create(row);
  }

  /** The arguments of a row, as a table of the core has them. */
  TableRow tableRow(Row row) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (String name : row.schema().fieldNames()) {
      if (RequestReader.isArgument(name) && !name.equals(ID)) {
        values.put(name, json(name, row.get(row.fieldIndex(name))));
      }
    }
    return new TableRow(0, row.getAs(ID), values, fault(row));
  }

  private Optional<String> fault(Row row) {
    return requests.getFieldIndex(CORRUPT).isEmpty() || row.getAs(CORRUPT) == null
        ? Optional.empty()
        : Optional.of(
            ("[batch] the row cannot be read: %s. It needs as many fields as there are names, or an"
                    + " object of JSON; a field with a comma in it stands in quotes.")
                .formatted(shortened(row.getAs(CORRUPT))));
  }

  private static String shortened(String text) {
    String line = text.strip().replaceAll("\\R", " ");
    return line.length() <= LONGEST_TEXT ? line : line.substring(0, LONGEST_TEXT) + "…";
  }

  /** A value as JSON has it; whole numbers also where inference has made doubles of them. */
  private static @Nullable Object json(String column, @Nullable Object value) {
    return switch (value) {
      case null -> null;
      case String text -> RequestReader.valueOf(column, text);
      case Double number -> whole(number);
      case Float number -> whole(number);
      case BigDecimal number -> number.stripTrailingZeros().scale() <= 0 ? integer(number) : number;
      case Number _, Boolean _ -> value;
      case Row row -> {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        for (String name : row.schema().fieldNames()) {
          object.put(name, json("", row.get(row.fieldIndex(name))));
        }
        yield object;
      }
      case scala.collection.Seq<?> values ->
          scala.jdk.javaapi.CollectionConverters.asJava(values).stream()
              .map(each -> json("", each))
              .toList();
      case scala.collection.Map<?, ?> values -> {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        scala.jdk.javaapi.CollectionConverters.asJava(values)
            .forEach((key, each) -> object.put(String.valueOf(key), json("", each)));
        yield object;
      }
      default -> value.toString();
    };
  }

  private static BigInteger integer(BigDecimal number) {
    return number.toBigInteger();
  }

  private static Number whole(Number number) {
    double value = number.doubleValue();
    return value == Math.rint(value) && Math.abs(value) < MOST_WHOLE ? (long) value : number;
  }
}
