package io.github.kolors4j.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.reflect.AccessFlag;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What code on the library's path is able to do, read from its classes: all of the library's
 * modules with their dependencies, and those of the command line and of the tests besides.
 */
class ReachOfTheCodeTest {
  private static final Pattern LIBRARY =
      Pattern.compile(".*\\.(so(\\.\\d+)*|dll|dylib|jnilib|a|exe)");

  /** Methods that bring native code into the JVM. */
  private static final Set<String> LOADERS =
      Set.of(
          "java/lang/System.load",
          "java/lang/System.loadLibrary",
          "java/lang/Runtime.load",
          "java/lang/Runtime.loadLibrary",
          "java/lang/foreign/Linker.nativeLinker",
          "java/lang/foreign/Linker.downcallHandle",
          "java/lang/foreign/SymbolLookup.libraryLookup");

  /** The optional module that makes machine code asks the C library of the process for pages. */
  private static final String ASKS_FOR_PAGES = "io/github/kolors4j/x86/Libc";

  /** Ways out of the process, and formats that run code. */
  private static final Pattern OUTSIDE =
      Pattern.compile(
          "java/net/(?!URI|URL$|URISyntax).*|java/net/http/.*|java/nio/channels/.*Socket.*"
              + "|java/lang/ProcessBuilder|java/io/Object(In|Out)putStream|javax/script/.*|javax/naming/.*"
              + "|java/rmi/.*|sun/misc/Unsafe");

  /**
   * The command line starts its second JVM, the mini checkpoint reads from its own jar, and the hub
   * is there to download.
   */
  private static final Pattern MODULES_OF_THE_LIBRARY =
      Pattern.compile("io/github/kolors4j/(?!cli/|fuzz/|hub/|mini/).*");

  private static final String SERVER = "io/github/kolors4j/server/";

  /** The server listens through a library. By itself it looks at names, and calls nobody. */
  private static final Pattern NAMES =
      Pattern.compile("java/net/(InetAddress|UnknownHostException|URLDecoder)");

  private static final Set<String> FILES = new TreeSet<>();
  private static final List<ClassModel> CLASSES = new ArrayList<>();

  @BeforeAll
  static void readThePath() throws IOException {
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    for (String entry : path.split(File.pathSeparator)) {
      Path place = Path.of(entry);
      if (Files.isDirectory(place)) {
        read(entry, place);
      } else if (Files.exists(place)) {
        try (FileSystem jar = FileSystems.newFileSystem(place)) {
          read(entry, jar.getPath("/"));
        }
      }
    }
    Set<String> names = new TreeSet<>();
    CLASSES.forEach(each -> names.add(each.thisClass().asInternalName()));
    for (String each :
        List.of(
            "io/github/kolors4j/KolorsPipeline",
            "io/github/kolors4j/images/TiffDecoder",
            "com/twelvemonkeys/imageio/plugins/tiff/TIFFImageReader",
            "org/ngengine/webp/decoder/WebPDecoder",
            "org/slf4j/Logger",
            "picocli/CommandLine")) {
      assertTrue(names.contains(each), "the path has no " + each);
    }
  }

  private static void read(String entry, Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        FILES.add(entry + "!" + file);
        if (file.toString().endsWith(".class") && !file.endsWith("module-info.class")) {
          CLASSES.add(ClassFile.of().parse(Files.readAllBytes(file)));
        }
      }
    }
  }

  @Test
  void noFileIsNativeCode() {
    assertEquals(
        List.of(),
        FILES.stream()
            .filter(file -> LIBRARY.matcher(file.toLowerCase(Locale.ROOT)).matches())
            .toList());
  }

  @Test
  void noMethodIsNative() {
    Set<String> found = new TreeSet<>();
    for (ClassModel type : CLASSES) {
      for (MethodModel method : type.methods()) {
        if (method.flags().has(AccessFlag.NATIVE)) {
          found.add(type.thisClass().asInternalName() + "." + method.methodName().stringValue());
        }
      }
    }
    assertEquals(Set.of(), found);
  }

  @Test
  void nothingLoadsANativeLibrary() {
    Set<String> found = new TreeSet<>();
    for (ClassModel type : CLASSES) {
      String name = type.thisClass().asInternalName();
      for (PoolEntry entry : type.constantPool()) {
        if (entry instanceof MemberRefEntry member) {
          String called = member.owner().asInternalName() + "." + member.name().stringValue();
          if (LOADERS.contains(called) && !name.equals(ASKS_FOR_PAGES)) {
            found.add(name + " calls " + called);
          }
        }
      }
    }
    assertEquals(Set.of(), found);
  }

  @Test
  void theLibraryReachesNoNetworkNoProcessAndNoSerializedObject() {
    Set<String> found = new TreeSet<>();
    for (ClassModel type : CLASSES) {
      String name = type.thisClass().asInternalName();
      if (MODULES_OF_THE_LIBRARY.matcher(name).matches()) {
        for (PoolEntry entry : type.constantPool()) {
          if (entry instanceof ClassEntry used
              && OUTSIDE.matcher(used.asInternalName()).matches()
              && !(name.startsWith(SERVER) && NAMES.matcher(used.asInternalName()).matches())) {
            found.add(name + " uses " + used.asInternalName());
          }
        }
      }
    }
    assertEquals(Set.of(), found);
  }
}
