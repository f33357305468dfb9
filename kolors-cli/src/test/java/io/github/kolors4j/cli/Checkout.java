package io.github.kolors4j.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A checkout with the script {@code ./kolors} and no sources but its options, all as old as can be,
 * and processes that use it, each with files of its own for what it writes.
 */
final class Checkout {
  private static final String JAVA_HOME = System.getProperty("java.home");
  private static final String OPTIONS = "resources/io/github/kolors4j/cli/java.options";

  private final Path folder;
  private final Path root;

  /** Makes one in a folder. */
  Checkout(Path folder) throws IOException {
    this.folder = folder;
    root = Files.createDirectory(folder.resolve("check out"));
    executable(Files.copy(Path.of("../kolors"), script()));
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Path options = main().resolve(OPTIONS);
    Files.createDirectories(options.getParent());
    Files.copy(Path.of("src/main").resolve(OPTIONS), options);
    Files.writeString(root.resolve("kolors-cli/pom.xml"), "<project/>");
    Files.createDirectory(target());
    try (Stream<Path> files = Files.walk(root)) {
      for (Path each : files.toList()) {
        Files.setLastModifiedTime(each, FileTime.from(Instant.EPOCH));
      }
    }
  }

  private static void executable(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  Path root() {
    return root;
  }

  Path script() {
    return root.resolve("kolors");
  }

  /** The sources of the command line. */
  Path main() {
    return root.resolve("kolors-cli/src/main");
  }

  Path target() {
    return root.resolve("kolors-cli/target");
  }

  /** Where Maven puts the jar. */
  Path jar() {
    return target().resolve("kolors-cli-0.jar");
  }

  /** A jar there that only points at the classes that are being tested. */
  Path makeJar() throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Main.class.getName());
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, classPath());
    new JarOutputStream(Files.newOutputStream(jar()), manifest).close();
    return jar();
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

  /** The folder of the jars that run. */
  Path place() {
    return target().resolve("kolors");
  }

  /** A source that is newer than everything else. */
  void edit() throws IOException {
    Path source = Files.writeString(main().resolve("New.java"), "");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
  }

  /** A Maven for {@link #tools} that is this shell script. */
  void maven(String... lines) throws IOException {
    Path maven = Path.of(tools()).resolve("mvn");
    executable(Files.writeString(maven, "#!/bin/sh\n" + String.join("\n", lines) + "\n"));
  }

  /** A PATH with what a POSIX system has, and without Java and Maven. */
  String tools() throws IOException {
    Path bin = folder.resolve("bin");
    if (!Files.exists(bin)) {
      Files.createDirectory(bin);
      for (String tool :
          ("sh cat cksum cp dirname find head ln ls mkdir mv printf readlink rm rmdir sed sleep tail"
                  + " touch tr")
              .split(" ")) {
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

  /** The links of {@link #tools}: JUnit warns of each that it finds. */
  void removeTools() throws IOException {
    Path bin = folder.resolve("bin");
    if (Files.exists(bin)) {
      try (Stream<Path> files = Files.list(bin)) {
        for (Path each : files.toList()) {
          Files.delete(each);
        }
      }
    }
  }

  /** The folder that processes run in. */
  Path elsewhere() throws IOException {
    return Files.createDirectories(folder.resolve("elsewhere"));
  }

  /** What a test waits for. */
  interface Condition {
    boolean holds() throws IOException;
  }

  /** A process, and the files that it writes to. */
  record Started(Process process, Path out, Path err) {
    String errors() throws IOException {
      return Files.readString(err, StandardCharsets.UTF_8);
    }

    /** Until it says something on standard error. */
    void awaitError(String text) throws IOException, InterruptedException {
      await(() -> errors().contains(text));
    }

    void await(Condition condition) throws IOException, InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
      while (!condition.holds()) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          process.destroyForcibly();
          throw new AssertionError("waited for in vain: " + errors());
        }
        Thread.sleep(10);
      }
    }

    Run end() throws IOException, InterruptedException {
      if (!process.waitFor(5, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError("does not end: " + errors());
      }
      return new Run(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8), errors());
    }
  }

  Started start(Map<String, String> environment, String... command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> own = builder.environment();
    List.of("LC_ALL", "LC_CTYPE", "LANG", "JAVA_TOOL_OPTIONS", Relaunch.OPTIONS)
        .forEach(own::remove);
    own.put("JAVA_HOME", JAVA_HOME);
    own.putAll(environment);
    Path out = Files.createTempFile(folder, "out", "");
    Path err = Files.createTempFile(folder, "err", "");
    Process process =
        builder
            .directory(elsewhere().toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new Started(process, out, err);
  }

  Run run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    return start(environment, command).end();
  }
}
