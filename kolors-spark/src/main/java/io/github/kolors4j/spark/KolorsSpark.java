package io.github.kolors4j.spark;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.to_json;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Pictures of a DataFrame of requests.
 *
 * {@snippet :
 * Dataset<Row> requests = spark.read().json("s3a://bucket/requests");
 * SparkOptions options = SparkOptions.of("/models/Kolors-diffusers");
 * Dataset<Row> manifest = KolorsSpark.generate(requests, options.withPictures("s3a://bucket/out"));
 * manifest.write().parquet("s3a://bucket/manifest");
 * }
 *
 * <p>A row is a request, its columns are named as diffusers' arguments, and others are carried
 * along. Each executor opens the model once, when its first task begins. A row that cannot be made
 * has its sentence in the column {@code error}, and is no end of the job.
 *
 * <p>Equal requests give equal bytes, wherever they are computed, and a picture gets its name when
 * it is whole. So it does no harm that Spark computes a task twice, and what is there is not
 * computed again.
 */
public final class KolorsSpark {
  /** Tasks for each that can run at once: a lost one is not much, and all end at about one time. */
  private static final int TASKS_PER_SLOT = 4;

  private static final String MANIFEST = "manifest";
  private static final int ID_DIGITS = 16;

  private KolorsSpark() {}

  /**
   * The pictures of requests, computed when somebody asks for the rows: write them, rather than ask
   * twice. A row without an {@code id} gets one of its arguments.
   *
   * @param requests a row a picture
   * @param options the model, and where pictures go
   * @return the manifest: {@code id}, {@code file} (or {@code picture}, the bytes of a PNG), {@code
   *     seed}, {@code sha256}, {@code error}, times, and the other columns of the requests
   */
  public static Dataset<Row> generate(Dataset<Row> requests, SparkOptions options) {
    SparkSession spark = requests.sparkSession();
    Dataset<Row> keyed = keyed(requests, options);
    Columns columns = new Columns(keyed.schema(), options.pictures() == null);
    int partitions = options.partitions() > 0 ? options.partitions() : partitions(spark);
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    return keyed
        .repartition(partitions)
        .mapPartitions(
            new GeneratePictures(options, columns, new SerializableConfiguration(hadoop)),
            Encoders.row(columns.manifest()));
  }

  private static int partitions(SparkSession spark) {
    int taskCpus = spark.sparkContext().getConf().getInt("spark.task.cpus", 1);
    return Math.max(1, spark.sparkContext().defaultParallelism() / taskCpus) * TASKS_PER_SLOT;
  }

  /** With an id, and a key that changes with whatever the picture depends on. */
  private static Dataset<Row> keyed(Dataset<Row> requests, SparkOptions options) {
    List<String> arguments = new Columns(requests.schema(), false).arguments();
    Column asked =
        to_json(struct(arguments.stream().map(name -> col(quoted(name))).toArray(Column[]::new)));
    Column own = substring(sha2(asked, 256), 1, ID_DIGITS);
    boolean hasId = Arrays.asList(requests.schema().fieldNames()).contains(Columns.ID);
    Column id = hasId ? coalesce(col(Columns.ID).cast("string"), own) : own;
    return requests
        .withColumn(Columns.KEY, sha2(concat_ws("\n", lit(options.fingerprint()), id, asked), 256))
        .withColumn(Columns.ID, id);
  }

  private static String quoted(String column) {
    return "`" + column.replace("`", "``") + "`";
  }

  /**
   * What became of the requests of a run.
   *
   * @param rows of the table
   * @param made pictures of this run
   * @param kept pictures that were there
   * @param failed rows with an error
   */
  public record Summary(long rows, long made, long kept, long failed) {}

  /**
   * Makes the pictures of requests that are not there yet, and writes the manifest as Parquet into
   * {@code manifest} beside them, a row for each request. Started again, after whatever has ended
   * it, it goes on: requests that the manifest has are left alone, and pictures that are whole are
   * not made again.
   *
   * @param requests a row a picture; read several times, so it should not be random
   * @param options with a folder for the pictures
   * @return what became of them
   * @throws IllegalArgumentException if there is no folder, or two rows have the same id
   * @throws IOException if the manifest cannot be written
   */
  public static Summary run(Dataset<Row> requests, SparkOptions options) throws IOException {
    if (options.pictures() == null) {
      throw new IllegalArgumentException(
          "[spark] no folder for the pictures: give one, or use generate for a column of them.");
    }
    SparkSession spark = requests.sparkSession();
    Dataset<Row> keyed = keyed(requests, options);
    refuseEqualIds(keyed);
    Path folder = new Path(options.pictures());
    Path manifest = new Path(folder, MANIFEST);
    Path next = new Path(folder, "." + MANIFEST + ".next");
    FileSystem files = folder.getFileSystem(spark.sparkContext().hadoopConfiguration());
    files.mkdirs(folder);

    boolean goesOn = files.exists(new Path(manifest, "_SUCCESS"));
    Dataset<Row> all;
    if (goesOn) {
      Dataset<Row> good =
          spark
              .read()
              .parquet(manifest.toString())
              .filter(col(Columns.ERROR).isNull())
              .join(keyed.select(Columns.KEY), keys(), "left_semi");
      Dataset<Row> missing =
          keyed.join(good.select(Columns.KEY), keys(), "left_anti").drop(Columns.KEY);
      all = generate(missing, options).unionByName(good.withColumn("made", lit(false)), true);
    } else {
      all = generate(requests, options);
    }
    all.write().mode(SaveMode.Overwrite).parquet(next.toString());
    files.delete(manifest, true);
    if (!files.rename(next, manifest)) {
      throw new IOException(
          "[spark] %s cannot be renamed to %s: start the same job again."
              .formatted(next, manifest));
    }
    Row counts =
        spark
            .read()
            .parquet(manifest.toString())
            .agg(
                count(lit(1)),
                count(col(Columns.ERROR)), // of those that are not null
                count_if(col("made")))
            .first();
    long rows = counts.getLong(0);
    long failed = counts.getLong(1);
    long made = counts.getLong(2);
    return new Summary(rows, made, rows - made - failed, failed);
  }

  private static scala.collection.immutable.Seq<String> keys() {
    return scala.jdk.javaapi.CollectionConverters.asScala(List.of(Columns.KEY)).toSeq();
  }

  private static void refuseEqualIds(Dataset<Row> keyed) {
    List<Row> twice =
        keyed.groupBy(Columns.ID).count().filter(col("count").gt(1)).limit(3).collectAsList();
    if (!twice.isEmpty()) {
      List<String> ids = new ArrayList<>();
      twice.forEach(row -> ids.add(row.getString(0)));
      throw new IllegalArgumentException(
          "[spark] several rows have the id %s: give each one of its own."
              .formatted(String.join(", and several ", ids)));
    }
  }
}
