package io.github.kolors4j.spark;

import io.github.kolors4j.batch.RequestReader;
import io.github.kolors4j.spark.KolorsSpark.Summary;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The program for {@code spark-submit}: {@code --requests PATH --model M --out PATH [--variant V]
 * [--precision P] [--threads N] [--partitions N] [--files PATH] [--prompt-cache DIR] [--default
 * name=value]…}.
 */
public final class Main {
  private static final Set<String> OPTIONS =
      Set.of(
          "--requests",
          "--model",
          "--out",
          "--variant",
          "--precision",
          "--threads",
          "--partitions",
          "--files",
          "--prompt-cache");

  private static final Set<String> NUMBERS = Set.of("--threads", "--partitions");

  /** What no cell is: so that an empty one is no value, and {@code ""} is empty text. */
  private static final String NO_TEXT = "\0";

  private static final String USAGE =
      "use --requests FILE.csv|.jsonl|.parquet --model DIR|ARCHIVE|REPO --out FOLDER, and see"
          + " docs/spark.md for the others.";

  private Main() {}

  /**
   * Makes the pictures of a table, and ends with exit code 1 where rows have errors.
   *
   * @param args as given to {@code spark-submit}
   * @throws IOException if the manifest cannot be written
   */
  public static void main(String[] args) throws IOException {
    Map<String, String> given = new LinkedHashMap<>();
    Map<String, Object> defaults = new LinkedHashMap<>();
    try {
      parse(args, given, defaults);
    } catch (IllegalArgumentException e) {
      System.err.println("kolors-spark: " + e.getMessage());
      System.exit(2);
    }
    long failed;
    try (SparkSession spark = SparkSession.builder().appName("kolors").getOrCreate()) {
      SparkOptions options =
          new SparkOptions(
                  given.getOrDefault("--model", ""),
                  given.get("--variant"),
                  given.getOrDefault("--precision", "f32"),
                  Integer.parseInt(given.getOrDefault("--threads", "0")),
                  given.get("--out"),
                  given.get("--files"),
                  given.get("--prompt-cache"),
                  Integer.parseInt(given.getOrDefault("--partitions", "0")),
                  "{}")
              .withDefaults(defaults);
      Summary summary = KolorsSpark.run(read(spark, given.getOrDefault("--requests", "")), options);
      System.out.printf(
          Locale.ROOT,
          "%d rows: %d pictures made, %d were there, %d errors%n",
          summary.rows(),
          summary.made(),
          summary.kept(),
          summary.failed());
      failed = summary.failed();
    }
    if (failed > 0) {
      System.exit(1);
    }
  }

  /** Reads the arguments of the program. */
  static void parse(String[] args, Map<String, String> given, Map<String, Object> defaults) {
    for (int i = 0; i < args.length; i += 2) {
      if (!args[i].startsWith("--") || i + 1 == args.length) {
        throw new IllegalArgumentException(
            "[arguments] %s has no value, or is none: %s".formatted(args[i], USAGE));
      }
      if (args[i].equals("--default")) {
        int equals = args[i + 1].indexOf('=');
        String name = args[i + 1].substring(0, Math.max(0, equals));
        if (!RequestReader.isArgument(name)) {
          throw new IllegalArgumentException(
              "[arguments] --default %s: write name=value with a name of diffusers' arguments."
                  .formatted(args[i + 1]));
        }
        defaults.put(name, RequestReader.valueOf(name, args[i + 1].substring(equals + 1)));
      } else if (!OPTIONS.contains(args[i])) {
        throw new IllegalArgumentException(
            "[arguments] there is no option %s: %s".formatted(args[i], USAGE));
      } else if (NUMBERS.contains(args[i]) && !args[i + 1].matches("\\d{1,6}")) {
        throw new IllegalArgumentException(
            "[arguments] %s %s is no whole number from 0 to 999999."
                .formatted(args[i], args[i + 1]));
      } else if (given.put(args[i], args[i + 1]) != null) {
        throw new IllegalArgumentException(
            "[arguments] %s is there twice: give it once.".formatted(args[i]));
      }
    }
    for (String needed : new String[] {"--requests", "--model", "--out"}) {
      if (!given.containsKey(needed)) {
        throw new IllegalArgumentException("[arguments] no %s: %s".formatted(needed, USAGE));
      }
    }
  }

  /**
   * Reads a table as {@code ./kolors batch} does, by the ending of its name; CSV by RFC 4180. What
   * cannot be read is a row with its text in {@code _corrupt_record}, which gets an error.
   *
   * @param spark the session
   * @param path on any file system that Hadoop knows
   * @return the rows
   */
  public static Dataset<Row> read(SparkSession spark, String path) {
    String name = path.toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      DataFrameReader csv =
          spark
              .read()
              .option("header", true)
              .option("multiLine", true)
              .option("quote", "\"")
              .option("escape", "\"")
              .option("encoding", "UTF-8")
              .option("nullValue", NO_TEXT)
              .option("columnNameOfCorruptRecord", Columns.CORRUPT);
      StructType texts = csv.csv(path).schema();
      return csv.schema(texts.add(Columns.CORRUPT, DataTypes.StringType)).csv(path);
    }
    return name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json")
        ? spark.read().json(path)
        : spark.read().parquet(path);
  }
}
