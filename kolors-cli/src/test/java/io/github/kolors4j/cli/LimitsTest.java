package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What the system around a process can be short of, and how it can be started in an odd way. */
@EnabledOnOs(OS.LINUX)
class LimitsTest {
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin/java").toString();

  private static final String[] SMALL = {
    "generate", "x", "--width=16", "--height=16", "--steps=1", "--max-sequence-length=8"
  };
  private static final String[] LARGER = {
    "generate", "x", "--width=64", "--height=64", "--steps=1", "--max-sequence-length=8"
  };

  @TempDir private Path folder;
  private Checkout checkout;
  private Path jar;

  @BeforeEach
  void makeACheckout() throws IOException {
    checkout = new Checkout(folder);
    jar = checkout.makeJar();
  }

  @AfterEach
  void removeTools() throws IOException {
    checkout.removeTools();
  }

  private Run script(Map<String, String> environment, String... arguments) throws Exception {
    return checkout.run(environment, with(List.of(checkout.script().toString()), arguments));
  }

  /** By a shell that does something before. */
  private Run shell(String before, String... arguments) throws Exception {
    List<String> shell =
        List.of("/bin/sh", "-c", before + " exec \"$@\"", "sh", checkout.script().toString());
    return checkout.run(Map.of(), with(shell, arguments));
  }

  private static String[] with(List<String> command, String... arguments) {
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of(arguments));
    return all.toArray(String[]::new);
  }

  private static void assertFailed(Run run, String... texts) {
    assertEquals(1, run.exitCode(), run.err());
    assertEquals("", run.out());
    String last = run.err().lines().toList().getLast();
    for (String text : texts) {
      assertTrue(last.contains(text), run.err());
    }
    assertTrue(!run.err().contains("\tat "), run.err());
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(checkout.elsewhere())) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  /** 4 kB a file, and the picture has 10. */
  @Test
  void aFileThatIsTooLargeForTheDiskIsNamedAndNothingHalfWrittenIsLeft() throws Exception {
    Run run = shell("ulimit -f 8;", with(List.of(LARGER), "--out", "a.png"));
    assertFailed(run, "kolors: [image] cannot save a.png: File too large.");
    assertEquals(List.of(), files());
  }

  @Test
  void resultsThatAFullDiskDidNotTakeEndWith1() throws Exception {
    Run run = shell("exec >/dev/full;", "tokenize", "hi");
    assertFailed(run, "kolors: [output] standard output could not be written to");
  }

  @Test
  void aHeapThatIsTooSmallForThePictureIsSaidBeforeTheWork() throws Exception {
    String[] command = {"generate", "x", "--width", "256", "--height", "256", "--out", "a.png"};
    Run run = script(Map.of(Relaunch.OPTIONS, "-Xmx24m"), command);
    assertFailed(run, "256x256 pixels need about ", "larger -Xmx.");
    assertTrue(!run.err().contains("step"), run.err());
  }

  /** Of the memory the JVM takes a part for its heap; the weights are mapped and need no room. */
  @Test
  void inASmallContainerASmallPictureIsMadeAndALargerOneRefusedBeforeTheWork() throws Exception {
    String[] large = {"generate", "x", "--width", "512", "--height", "512", "--out", "large.png"};
    Optional<Path> group = memoryGroup(192 << 20);
    if (group.isEmpty()) { // no right to make one: as the JVM sees it
      Run run = script(Map.of(Relaunch.OPTIONS, "-XX:MaxRAM=192m"), large);
      assertFailed(run, "512x512 pixels need about ", "larger -Xmx.");
      return;
    }
    String enter = "echo $$ > " + group.get().resolve("cgroup.procs") + ";";
    try {
      Run small = shell(enter, SMALL);
      assertEquals(0, small.exitCode(), small.err());
      assertFailed(shell(enter, large), "512x512 pixels need about ", "larger -Xmx.");
      assertEquals(List.of("kolors.png"), files());
    } finally {
      Files.delete(group.get());
    }
  }

  /** One that its processes can have so many bytes in, where the system lets us make it. */
  private static Optional<Path> memoryGroup(long bytes) throws IOException {
    String name = "kolors4j-" + ProcessHandle.current().pid();
    Map<String, String> limits =
        Map.of("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "/sys/fs/cgroup", "memory.max");
    for (Map.Entry<String, String> version : limits.entrySet()) {
      Path group = Path.of(version.getKey(), name);
      try {
        Files.createDirectory(group);
        Files.writeString(group.resolve(version.getValue()), "" + bytes, StandardOpenOption.WRITE);
        return Optional.of(group);
      } catch (IOException _) {
        Files.deleteIfExists(group);
      }
    }
    return Optional.empty();
  }

  @Test
  void aHeapBelowTheInitialOneOfTheOptionsStarts() throws Exception {
    List<Checkout.Started> all = new ArrayList<>();
    for (String heap : List.of("-Xmx40m", "-XX:MaxHeapSize=41943040", "-Xmx40000k")) {
      Map<String, String> options = Map.of(Relaunch.OPTIONS, heap);
      all.add(checkout.start(options, checkout.script().toString(), "-V"));
    }
    for (Checkout.Started each : all) {
      Run run = each.end();
      assertEquals(0, run.exitCode(), run.err());
    }
  }

  /**
   * All at once, as each needs a picture: 64 threads that wait for one another on one core, folders
   * that not even root can make, a name that shells and parsers trip over, and digits of Arabic.
   */
  @Test
  void aPictureIsMadeOnOneCoreWithoutAHomeInAnyLocaleUnderAnyName() throws Exception {
    boolean pinned = Files.isExecutable(Path.of("/usr/bin/taskset"));
    String core = pinned ? "" : " -XX:ActiveProcessorCount=1";
    String name = "-it's \"a\" $x.png";
    List<String> command =
        List.of(
            "/bin/sh",
            "-c",
            (pinned ? "taskset -cp 0 $$ >/dev/null;" : "") + " exec \"$@\"",
            "sh",
            checkout.script().toString());
    Map<String, String> environment =
        Map.of(
            "HOME",
            "/proc/none",
            "XDG_CACHE_HOME",
            "/proc/none/cache",
            "HF_HOME",
            "/proc/hub",
            Relaunch.OPTIONS,
            "-Duser.language=ar -Duser.country=EG" + core);
    String[] generate =
        with(
            List.of(SMALL).subList(0, 4),
            "--steps=2", // of one there is no time a step
            "--max-sequence-length=8",
            "--threads=64",
            "--out=" + name);
    Run made = checkout.run(environment, with(command, generate));
    assertEquals(0, made.exitCode(), made.err());
    assertEquals(name + "\n", made.out());
    assertEquals(List.of(name), files());
    assertTrue(!made.err().contains("\tat "), made.err());
    assertTrue(
        made.err().matches("(?s).*step 2/2 [0-9.]+ s/step.*seed [0-9]+, [0-9]+\\.[0-9] s.*"),
        made.err());
    Run shown = script(Map.of(), "show", "--", name);
    assertTrue(shown.out().contains("pixels: as they were made"), shown.toString());
  }

  /** One that a container has of its own, of 64 kB. */
  @Test
  void aDiskThatIsFullIsNamedAndWhatWasThereStays() throws Exception {
    Path disk = Files.createDirectory(checkout.elsewhere().resolve("disk"));
    String mount = "mount -t tmpfs -o size=64k tmpfs " + disk;
    assumeTrue(checkout.run(Map.of(), "/bin/sh", "-c", mount).exitCode() == 0, "no right to mount");
    try {
      Files.write(disk.resolve("a.png"), new byte[100]);
      Files.write(disk.resolve("full"), new byte[60_000]);
      Run run = Run.of(with(List.of(LARGER), "--out", disk + "/a.png"));
      assertFailed(run, "kolors: [image] cannot save " + disk + "/a.png: No space left on device.");
      assertEquals(100, Files.size(disk.resolve("a.png")));
      try (Stream<Path> left = Files.list(disk)) {
        assertEquals(2, left.count(), "nothing half-written");
      }
    } finally {
      checkout.run(Map.of(), "/bin/sh", "-c", "umount -l " + disk);
    }
  }

  /** The system need not have that locale. */
  @Test
  void argumentsAreReadByTheCharsetOfTheLocale() throws Exception {
    String cat = "\\303\\250"; // in GBK; in UTF-8 it is another letter
    List<Checkout.Started> all = new ArrayList<>();
    for (List<String> command :
        List.of(List.of(checkout.script().toString()), List.of(JAVA, "-jar", jar.toString()))) {
      String letters = "exec \"$@\" tokenize \"$(printf '" + cat + "')\" --json";
      all.add(
          checkout.start(
              Map.of("LC_ALL", "zh_CN.GBK"),
              with(List.of("/bin/sh", "-c", letters, "sh"), command.toArray(String[]::new))));
    }
    for (Checkout.Started each : all) {
      Run run = each.end();
      assertEquals(0, run.exitCode(), run.err());
      assertEquals(Run.of("tokenize", "猫", "--json").out(), run.out());
    }
  }

  @Test
  void bytesThatAreNoTextAreRefusedAndNotReplaced() throws Exception {
    String letters = "exec \"$@\" tokenize \"$(printf 'a\\377\\376b')\"";
    List<Checkout.Started> all = new ArrayList<>();
    for (String locale : List.of("C.UTF-8", "C")) {
      Map<String, String> environment = Map.of("LC_ALL", locale);
      String script = checkout.script().toString();
      all.add(checkout.start(environment, "/bin/sh", "-c", letters, "sh", script));
    }
    // A letter that somebody has typed so is one.
    Run typed = script(Map.of("LC_ALL", "C.UTF-8"), "tokenize", "a\uFFFDb");
    assertEquals(0, typed.exitCode(), typed.err());
    for (Checkout.Started each : all) {
      Run run = each.end();
      assertEquals(2, run.exitCode(), run.err());
      assertEquals("", run.out());
      assertTrue(run.err().contains("argument 2 is no text in UTF-8"), run.err());
    }
  }

  @Test
  void aDebuggerAndJmxStayWithTheFirstJvm() throws Exception {
    String debugger = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:";
    String jmx = "-Dcom.sun.management.jmxremote.";
    List<String> command =
        List.of(
            JAVA,
            debugger + freePort(),
            jmx + "port=" + freePort(),
            jmx + "host=127.0.0.1",
            jmx + "authenticate=false",
            jmx + "ssl=false",
            "-jar",
            jar.toString());
    Checkout.Started started = checkout.start(Map.of(), with(command, "tokenize", "hi", "--json"));
    Run byVariable =
        checkout.run(
            Map.of("JAVA_TOOL_OPTIONS", "-Da=b " + debugger + freePort()),
            with(List.of(JAVA, "-jar", jar.toString()), "-V"));
    Run run = started.end();
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains(Run.of("tokenize", "hi", "--json").out().strip()), run.out());
    assertEquals(0, byVariable.exitCode(), byVariable.err());
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
