package io.github.kolors4j.spark;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.batch.BatchTable;
import io.github.kolors4j.batch.KolorsBatch;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/** Small tables, sessions for them, and what one machine makes of them. */
final class Requests {
  static final Map<String, Object> SMALL =
      Map.of("width", 16, "height", 16, "num_inference_steps", 2, "max_sequence_length", 16);

  private Requests() {}

  /** A session that needs no network beside the machine's own. */
  static SparkSession.Builder session(String master) {
    return SparkSession.builder()
        .master(master)
        .appName("kolors-spark test")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", false)
        .config("spark.sql.shuffle.partitions", 2)
        .config("spark.sql.adaptive.enabled", false)
        // Each plan runs once, and its classes would take longer to compile than to run.
        .config("spark.sql.codegen.wholeStage", false)
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN");
  }

  /** Rows with ids, few prompts and a seed in every other one. */
  static Path table(Path folder, int rows) throws IOException {
    String lines =
        IntStream.range(0, rows)
            .mapToObj(
                i ->
                    "{\"id\": \"row %d\", \"prompt\": \"prompt %d\", %s\"group\": \"g%d\"}"
                        .formatted(i, i % 5, i % 2 == 0 ? "\"seed\": " + i + ", " : "", i % 3))
            .collect(Collectors.joining("\n"));
    return Files.writeString(folder.resolve("table.jsonl"), lines + "\n");
  }

  /** Small pictures by two tasks; a pipeline is shared by those of one folder. */
  static SparkOptions options(Path folder) throws IOException {
    return SparkOptions.of(MiniCheckpoint.directory().toString())
        .withDefaults(SMALL)
        .withPromptCache(folder.resolve("prompts").toString())
        .withThreads(1)
        .withPartitions(2);
  }

  /** The pictures as one machine makes them, by their names. */
  static Map<String, byte[]> onOneMachine(Path table, Path out, Map<String, Object> defaults)
      throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      KolorsBatch.builder(pipeline, out).defaults(defaults).build().run(BatchTable.read(table));
    }
    return pictures(out);
  }

  static Map<String, byte[]> pictures(Path directory) throws IOException {
    Map<String, byte[]> pictures = new TreeMap<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".png") || name.endsWith(".part") || name.endsWith(".crc")) {
          pictures.put(name, Files.readAllBytes(file));
        }
      }
    }
    return pictures;
  }
}
