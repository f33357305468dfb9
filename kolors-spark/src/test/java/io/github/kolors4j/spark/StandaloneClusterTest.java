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

/**
 * A standalone master and its workers, each a process. With {@code -Plong} of more pictures, and
 * with a comparison of sizes, which needs an idle machine.
 */
@EnabledOnOs(OS.LINUX)
class StandaloneClusterTest {
  /** How many pictures the cluster makes. */
  private static final int ROWS = Integer.getInteger("kolors4j.spark.pictures", 10);

  /** How many pictures executors of one core and of two make, to be compared. */
  private static final String SIZES = "kolors4j.spark.sizes";

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
    String master = master();
    Process doomed = worker(master, 1);
    worker(master, 1);

    Path table = Requests.table(folder, ROWS);
    Path out = folder.resolve("out");
    Map<String, Object> defaults = new HashMap<>(Requests.SMALL);
    defaults.put("num_inference_steps", 8);
    Map<String, byte[]> expected = Requests.onOneMachine(table, folder.resolve("one"), defaults);

    SparkSession spark =
        session(master, 1)
            .config("spark.task.maxFailures", 8)
            .config("spark.shuffle.io.maxRetries", 1)
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
    while (count(out) < 2 && !job.isDone()) {
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

  /**
   * Of one machine: two executors with a thread each make as many pictures as one with two threads.
   *
   * <p>The first job of each session is for the compiler and is not measured.
   */
  @Test
  @EnabledIfSystemProperty(named = SIZES, matches = "[0-9]+")
  @Timeout(1800)
  void twoExecutorsOfOneCoreAreNoSlowerThanOneOfTwoByMoreThanATenth() throws IOException {
    Path table = Requests.table(folder, Integer.getInteger(SIZES));
    double two = secondsWith(1, table);
    double one = secondsWith(2, table);
    System.out.printf("two executors of one core %.2f s, one of two cores %.2f s%n", two, one);
    assertTrue(two <= 1.1 * one, two + " s, " + one + " s");
  }

  private double secondsWith(int cores, Path table) throws IOException {
    String master = master();
    Process worker = worker(master, 2);
    double seconds = 0;
    try (SparkSession spark = session(master, cores).getOrCreate()) {
      Dataset<Row> requests = Main.read(spark, table.toString());
      for (String run : List.of("first", "second")) {
        SparkOptions options =
            Requests.options(folder)
                .withThreads(cores)
                .withPartitions(8)
                .withDefaults(Map.of("num_inference_steps", 25))
                .withPictures(folder.resolve(run + cores).toString());
        long begin = System.nanoTime();
        assertEquals(0, KolorsSpark.run(requests, options).failed());
        seconds = (System.nanoTime() - begin) / 1e9;
      }
    } finally {
      worker.descendants().forEach(ProcessHandle::destroyForcibly);
      worker.destroyForcibly();
    }
    return seconds;
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

  /** Starts a master. */
  private String master() throws IOException {
    int port = freePort();
    start(
        "org.apache.spark.deploy.master.Master",
        "--host",
        "127.0.0.1",
        "--port",
        Integer.toString(port),
        "--webui-port",
        "0");
    return "spark://127.0.0.1:" + port;
  }

  private Process worker(String master, int cores) throws IOException {
    return start(
        "org.apache.spark.deploy.worker.Worker",
        "--host",
        "127.0.0.1",
        "--webui-port",
        "0",
        "--cores",
        Integer.toString(cores),
        "--memory",
        600 * cores + "m",
        "--work-dir",
        folder.resolve("work-" + processes.size()).toString(),
        master);
  }

  /** Executors of so many cores, of two in all, which are there before the first task. */
  private static SparkSession.Builder session(String master, int coresOfExecutor) {
    return Requests.session(master)
        .config("spark.executor.cores", coresOfExecutor)
        .config("spark.task.cpus", coresOfExecutor)
        .config("spark.cores.max", 2)
        .config("spark.scheduler.minRegisteredResourcesRatio", 1.0)
        .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
        .config("spark.executor.memory", "512m")
        .config("spark.executor.extraClassPath", ownClasses())
        .config("spark.executor.extraJavaOptions", "-XX:+UseSerialGC");
  }

  private Process start(String... command) throws IOException {
    Path home = home();
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    all.addAll(List.of(JavaModuleOptions.defaultModuleOptions().trim().split("\\s+")));
    all.addAll(
        List.of(
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            home.resolve("jars") + "/*"));
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
      Path link = jars.resolve(entry.getFileName());
      if (entry.toString().endsWith(".jar") && !isOwn(entry) && !Files.exists(link)) {
        Files.createSymbolicLink(link, entry);
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
