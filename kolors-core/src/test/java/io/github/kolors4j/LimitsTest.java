package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.Tensor;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** A JVM with a small heap, few handles, little room for threads, or one core. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class LimitsTest {
  /**
   * A heap without room for one object can end the test's own program too, between two of its
   * lines, about once in ten times on a busy machine.
   */
  private static final String DIED = "Exception in thread \"main\" java.lang.OutOfMemoryError";

  private static final int TRIES = 4;

  private static List<String> run(String program, String... flags) throws Exception {
    return run(List.of(), places(), List.of(program), flags);
  }

  /**
   * Runs a program.
   *
   * @param shell what comes before the command
   * @param classPath where its classes are
   * @param program its name, and what else it is told
   * @param flags of the JVM
   * @return the lines that it printed
   */
  private static List<String> run(
      List<String> shell, List<String> classPath, List<String> program, String... flags)
      throws Exception {
    List<String> command = new ArrayList<>(shell);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(flags));
    command.add("--add-modules=jdk.incubator.vector");
    command.add("-cp");
    command.add(String.join(File.pathSeparator, classPath));
    command.add(SmallJvm.class.getName());
    command.add(MiniCheckpoint.directory().toString());
    command.addAll(program);
    String printed = printed(command);
    for (int i = 1; i < TRIES && printed.contains(DIED); i++) {
      printed = printed(command);
    }
    return printed
        .lines()
        .filter(line -> !line.startsWith("SLF4J") && !line.startsWith("WARNING"))
        .toList();
  }

  private static List<String> places() {
    return Stream.of(
            KolorsPipeline.class,
            SmallJvm.class,
            SafetensorsFile.class,
            Tensor.class,
            Logger.class,
            ModelClass.class)
        .map(LimitsTest::place)
        .distinct()
        .toList();
  }

  /** All classes in one jar, as an application has them: out of a folder each needs a handle. */
  private static List<String> inOneJar(Path folder) throws IOException {
    Path file = folder.resolve("all.jar");
    List<String> all = new ArrayList<>(List.of(file.toString()));
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file))) {
      jar.setLevel(Deflater.NO_COMPRESSION);
      for (String place : places()) {
        if (place.endsWith(".jar")) {
          all.add(place);
        } else {
          add(jar, Path.of(place));
        }
      }
    }
    return all;
  }

  private static void add(JarOutputStream jar, Path place) throws IOException {
    try (Stream<Path> files = Files.walk(place.resolve("io"))) {
      for (Path each : files.filter(Files::isRegularFile).toList()) {
        String name = place.relativize(each).toString();
        jar.putNextEntry(new JarEntry(name.replace(File.separatorChar, '/')));
        Files.copy(each, jar);
      }
    }
  }

  private static String printed(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor() == 0 || printed.contains(DIED), printed);
    return printed;
  }

  /** Where a class was loaded from; a test's module has another folder than it was patched with. */
  private static String place(Class<?> type) {
    try {
      if (type == SmallJvm.class) {
        return Path.of("target", "test-classes").toAbsolutePath().toString();
      }
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String expected() throws Exception {
    try (KolorsPipeline pipeline = KolorsPipeline.open(PipelineFixture.CHECKPOINT)) {
      return "picture " + SmallJvm.hash(pipeline.generate(SmallJvm.SMALL).image());
    }
  }

  /**
   * And of requests at once that find no room, each says that and no more. The serial collector
   * gives up at once, where others try for minutes on a busy machine.
   */
  @Test
  void aFullHeapIsOneSentenceWithWhatWasFinishedAndThePipelineWorksOn() throws Exception {
    List<String> lines = run("full-heap", "-Xmx64m", "-XX:+UseSerialGC");
    String expected = expected();
    assertEquals(6, lines.size(), lines.toString());
    assertEquals(expected.replace("picture", "finished 1"), lines.get(0));
    assertTrue(
        lines.get(1).startsWith("[memory] 16x24 pixels did not fit into the Java heap of 6"),
        lines.get(1));
    for (String outcome : lines.subList(2, 5)) {
      assertTrue(
          outcome.startsWith(
              "outcome java.lang.OutOfMemoryError: [memory] 96x96 pixels did not fit into"),
          outcome);
    }
    assertEquals(expected, lines.getLast());
  }

  /** What a shell does before it becomes a program. */
  private static List<String> limitedBy(String limits) {
    return List.of("/bin/sh", "-c", limits + " && exec \"$@\"", "sh");
  }

  /** On one core, and the last picture by 64 threads on it. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aCheckpointThatThereIsNoHandleForIsNamedAndAnOpenOneNeedsNoneUpToTheWrittenPicture(
      @TempDir Path folder) throws Exception {
    List<String> lines =
        run(
            limitedBy("ulimit -n 64"),
            inOneJar(folder),
            List.of("no-handles"),
            "-XX:ActiveProcessorCount=1",
            "-Xmx256m");
    String picture = expected();
    String index = MiniCheckpoint.directory().getFileName() + "/model_index.json";
    assertEquals(
        List.of(
            "[config] " + index + ": cannot be read (Too many open files).",
            "handles " + picture,
            "written " + picture,
            picture),
        lines);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whoAsksForMoreThreadsThanTheSystemGivesIsToldHowManyThereWere() throws Exception {
    List<String> lines =
        run(
            limitedBy("ulimit -v 9000000"),
            places(),
            List.of("no-threads"),
            "-Xmx128m",
            "-Xss256m",
            "-Xlog:disable"); // of which the JVM warns too
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(
        lines
            .getFirst()
            .matches(
                "\\[threads\\] the system gave [0-9]+ threads beside the caller's, of 63: use fewer,"
                    + " or let the process have more threads or more memory\\."),
        lines.getFirst());
    assertEquals(expected(), lines.getLast());
  }
}
