package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
  private static final String OPTIONS = "resources/io/github/kolors4j/cli/java.options";

  @TempDir private Path folder;
  private Path checkout;
  private Path jar;

  @BeforeEach
  void makeACheckout() throws IOException {
    checkout = Files.createDirectory(folder.resolve("check out"));
    Files.copy(Path.of("../kolors"), checkout.resolve("kolors"));
    Files.setPosixFilePermissions(
        checkout.resolve("kolors"), PosixFilePermissions.fromString("rwxr-xr-x"));
    old(Files.writeString(checkout.resolve("pom.xml"), "<project/>"));
    Path main = Files.createDirectories(checkout.resolve("kolors-cli/src/main"));
    Path options = main.resolve(OPTIONS);
    Files.createDirectories(options.getParent());
    Files.copy(Path.of("src/main").resolve(OPTIONS), options);
    old(Files.writeString(checkout.resolve("kolors-cli/pom.xml"), "<project/>"));
    Path target = Files.createDirectories(checkout.resolve("kolors-cli/target"));
    jar = target.resolve("kolors-cli-0.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Main.class.getName());
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, classPath());
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    try (Stream<Path> folders = Files.walk(main)) {
      for (Path each : folders.toList()) {
        old(each);
      }
    }
  }

  private static void old(Path path) throws IOException {
    Files.setLastModifiedTime(path, FileTime.from(Instant.EPOCH));
  }

  /** All that this JVM has on its class path and its module path. */
  private static String classPath() {
    return Stream.of("java.class.path", "jdk.module.path")
        .flatMap(key -> Stream.of(System.getProperty(key, "").split(File.pathSeparator)))
        .filter(entry -> !entry.isEmpty())
        .map(entry -> Path.of(entry).toUri().toString())
        .distinct()
        .collect(Collectors.joining(" "));
  }

  private ProcessBuilder process(Map<String, String> environment, String... command)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> own = builder.environment();
    List.of("LC_ALL", "LC_CTYPE", "LANG", "JAVA_TOOL_OPTIONS", Relaunch.OPTIONS)
        .forEach(own::remove);
    own.put("JAVA_HOME", JAVA_HOME);
    own.putAll(environment);
    Path work = Files.createDirectories(folder.resolve("elsewhere"));
    return builder
        .directory(work.toFile())
        .redirectOutput(folder.resolve("out").toFile())
        .redirectError(folder.resolve("err").toFile());
  }

  private Run run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    Process process = process(environment, command).start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES));
    return new Run(process.exitValue(), read("out"), read("err"));
  }

  private String read(String name) throws IOException {
    return Files.readString(folder.resolve(name), StandardCharsets.UTF_8);
  }

  private String script() {
    return checkout.resolve("kolors").toString();
  }

  @Test
  void aChinesePromptAndNameWorkWithoutALocaleAndFromAnyFolder() throws Exception {
    // The test's own JVM may be without a locale too, so the shell makes the letters.
    Path link = Files.createSymbolicLink(folder.resolve("link"), checkout.resolve("kolors"));
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
    return all.toArray(String[]::new);
  }

  /** The shell cannot be asked by a JVM without a locale. */
  private String onlyFile() throws Exception {
    Process list =
        new ProcessBuilder("ls", folder.resolve("elsewhere").toString())
            .redirectErrorStream(true)
            .start();
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
    Process process = process(Map.of(), command).start();
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (!read("err").contains("step 0") && System.nanoTime() < deadline) {
      Thread.sleep(50);
    }
    new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(130, process.exitValue(), read("err"));
    assertTrue(read("err").contains("kolors: interrupted"), read("err"));
    assertEquals("", read("out"));
    assertEquals("", onlyFile());
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
            Map.of("JAVA_HOME", old.toString(), "PATH", tools(), "KOLORS_JDK_FOLDERS", ""),
            script(),
            "-V");
    assertEquals(1, run.exitCode());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains("JDK 25 or newer") && run.err().contains("JDK 17"), run.err());
  }

  @Test
  void notBuiltAndWithoutMavenItSaysSo() throws Exception {
    Files.delete(jar);
    Run run = run(Map.of("PATH", tools()), script(), "-V");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("install Maven"), run.err());
  }

  @Test
  void withNewerSourcesItBuildsFirst() throws Exception {
    Path source = checkout.resolve("kolors-cli/src/main/New.java");
    Files.writeString(source, "");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
    Path maven = Path.of(tools()).resolve("mvn");
    Files.writeString(
        maven, "#!/bin/sh\necho \"$JAVA_HOME $PWD $*\" > called\necho to standard output\n");
    Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
    Run run = run(Map.of("PATH", tools()), script(), "--version");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(1, run.out().lines().count(), run.out());
    assertTrue(run.err().contains("kolors: building"), run.err());
    String called = Files.readString(checkout.resolve("called"));
    assertTrue(called.startsWith(JAVA_HOME + " " + checkout.toRealPath()), called);
    assertTrue(called.contains("-DskipTests"), called);
  }

  @Test
  void whenTheBuildFailsItDoesNotGoOn() throws Exception {
    Files.delete(jar);
    Path maven = Path.of(tools()).resolve("mvn");
    Files.writeString(maven, "#!/bin/sh\nexit 1\n");
    Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
    Run run = run(Map.of("PATH", tools()), script(), "--version");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("[build]"), run.err());
    assertFalse(run.out().contains("kolors4j"), run.out());
  }

  /** A PATH with what a POSIX system has, and without Java and Maven. */
  private String tools() throws IOException {
    Path bin = folder.resolve("bin");
    if (!Files.exists(bin)) {
      Files.createDirectory(bin);
      for (String tool :
          List.of("sh", "dirname", "readlink", "sed", "find", "head", "tr", "touch", "printf")) {
        for (String place : List.of("/bin", "/usr/bin")) {
          Path file = Path.of(place, tool);
          if (Files.exists(file) && !Files.exists(bin.resolve(tool))) {
            Files.createSymbolicLink(bin.resolve(tool), file);
          }
        }
      }
    }
    return bin.toString();
  }
}
