package io.github.kolors4j.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.spark.KolorsSpark.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One machine with two tasks at once, on the mini checkpoint. */
class LocalSparkTest {
  private static SparkSession spark;
  @TempDir private static Path shared;
  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    spark = Requests.session("local[2]").getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static void assertSamePictures(Map<String, byte[]> expected, Map<String, byte[]> actual) {
    assertEquals(new TreeSet<>(expected.keySet()), new TreeSet<>(actual.keySet()));
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
  }

  @Test
  void picturesHaveTheBytesOfOneMachineAndARerunMakesNothing() throws IOException {
    Path table = Requests.table(folder, 6);
    Path out = folder.resolve("out");
    SparkOptions options = Requests.options(shared).withPictures(out.toString());
    Summary first = KolorsSpark.run(Main.read(spark, table.toString()), options);
    assertEquals(new Summary(6, 6, 0, 0), first);
    Map<String, byte[]> expected =
        Requests.onOneMachine(table, folder.resolve("one"), Requests.SMALL);
    assertSamePictures(expected, Requests.pictures(out));

    Map<String, Row> manifest = manifest(out);
    assertEquals(6, manifest.size());
    Row row = manifest.get("row 4");
    assertEquals("g1", row.getAs("group"));
    assertEquals("prompt 4", row.getAs("prompt"));
    assertEquals("4", row.getAs("seed").toString());
    assertNull(row.getAs("error"));
    assertTrue(expected.containsKey(row.<String>getAs("file")));
    assertNotNull(row.getAs("denoise_seconds"));

    assertEquals(
        new Summary(6, 0, 6, 0), KolorsSpark.run(Main.read(spark, table.toString()), options));

    // A picture vanishes with the manifest: files alone say what is there.
    Files.delete(out.resolve(row.<String>getAs("file")));
    Files.delete(out.resolve("manifest/_SUCCESS"));
    assertEquals(
        new Summary(6, 1, 5, 0), KolorsSpark.run(Main.read(spark, table.toString()), options));
    assertSamePictures(expected, Requests.pictures(out));
  }

  private static Map<String, Row> manifest(Path out) {
    Map<String, Row> rows = new LinkedHashMap<>();
    for (Row row : spark.read().parquet(out.resolve("manifest").toString()).collectAsList()) {
      assertNull(rows.put(row.getAs("id"), row), "a row has one line");
    }
    return rows;
  }

  @Test
  void aRowThatCannotBeMadeHasItsSentenceAndIsTriedAgain() throws IOException {
    Path table =
        Files.writeString(
            folder.resolve("table.csv"),
            "id,prompt,width,note\na,x,16,\"one, two\"\nb,x,17,\nc,,16,\nd,x,16,one, two\ne,x\n");
    Path out = folder.resolve("out");
    SparkOptions options = Requests.options(shared).withPictures(out.toString());
    assertEquals(
        new Summary(5, 1, 0, 4), KolorsSpark.run(Main.read(spark, table.toString()), options));
    Map<String, Row> manifest = manifest(out);
    for (String id : List.of("d", "e")) {
      String fields = manifest.get(id).getAs("error");
      assertTrue(fields.startsWith("[batch] the row cannot be read: " + id + ",x"), fields);
    }
    assertFalse(manifest.get("a").schema().getFieldIndex(Columns.CORRUPT).isDefined());
    assertEquals("one, two", manifest.get("a").getAs("note"));
    String size = manifest.get("b").getAs("error");
    assertTrue(size.contains("[request] width 17 is not a multiple of 8"), size);
    assertNull(manifest.get("b").getAs("file"));
    assertTrue(manifest.get("c").<String>getAs("error").contains("the row has no prompt"));

    Path picture = out.resolve(manifest.get("a").<String>getAs("file"));
    byte[] whole = Files.readAllBytes(picture);
    Files.write(picture, Arrays.copyOf(whole, 60));
    Files.delete(out.resolve("manifest/_SUCCESS"));
    Files.writeString(
        table, "id,prompt,width,note\na,x,16,\"one, two\"\nb,x,24,\nc,\"\",16,\nd,,,\n");
    assertEquals(
        new Summary(4, 3, 0, 1),
        KolorsSpark.run(Main.read(spark, table.toString()), options),
        "a is damaged, b and c are mended: an empty prompt is one, and nothing at all is none");
    assertArrayEquals(whole, Files.readAllBytes(picture));
    assertTrue(manifest(out).get("d").<String>getAs("error").contains("the row has no prompt"));
  }

  @Test
  void withoutAFolderThePicturesAreAColumn() throws IOException {
    Path table = Requests.table(folder, 3);
    Dataset<Row> made =
        KolorsSpark.generate(
            Main.read(spark, table.toString()), Requests.options(shared).withPartitions(0));
    assertFalse(List.of(made.columns()).contains("group_1"));
    Map<String, byte[]> expected =
        Requests.onOneMachine(table, folder.resolve("one"), Requests.SMALL);
    Map<String, byte[]> actual = new HashMap<>();
    for (Row row : made.collectAsList()) {
      assertNull(row.getAs("file"));
      String prefix = row.<String>getAs("id").replace(' ', '_') + "-";
      String name =
          expected.keySet().stream()
              .filter(each -> each.startsWith(prefix))
              .findFirst()
              .orElseThrow();
      actual.put(name, row.getAs("picture"));
    }
    assertSamePictures(expected, actual);
  }

  @Test
  void twoRowsOfOneIdAreRefused() throws IOException {
    Path table = Files.writeString(folder.resolve("table.csv"), "id,prompt\na,x\na,y\n");
    SparkOptions options = Requests.options(folder).withPictures(folder.resolve("out").toString());
    Dataset<Row> requests = Main.read(spark, table.toString());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> KolorsSpark.run(requests, options));
    assertTrue(e.getMessage().contains("several rows have the id a"), e.getMessage());
  }

  @Test
  void aJobThatIsCancelledStopsInsideOfAStep() throws Exception {
    Path table = Requests.table(folder, 2);
    // Hours of steps, of which each takes some milliseconds.
    SparkOptions options =
        Requests.options(folder)
            .withDefaults(
                Map.of(
                    "width",
                    256,
                    "height",
                    256,
                    "num_inference_steps",
                    1000,
                    "max_sequence_length",
                    16))
            .withPictures(folder.resolve("out").toString());
    Dataset<Row> made = KolorsSpark.generate(Main.read(spark, table.toString()), options);
    CompletableFuture<Long> job =
        CompletableFuture.supplyAsync(
            () -> {
              spark.sparkContext().setJobGroup("night", "pictures", false);
              return made.collectAsList().stream().count();
            });
    while (spark.sparkContext().statusTracker().getActiveJobIds().length == 0) {
      Thread.sleep(20);
    }
    while (!Files.exists(folder.resolve("prompts"))) {
      Thread.sleep(20); // until the texts are being encoded, or are
    }
    Thread.sleep(500);
    spark.sparkContext().cancelAllJobs();
    assertThrows(ExecutionException.class, job::get);
    long begin = System.nanoTime();
    while (activeTasks() > 0) {
      Thread.sleep(20);
      assertTrue(System.nanoTime() - begin < 30e9, "the tasks go on");
    }
    assertTrue(
        !Files.exists(folder.resolve("out")) || Requests.pictures(folder.resolve("out")).isEmpty());
  }

  private static int activeTasks() {
    int tasks = 0;
    for (var executor : spark.sparkContext().statusTracker().getExecutorInfos()) {
      tasks += executor.numRunningTasks();
    }
    return tasks;
  }

  @Test
  void argumentsOfTheProgramAreReadAndRefused() {
    Map<String, String> given = new HashMap<>();
    Map<String, Object> defaults = new HashMap<>();
    Main.parse(
        "--requests t.csv --model m --out o --default num_inference_steps=25 --threads 2"
            .split(" "),
        given,
        defaults);
    assertEquals("25", defaults.get("num_inference_steps").toString());
    assertEquals("2", given.get("--threads"));
    for (String wrong :
        List.of(
            "--model m --out o",
            "--requests r --model m --out",
            "--requests r --model m --out o --default steps=1",
            "--requests r --model m --out o --presicion bf16",
            "--requests r --model m --out o --threads x",
            "--requests r --model m --out o --model n")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Main.parse(wrong.split(" "), new HashMap<>(), new HashMap<>()));
      assertTrue(e.getMessage().startsWith("[arguments] "), e.getMessage());
    }
  }
}
