package io.github.kolors4j.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.spark.KolorsSpark.Summary;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A master and two workers of one core, each a process, and an executor of each. */
@EnabledOnOs(OS.LINUX)
@EnabledIfSystemProperty(named = StandaloneClusterTest.PICTURES, matches = "[0-9]+")
class StandaloneClusterTest {
  static final String PICTURES = "kolors4j.spark.pictures";

  private static final int ROWS = Integer.getInteger(PICTURES, 24);

  @TempDir private Path folder;
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void stop() {
    SparkSession.getActiveSession()
        .foreach(
            session -> {
              session.stop();
              return null;
            });
    for (Process process : processes.reversed()) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  @Test
  @Timeout(1800)
  void ofTwoWorkersOneIsKilledAndNothingIsLostOrMadeTwice() throws Exception {
    Path home = home();
    int port = freePort();
    String master = "spark://127.0.0.1:" + port;
    start(
        home,
        "org.apache.spark.deploy.master.Master",
        "--host",
        "127.0.0.1",
        "--port",
        Integer.toString(port),
        "--webui-port",
        "0");
    Process doomed = worker(home, master);
    worker(home, master);

    Path table = Requests.table(folder, ROWS);
    Path out = folder.resolve("out");
    Map<String, Object> defaults = new HashMap<>(Requests.SMALL);
    defaults.put("num_inference_steps", 8);
    Map<String, byte[]> expected = Requests.onOneMachine(table, folder.resolve("one"), defaults);

    SparkSession spark =
        Requests.session(master)
            .config("spark.executor.cores", 1)
            .config("spark.executor.memory", "512m")
            .config("spark.executor.extraClassPath", ownClasses())
            .config("spark.task.maxFailures", 8)
            .getOrCreate();
    SparkOptions options =
        Requests.options(folder)
            .withDefaults(defaults)
            .withPictures(out.toString())
            .withPartitions(8);
    Dataset<Row> requests = Main.read(spark, table.toString());
    CompletableFuture<Summary> job =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return KolorsSpark.run(requests, options);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    while (count(out) < 3 && !job.isDone()) {
      Thread.sleep(10);
    }
    assertTrue(!job.isDone(), "killed in the middle");
    doomed.descendants().forEach(ProcessHandle::destroyForcibly);
    doomed.destroyForcibly();

    Summary summary = job.get(30, TimeUnit.MINUTES);
    assertEquals(0, summary.failed());
    assertEquals(ROWS, summary.rows());
    assertEquals(ROWS, summary.made() + summary.kept());
    Map<String, byte[]> pictures = whole(Requests.pictures(out));
    assertEquals(expected.keySet(), pictures.keySet());
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, pictures.get(name), name));
    Map<String, Row> lines = new HashMap<>();
    for (Row row : spark.read().parquet(out.resolve("manifest").toString()).collectAsList()) {
      assertNull(lines.put(row.getAs("id"), row));
    }
    assertEquals(ROWS, lines.size());
  }

  /** Without the half-written file that the killed executor may have left. */
  private static Map<String, byte[]> whole(Map<String, byte[]> files) {
    Map<String, byte[]> whole = new TreeMap<>(files);
    whole.keySet().removeIf(name -> name.startsWith("."));
    return whole;
  }

  private static long count(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".png")).count();
    }
  }

  private Process worker(Path home, String master) throws IOException {
    return start(
        home,
        "org.apache.spark.deploy.worker.Worker",
        "--host",
        "127.0.0.1",
        "--webui-port",
        "0",
        "--cores",
        "1",
        "--memory",
        "600m",
        "--work-dir",
        folder.resolve("work-" + processes.size()).toString(),
        master);
  }

  private Process start(Path home, String... command) throws IOException {
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    all.addAll(List.of(JavaModuleOptions.defaultModuleOptions().trim().split("\\s+")));
    all.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", home.resolve("jars") + "/*"));
    all.addAll(List.of(command));
    File log = folder.resolve("process-" + processes.size() + ".log").toFile();
    ProcessBuilder builder = new ProcessBuilder(all).redirectErrorStream(true).redirectOutput(log);
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  /** A distribution of Spark, of links to the jars that the test has. */
  private Path home() throws IOException {
    Path home = folder.resolve("spark");
    Path jars = Files.createDirectories(home.resolve("jars"));
    for (Path entry : classPath()) {
      if (entry.toString().endsWith(".jar") && !isOwn(entry)) {
        Files.createSymbolicLink(jars.resolve(entry.getFileName()), entry);
      }
    }
    return home;
  }

  /** What {@code spark-submit --jars} ships elsewhere. */
  private static String ownClasses() {
    return classPath().stream()
        .filter(StandaloneClusterTest::isOwn)
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static boolean isOwn(Path entry) {
    return Files.isDirectory(entry) || entry.getFileName().toString().startsWith("kolors-");
  }

  private static List<Path> classPath() {
    // Surefire gives the JVM one jar that names the others.
    return Stream.of(
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
                .split(File.pathSeparator))
        .filter(entry -> !entry.isEmpty())
        .map(entry -> Path.of(entry).toAbsolutePath())
        .filter(Files::exists)
        .distinct()
        .toList();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
