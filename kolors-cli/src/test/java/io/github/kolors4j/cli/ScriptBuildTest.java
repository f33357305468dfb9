package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * How {@code ./kolors} builds, with a Maven that only copies a jar, and a jar of two classes:
 * {@code Main} says where it runs from; with an argument {@code wait} it waits for a file of that
 * name and then needs the other class.
 */
@DisabledOnOs(OS.WINDOWS)
class ScriptBuildTest {
  /** Copies the jar as the real one does: into the file that is there. */
  private static final String COPY = "cat made.jar > kolors-cli/target/kolors-cli-0.jar";

  @TempDir private static Path shared;
  private static Path classes;

  @TempDir private Path folder;
  private Checkout checkout;
  private Map<String, String> environment;

  @BeforeAll
  static void compile() throws IOException {
    Path main =
        Files.writeString(
            shared.resolve("Main.java"),
            """
            package io.github.kolors4j.cli;

            public class Main {
              public static void main(String[] args) throws Exception {
                if (args[0].equals("wait")) {
                  System.err.println("waiting");
                  while (!new java.io.File("wait").exists()) {
                    Thread.sleep(10);
                  }
                  System.out.println(Late.class.getSimpleName());
                }
                System.out.println(System.getProperty("java.class.path"));
              }
            }

            class Late {}
            """);
    classes = shared.resolve("classes");
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(writer, writer, "-d", classes.toString(), main.toString());
    assertEquals(0, code, said.toString());
  }

  @BeforeEach
  void makeACheckout() throws IOException {
    checkout = new Checkout(folder);
    environment = Map.of("PATH", checkout.tools());
    jar(checkout.root().resolve("made.jar"), "made");
    checkout.maven("echo call >> calls", COPY);
  }

  @AfterEach
  void removeTools() throws IOException {
    checkout.removeTools();
  }

  /** A jar with the two classes, and with something by which it differs from another one. */
  private static void jar(Path file, String mark) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out)) {
      for (String name : List.of("Main", "Late")) {
        String entry = "io/github/kolors4j/cli/" + name + ".class";
        jar.putNextEntry(new JarEntry(entry));
        Files.copy(classes.resolve(entry), jar);
      }
      jar.putNextEntry(new JarEntry(mark));
    }
  }

  private String script() {
    return checkout.script().toString();
  }

  private Run run(String... arguments) throws IOException, InterruptedException {
    return start(arguments).end();
  }

  private Checkout.Started start(String... arguments) throws IOException {
    return checkout.start(
        environment,
        Stream.concat(Stream.of(script()), Stream.of(arguments)).toArray(String[]::new));
  }

  private long builds() throws IOException {
    Path calls = checkout.root().resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls).size() : 0;
  }

  private List<String> placed() throws IOException {
    try (Stream<Path> files = Files.list(checkout.place())) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Path ranFrom(Run run) {
    assertEquals(0, run.exitCode(), run.err());
    return Path.of(run.out().strip());
  }

  @Test
  void withNewerSourcesItBuildsFirst() throws Exception {
    jar(checkout.jar(), "old");
    checkout.edit();
    checkout.maven("echo \"$JAVA_HOME $PWD $*\" > called", "echo to standard output", COPY);
    Run run = run("--version");
    assertEquals(checkout.place(), ranFrom(run).getParent());
    assertTrue(run.err().contains("kolors: building"), run.err());
    String called = Files.readString(checkout.root().resolve("called"));
    String begin = System.getProperty("java.home") + " " + checkout.root().toRealPath();
    assertTrue(called.startsWith(begin), called);
    assertTrue(called.contains("-DskipTests"), called);
    assertTrue(called.contains("-Dstyle.color=never"), "no escapes into a file: " + called);
  }

  @Test
  void withoutNewerSourcesItDoesNotBuildAgain() throws Exception {
    Path first = ranFrom(run("--version"));
    Run second = run("--version");
    assertEquals(first, ranFrom(second));
    assertEquals(1, builds());
    assertFalse(second.err().contains("building"), second.err());
  }

  @Test
  void aJarThatWasBuiltByHandNeedsNoMaven() throws Exception {
    jar(checkout.jar(), "by hand");
    assertEquals(checkout.place(), ranFrom(run("--version")).getParent());
    assertEquals(0, builds());
  }

  @Test
  void whenTheBuildFailsItDoesNotGoOn() throws Exception {
    checkout.maven("exit 1");
    Run run = run("--version");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("[build]"), run.err());
    assertEquals("", run.out());
    assertEquals(List.of(), placed());
  }

  @Test
  void ofSeveralFirstCallsAtOnceOneBuildsAndTheOthersWait() throws Exception {
    checkout.maven(
        "mkdir building || exit 1", "echo call >> calls", "sleep 2", COPY, "rmdir building");
    List<Checkout.Started> calls = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      calls.add(start("--version"));
    }
    int waited = 0;
    for (Checkout.Started call : calls) {
      Run run = call.end();
      assertEquals(checkout.place(), ranFrom(run).getParent());
      waited += run.err().contains("waiting for the build of process") ? 1 : 0;
    }
    assertEquals(1, builds());
    assertEquals(3, waited);
    assertEquals(2, placed().size(), "the jar and its name: " + placed());
  }

  @Test
  void theLockOfAKilledBuildIsTakenOverByOne() throws Exception {
    checkout.maven("echo called >&2", "sleep 60");
    Checkout.Started killed = start("--version");
    Path lock = checkout.place().resolve("lock");
    killed.awaitError("called\n"); // or its Maven begins when nobody looks for it any more
    List<ProcessHandle> maven = killed.process().descendants().toList();
    killed.process().destroyForcibly().waitFor();
    maven.forEach(ProcessHandle::destroyForcibly);
    assertTrue(Files.isSymbolicLink(lock));

    checkout.maven(
        "mkdir building || exit 1", "echo call >> calls", "sleep 1", COPY, "rmdir building");
    List<Checkout.Started> calls = List.of(start("-V"), start("-V"), start("-V"), start("-V"));
    for (Checkout.Started call : calls) {
      ranFrom(call.end());
    }
    assertEquals(1, builds());
    assertFalse(Files.isSymbolicLink(lock));
  }

  @Test
  void aBuildThatIsEndedLeavesNoLock() throws Exception {
    checkout.maven("echo called >&2", "sleep 1", "exit 1");
    Checkout.Started call = start("--version");
    call.awaitError("called\n");
    call.process().destroy();
    Run run = call.end();
    assertEquals(143, run.exitCode(), run.err());
    assertEquals(List.of(), placed());
  }

  @Test
  void aBuildTakesNoClassFromARunningProcess() throws Exception {
    Checkout.Started running = start("wait");
    running.awaitError("waiting\n");
    try (JarOutputStream jar =
        new JarOutputStream(Files.newOutputStream(checkout.root().resolve("made.jar")))) {
      for (String name : List.of("A", "Main")) { // with no class Late, and all else elsewhere
        String entry = "io/github/kolors4j/cli/" + name + ".class";
        jar.putNextEntry(new JarEntry(entry));
        Files.copy(classes.resolve("io/github/kolors4j/cli/Main.class"), jar);
      }
    }
    checkout.edit();
    Path second = ranFrom(run("--version"));
    assertEquals(2, builds());
    Files.createFile(checkout.elsewhere().resolve("wait"));
    Run first = running.end();
    assertEquals(0, first.exitCode(), first.err());
    List<String> lines = first.out().lines().toList();
    assertEquals("Late", lines.getFirst());
    assertNotEquals(second, Path.of(lines.getLast()));
  }

  @Test
  void ofOldJarsTwoAreKept() throws Exception {
    Path last = null;
    for (int i = 0; i < 5; i++) {
      jar(checkout.root().resolve("made.jar"), "build " + i);
      Files.deleteIfExists(checkout.jar());
      Files.deleteIfExists(checkout.place().resolve("current"));
      last = ranFrom(run("--version"));
    }
    List<String> placed = placed();
    assertEquals(4, placed.size(), placed.toString());
    assertTrue(placed.contains(last.getFileName().toString()), placed.toString());
  }

  @Test
  void anEditDuringABuildIsBuiltTheNextTime() throws Exception {
    checkout.maven("echo call >> calls", "sleep 1", "touch kolors-cli/src/main/Edit.java", COPY);
    ranFrom(run("--version"));
    checkout.maven("echo call >> calls", COPY);
    ranFrom(run("--version"));
    ranFrom(run("--version"));
    assertEquals(2, builds());
  }

  @Test
  void aJarThatAnotherMavenIsStillWritingIsNotTaken() throws Exception {
    byte[] whole = Files.readAllBytes(checkout.root().resolve("made.jar"));
    Files.write(checkout.jar(), Arrays.copyOf(whole, whole.length / 2));
    assertEquals(checkout.place(), ranFrom(run("--version")).getParent());
    assertEquals(1, builds());
  }

  @Test
  void aJarThatDoesNotRunIsNotKept() throws Exception {
    checkout.maven("echo nothing > kolors-cli/target/kolors-cli-0.jar");
    Run run = run("--version");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("does not run"), run.err());
    assertEquals(List.of(), placed());
  }

  @Test
  void whereNothingCanBeWrittenTheJarRunsFromWhereItWasBuilt() throws Exception {
    jar(checkout.jar(), "by hand");
    Files.writeString(checkout.place(), "in the way");
    assertEquals(checkout.jar(), ranFrom(run("--version")));
    checkout.edit();
    Run run = run("--version");
    assertEquals(checkout.jar(), ranFrom(run));
    assertTrue(run.err().contains("warning: [build] sources are newer than the jar"), run.err());
    assertEquals(0, builds());
  }
}
