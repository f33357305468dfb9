package io.github.kolors4j.mini;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * An application that asks for the checkpoint, in a process of its own, from each thing that Java
 * runs a library out of.
 */
class PackagedTest {
  private static final Path CLASSES = Path.of("target/classes").toAbsolutePath();
  private static final Path CHECKPOINT = Path.of("src/main/checkpoint");
  private static final Path EXTENSIONS = Path.of("src/main/extensions");
  private static final Path JDK = Path.of(System.getProperty("java.home"));

  /** With characters that addresses write in another way. */
  @TempDir(factory = AwkwardName.class)
  private static Path shared;

  private static Path application;
  private static Path library;

  @TempDir private Path folder;
  private Path home;

  /** What the process said last, beside the checkpoint's folder: one that is in the extensions'. */
  private Path controlNet;

  static final class AwkwardName implements TempDirFactory {
    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context)
        throws IOException {
      return Files.createTempDirectory("a b#c%20");
    }
  }

  @BeforeAll
  static void makeTheApplicationAndTheJar() throws IOException {
    Path sources = Files.createDirectories(shared.resolve("sources"));
    Path module =
        Files.writeString(
            sources.resolve("module-info.java"),
            "module application { requires io.github.kolors4j.mini; }");
    Path main =
        Files.writeString(
            Files.createDirectories(sources.resolve("application")).resolve("Main.java"),
            """
            package application;

            public class Main {
              public static void main(String[] args) throws java.io.IOException {
                System.out.println(io.github.kolors4j.mini.MiniCheckpoint.directory());
                System.out.println(io.github.kolors4j.mini.MiniCheckpoint.controlNet());
              }
            }
            """);
    application = shared.resolve("application");
    tool("javac", "-d", application, "-p", CLASSES, module, main);
    library = shared.resolve("kolors-mini.jar");
    tool("jar", "--create", "--file", library, "-C", CLASSES, ".");
  }

  private static void tool(String name, Object... arguments) {
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    String[] texts = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
    int code = ToolProvider.findFirst(name).orElseThrow().run(writer, writer, texts);
    assertEquals(0, code, said.toString());
  }

  @BeforeEach
  void makeAHome() throws IOException {
    home = Files.createDirectory(folder.resolve("home"));
  }

  /** What a process says on standard output, when it ends well and says nothing else. */
  private String run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    builder.environment().remove("HOME");
    builder.environment().remove("XDG_CACHE_HOME");
    builder.environment().putAll(environment);
    File out = folder.resolve("out").toFile();
    File err = folder.resolve("err").toFile();
    Process process = builder.redirectOutput(out).redirectError(err).start();
    assertTrue(process.waitFor(2, TimeUnit.MINUTES));
    String said = Files.readString(err.toPath());
    assertEquals(0, process.exitValue(), said);
    assertEquals("", said);
    return Files.readString(out.toPath()).strip();
  }

  private Path directory(String... options) throws Exception {
    return directory(JDK, options);
  }

  private Path directory(Path jdk, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(jdk.resolve("bin").resolve("java").toString());
    command.add("-Duser.home=" + home);
    Collections.addAll(command, options);
    return directory(run(Map.of(), command));
  }

  private Path directory(String said) {
    List<Path> folders = said.lines().map(Path::of).toList();
    assertEquals(2, folders.size(), said);
    controlNet = folders.get(1);
    return folders.get(0);
  }

  private static String path(Path... entries) {
    return String.join(File.pathSeparator, Stream.of(entries).map(Path::toString).toList());
  }

  private void assertUnpackedInTheHome(Path directory) throws IOException {
    assertEquals(home.resolve(".cache/kolors4j"), directory.getParent());
    assertAreTheFiles(directory);
  }

  private void assertAreTheFiles(Path directory) throws IOException {
    assertAreTheFiles(CHECKPOINT, directory);
    assertAreTheFiles(EXTENSIONS, controlNet.getParent());
    assertEquals(directory.getParent(), controlNet.getParent().getParent());
  }

  private static void assertAreTheFiles(Path expected, Path directory) throws IOException {
    List<Path> files = files(expected);
    assertEquals(files, files(directory));
    for (Path file : files) {
      assertEquals(
          -1, Files.mismatch(expected.resolve(file), directory.resolve(file)), () -> "" + file);
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      return paths.filter(Files::isRegularFile).map(directory::relativize).sorted().toList();
    }
  }

  @Test
  void fromAFolderOfClassesItIsUsedWhereItIs() throws Exception {
    Path directory = directory("-cp", path(CLASSES, application), "application.Main");
    assertTrue(directory.startsWith(CLASSES), directory.toString());
    assertAreTheFiles(directory);
    assertEquals(
        directory,
        directory("-p", path(CLASSES, application), "-m", "application/application.Main"));
    assertEquals(List.of(), files(home));
  }

  @Test
  void fromAPlainJarItIsUnpacked() throws Exception {
    assertUnpackedInTheHome(directory("-cp", path(library, application), "application.Main"));
  }

  @Test
  void fromTheModulePathItIsUnpacked() throws Exception {
    assertUnpackedInTheHome(
        directory("-p", path(library, application), "-m", "application/application.Main"));
  }

  @Test
  void fromAJarWithinAnExecutableJarOfSpringBootItIsUnpacked() throws Exception {
    assertUnpackedInTheHome(directory("-jar", executableJar().toString()));
  }

  /**
   * What the plug-in of Spring Boot makes: its loader, and the libraries as jars, not compressed.
   */
  private Path executableJar() throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(
        Attributes.Name.MAIN_CLASS, "org.springframework.boot.loader.launch.JarLauncher");
    attributes.putValue("Start-Class", "application.Main");
    Path executable = folder.resolve("application.jar");
    try (OutputStream file = Files.newOutputStream(executable);
        JarOutputStream jar = new JarOutputStream(file, manifest);
        JarFile loader = new JarFile(springBootLoader())) {
      for (JarEntry entry : Collections.list(loader.entries())) {
        if (entry.getName().endsWith(".class")) {
          add(jar, entry.getName(), loader.getInputStream(entry).readAllBytes());
        }
      }
      add(jar, "BOOT-INF/classes/", new byte[0]); // by which the loader knows what is there
      for (Path each : files(application)) {
        String name = "BOOT-INF/classes/" + each.toString().replace('\\', '/');
        add(jar, name, Files.readAllBytes(application.resolve(each)));
      }
      add(jar, "BOOT-INF/lib/kolors-mini.jar", Files.readAllBytes(library));
    }
    return executable;
  }

  private static String springBootLoader() {
    return Stream.of("java.class.path", "jdk.module.path")
        .flatMap(key -> Stream.of(System.getProperty(key, "").split(File.pathSeparator)))
        .filter(entry -> entry.contains("spring-boot-loader"))
        .findFirst()
        .orElseThrow();
  }

  private static void add(JarOutputStream jar, String name, byte[] data) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    CRC32 crc = new CRC32();
    crc.update(data);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(data.length);
    entry.setCrc(crc.getValue());
    jar.putNextEntry(entry);
    jar.write(data);
  }

  @Test
  void fromARunTimeImageOfJlinkItIsUnpacked() throws Exception {
    String jlink = JDK.resolve("bin").resolve("jlink").toString();
    assumeTrue(
        Files.isDirectory(JDK.resolve("jmods"))
            || run(Map.of(), List.of(jlink, "--help")).contains("run-time image enabled"),
        "this JDK cannot link");
    Path image = folder.resolve("image");
    // Not by the tool in this JVM: one with a patched module, as of tests, does not link.
    run(
        Map.of(),
        List.of(
            jlink,
            "--module-path",
            path(library, application),
            "--add-modules",
            "application",
            "--output",
            image.toString()));
    assertUnpackedInTheHome(directory(image, "-m", "application/application.Main"));
  }

  @Test
  void theCacheOfTheEnvironmentGoesBeforeTheHome() throws Exception {
    Path cache = folder.resolve("cache");
    String java = JDK.resolve("bin").resolve("java").toString();
    List<String> command =
        List.of(java, "-Duser.home=" + home, "-cp", path(library, application), "application.Main");
    Path directory = directory(run(Map.of("XDG_CACHE_HOME", cache.toString()), command));
    assertEquals(cache.resolve("kolors4j"), directory.getParent());
    assertEquals(List.of(), files(home));
  }

  /** As a service that is started for another user, or a test: whoever sets it means it. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void theHomeOfTheEnvironmentGoesBeforeThatOfTheListOfUsers() throws Exception {
    Path listed = Files.createDirectory(folder.resolve("listed"));
    String java = JDK.resolve("bin").resolve("java").toString();
    List<String> command =
        List.of(
            java, "-Duser.home=" + listed, "-cp", path(library, application), "application.Main");
    assertUnpackedInTheHome(directory(run(Map.of("HOME", home.toString()), command)));
    assertEquals(List.of(), files(listed));
  }

  @Test
  void aFolderCanBeGivenInItsPlace() throws Exception {
    Path other = folder.resolve("other");
    assertEquals(
        home,
        directory(
            "-Dkolors4j.mini.checkpoint=" + home,
            "-Dkolors4j.mini.extensions=" + other,
            "-cp",
            path(library, application),
            "application.Main"));
    assertEquals(other.resolve("controlnet"), controlNet);
    assertEquals(List.of(), files(home));
  }

  @Test
  void withoutAHomeATemporaryFolderServesUntilTheEnd() throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    for (String none : List.of("?", "", "home")) {
      Path directory =
          directory(
              "-Duser.home=" + none,
              "-Djava.io.tmpdir=" + temporary,
              "-cp",
              path(library, application),
              "application.Main");
      assertTrue(directory.startsWith(temporary), directory.toString());
      assertFalse(Files.exists(directory));
      assertEquals(List.of(), files(temporary));
      assertFalse(Files.exists(folder.resolve(none).resolve(".cache")));
    }
  }

  @Test
  void whereNothingCanBeWrittenToASentenceSaysWhatToDo() throws Exception {
    Path none = folder.resolve("none");
    ProcessBuilder builder =
        new ProcessBuilder(
            JDK.resolve("bin").resolve("java").toString(),
            "-Duser.home=?",
            "-Djava.io.tmpdir=" + none,
            "-cp",
            path(library, application),
            "application.Main");
    builder.environment().remove("HOME");
    builder.environment().remove("XDG_CACHE_HOME");
    Process process = builder.redirectErrorStream(true).start();
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    process.getInputStream().transferTo(said);
    assertEquals(1, process.waitFor());
    String text = said.toString(StandardCharsets.UTF_8);
    assertTrue(
        text.contains(
            "[mini checkpoint] neither a home folder nor " + none + " can be written to: set"),
        text);
  }
}
