package io.github.kolors4j.spark;

import io.github.kolors4j.batch.RequestReader;
import io.github.kolors4j.spark.KolorsSpark.Summary;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The program for {@code spark-submit}: {@code --requests PATH --model M --out PATH [--variant V]
 * [--precision P] [--threads N] [--partitions N] [--files PATH] [--prompt-cache DIR] [--default
 * name=value]…}.
 */
public final class Main {
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
      } else {
        given.put(args[i], args[i + 1]);
      }
    }
    for (String needed : new String[] {"--requests", "--model", "--out"}) {
      if (!given.containsKey(needed)) {
        throw new IllegalArgumentException("[arguments] no %s: %s".formatted(needed, USAGE));
      }
    }
  }

  /**
   * Reads a table as {@code ./kolors batch} does, by the ending of its name; CSV by RFC 4180.
   *
   * @param spark the session
   * @param path on any file system that Hadoop knows
   * @return the rows
   */
  public static Dataset<Row> read(SparkSession spark, String path) {
    String name = path.toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      return spark
          .read()
          .option("header", true)
          .option("multiLine", true)
          .option("quote", "\"")
          .option("escape", "\"")
          .option("encoding", "UTF-8")
          .csv(path);
    }
    return name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json")
        ? spark.read().json(path)
        : spark.read().parquet(path);
  }
}
