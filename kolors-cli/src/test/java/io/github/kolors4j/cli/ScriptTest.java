package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code ./kolors} and the jar as processes of their own, in a checkout that is made for
 * the test: its jar only points at the classes that are being tested.
 */
@DisabledOnOs(OS.WINDOWS)
class ScriptTest {
  private static final String JAVA_HOME = System.getProperty("java.home");

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

  private Run run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    return checkout.run(environment, command);
  }

  private String script() {
    return checkout.script().toString();
  }

  @Test
  void aChinesePromptAndNameWorkWithoutALocaleAndFromAnyFolder() throws Exception {
    // The test's own JVM may be without a locale too, so the shell makes the letters.
    Path link = Files.createSymbolicLink(folder.resolve("link"), checkout.script());
    String letters =
        "p=$(printf '\\347\\223\\242\\350\\231\\253'); exec \"$@\" \"$p\" --out $p.png";
    Run run =
        run(
            Map.of("LC_ALL", "C"),
            command("/bin/sh", "-c", letters, "sh", link.toString(), "generate", "--json"));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("瓢虫.png"), run.out());
    assertEquals("瓢虫.png", onlyFile());
  }

  @Test
  void theJarAloneDoesTheSame() throws Exception {
    String letters =
        "p=$(printf '\\347\\223\\242\\350\\231\\253'); exec \"$@\" \"$p\" --out $p.png";
    String java = Path.of(JAVA_HOME, "bin", "java").toString();
    Run run =
        run(
            Map.of("LC_ALL", "POSIX", Relaunch.OPTIONS, "-Dsome=thing"),
            command("/bin/sh", "-c", letters, "sh", java, "-jar", jar.toString(), "generate"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("瓢虫.png\n", run.out());
    assertEquals("瓢虫.png", onlyFile());
  }

  /** With the smallest picture. */
  private static String[] command(String... command) {
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(List.of("--width", "16", "--height", "16", "--steps", "1"));
    all.addAll(List.of("--max-sequence-length", "8"));
    return all.toArray(String[]::new);
  }

  /** The shell cannot be asked by a JVM without a locale. */
  private String onlyFile() throws Exception {
    Process list =
        new ProcessBuilder("ls", checkout.elsewhere().toString()).redirectErrorStream(true).start();
    return new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  @Test
  void exitCodesArePassedOn() throws Exception {
    assertEquals(2, run(Map.of(), script(), "generate").exitCode());
    assertEquals(1, run(Map.of(), script(), "inspect", "none").exitCode());
    String java = Path.of(JAVA_HOME, "bin", "java").toString();
    assertEquals(2, run(Map.of(), java, "-jar", jar.toString(), "generate").exitCode());
  }

  @Test
  void optionsForTheJvmReachIt() throws Exception {
    Run run = run(Map.of(Relaunch.OPTIONS, "-Da=b -XshowSettings:properties"), script(), "-V");
    assertEquals(0, run.exitCode());
    assertTrue(run.err().contains("a = b"), run.err());
  }

  @Test
  void interruptedItLeavesNoFileAndExits130() throws Exception {
    String[] command = {script(), "generate", "x", "--steps", "1000"};
    Checkout.Started started = checkout.start(Map.of(), command);
    started.awaitError("step 0");
    new ProcessBuilder("kill", "-INT", String.valueOf(started.process().pid())).start().waitFor();
    Run run = started.end();
    assertEquals(130, run.exitCode(), run.err());
    assertTrue(run.err().contains("kolors: interrupted"), run.err());
    assertEquals("", run.out());
    assertEquals("", onlyFile());
  }

  @Test
  void interruptedInTheSecondPictureTheFirstOneIsThereAndNamed() throws Exception {
    String[] command = {script(), "generate", "x", "--width", "16", "--height", "16"};
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(List.of("--max-sequence-length", "8", "--steps", "300", "--images", "3"));
    all.addAll(List.of("--out", "a.png", "--seed", "1"));
    Checkout.Started started = checkout.start(Map.of(), all.toArray(String[]::new));
    started.awaitError("image 2/3");
    new ProcessBuilder("kill", "-INT", String.valueOf(started.process().pid())).start().waitFor();
    Run run = started.end();
    assertEquals(130, run.exitCode(), run.err());
    assertEquals("a-0.png", onlyFile());
    assertTrue(run.err().contains("the end. Complete is 1 file: a-0.png."), run.err());
    assertEquals("", run.out());
  }

  @Test
  void withoutANewEnoughJdkItSaysWhatItFound() throws Exception {
    Path old = folder.resolve("jdk-17");
    Files.createDirectories(old.resolve("bin"));
    for (String tool : List.of("java", "javac")) {
      Path file = Files.writeString(old.resolve("bin").resolve(tool), "#!/bin/sh\n");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    Files.writeString(old.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");
    Run run =
        run(
            Map.of("JAVA_HOME", old.toString(), "PATH", checkout.tools(), "KOLORS_JDK_FOLDERS", ""),
            script(),
            "-V");
    assertEquals(1, run.exitCode());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains("JDK 25 or newer") && run.err().contains("JDK 17"), run.err());
  }

  @Test
  void notBuiltAndWithoutMavenItSaysSo() throws Exception {
    Files.delete(jar);
    Run run = run(Map.of("PATH", checkout.tools()), script(), "-V");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("install Maven"), run.err());
  }
}
