package io.github.kolors4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The layers that {@code docs/architecture.md} promises, drawn from the compiled classes of the
 * library's modules.
 */
class PackageGraphTest {
  private static final String ROOT = "io.github.kolors4j";
  private static final String VECTOR_API = "jdk.incubator.vector";

  /** Names of classes in descriptors and signatures, and the class constants themselves. */
  private static final Pattern NAME = Pattern.compile("L([\\w$]+(?:/[\\w$]+)+)");

  /** From the ground up; a package may use those that stand before it in this list. */
  private static final List<String> FLOORS =
      List.of(
          "safetensors.json",
          "safetensors",
          "tensor.kernel",
          "tensor",
          "tap",
          "events",
          "checkpoint",
          "hub",
          "nn",
          "tokenizer",
          "chatglm",
          "unet",
          "vae",
          "clip",
          "controlnet",
          "ipadapter",
          "estimate",
          "adapter",
          "scheduler",
          "image",
          "request",
          "metadata",
          "prompts",
          "components",
          "run",
          "",
          "service",
          "batch");

  private static final Map<String, Set<String>> USES = uses();

  @Test
  void noPackagesUseEachOtherInACircle() {
    List<String> circles = new ArrayList<>();
    for (String from : USES.keySet()) {
      if (reachable(from).contains(from)) {
        circles.add(from);
      }
    }
    assertEquals(List.of(), circles, "packages that reach themselves: " + USES);
  }

  @Test
  void packagesOfTheCoreUseOnlyThoseBelowThem() {
    for (String from : FLOORS.subList(FLOORS.indexOf("checkpoint"), FLOORS.size())) {
      for (String to : ownUses(from)) {
        String floor = floorOf(to);
        assertTrue(
            FLOORS.indexOf(floor) < FLOORS.indexOf(from), from + " is below " + to + ", not above");
      }
    }
  }

  @Test
  void everyPackageHasAFloor() {
    Set<String> unknown = new TreeSet<>();
    for (String name : USES.keySet()) {
      String own = ownName(name);
      if (own != null && !FLOORS.contains(floorOf(own))) {
        unknown.add(name);
      }
    }
    assertEquals(Set.of(), unknown);
  }

  /** The table of the core's packages, whose rows begin with the names that they describe. */
  @Test
  void theDocumentedOrderIsThisOne() throws IOException {
    String page = Files.readString(Path.of("../docs/architecture.md"));
    String table = page.substring(page.indexOf("## Packages of the core"));
    table = table.substring(0, table.indexOf("\n\n", table.indexOf("|---")));
    List<String> documented =
        Pattern.compile("(?m)^\\| ([^|]*) \\|")
            .matcher(table)
            .results()
            .flatMap(row -> Pattern.compile("`(\\w+)`|the root").matcher(row.group(1)).results())
            .map(name -> name.group(1) == null ? "" : name.group(1))
            .toList();
    assertEquals(FLOORS.subList(FLOORS.indexOf("tap"), FLOORS.size()), documented);
  }

  @Test
  void onlyTheKernelsUseTheVectorApi() {
    Set<String> users = new TreeSet<>();
    USES.forEach(
        (from, to) -> {
          if (to.contains(VECTOR_API)) {
            users.add(from);
          }
        });
    assertEquals(Set.of(ROOT + ".tensor.kernel"), users);
  }

  @Test
  void theHubKnowsFilesAndNoModel() {
    Set<String> allowed = Set.of("safetensors", "safetensors.json");
    for (String to : ownUses("hub")) {
      assertTrue(allowed.contains(floorOf(to)), "hub uses " + to);
    }
  }

  /**
   * It could leave the house: files of its configuration, random numbers, and nothing of models.
   */
  @Test
  void theSchedulersKnowNoModel() {
    Set<String> allowed = Set.of("safetensors", "safetensors.json", "tensor");
    for (String to : ownUses("scheduler")) {
      assertTrue(allowed.contains(floorOf(to)), "scheduler uses " + to);
    }
  }

  @Test
  void filesKnowNoArithmeticAndArithmeticNoFiles() {
    assertTrue(ownUses("safetensors").stream().noneMatch(to -> to.startsWith("tensor")));
    for (String tensor : List.of("tensor", "tensor.ops", "tensor.kernel", "tensor.random")) {
      assertTrue(
          ownUses(tensor).stream().allMatch(to -> to.startsWith("tensor")),
          tensor + ": " + ownUses(tensor));
    }
  }

  /** A test that reads another module's sources breaks when that module is moved or released. */
  @Test
  void noTestReachesIntoAnotherModule() throws IOException {
    Path house = Path.of("").toAbsolutePath().getParent();
    Pattern neighbour = Pattern.compile("\"(?:\\.\\./)+kolors-[\\w/-]+");
    List<String> reaching = new ArrayList<>();
    try (Stream<Path> files = Files.walk(house, 15)) {
      for (Path file :
          files
              .filter(each -> each.toString().contains("/src/test/java/"))
              .filter(each -> each.toString().endsWith(".java"))
              .toList()) {
        Matcher found = neighbour.matcher(Files.readString(file));
        if (found.find()) {
          reaching.add(house.relativize(file) + ": " + found.group());
        }
      }
    }
    assertEquals(List.of(), reaching);
  }

  /** A package's name below the root, the floors of its module's packages taken together. */
  private static String floorOf(String own) {
    String top = own.contains(".") ? own.substring(0, own.indexOf('.')) : own;
    return own.equals("tensor.kernel") || !top.equals("tensor") ? own : top;
  }

  private static Set<String> ownUses(String own) {
    Set<String> uses = new TreeSet<>();
    for (String to : USES.getOrDefault(own.isEmpty() ? ROOT : ROOT + "." + own, Set.of())) {
      String name = ownName(to);
      if (name != null) {
        uses.add(name);
      }
    }
    return uses;
  }

  /** Below the root package; empty for itself, null for a package from elsewhere. */
  private static String ownName(String name) {
    if (name.equals(ROOT)) {
      return "";
    }
    return name.startsWith(ROOT + ".") ? name.substring(ROOT.length() + 1) : null;
  }

  private static Set<String> reachable(String from) {
    Set<String> seen = new TreeSet<>();
    List<String> next = new ArrayList<>(USES.getOrDefault(from, Set.of()));
    while (!next.isEmpty()) {
      String each = next.removeLast();
      if (seen.add(each)) {
        next.addAll(USES.getOrDefault(each, Set.of()));
      }
    }
    return seen;
  }

  /** Which packages each package of the library uses, itself left out. */
  private static Map<String, Set<String>> uses() {
    Map<String, Set<String>> uses = new TreeMap<>();
    for (Class<?> module : List.of(SafetensorsFile.class, Tensor.class, KolorsPipeline.class)) {
      try (Stream<Path> files = Files.walk(classesOf(module))) {
        files
            .filter(file -> file.toString().endsWith(".class"))
            .filter(file -> !file.endsWith("module-info.class"))
            .forEach(file -> addUses(file, uses));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return uses;
  }

  private static Path classesOf(Class<?> type) {
    try {
      Path place = Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
      return Files.isDirectory(place)
          ? place
          : java.nio.file.FileSystems.newFileSystem(place).getPath("/");
    } catch (URISyntaxException | IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void addUses(Path file, Map<String, Set<String>> uses) {
    try {
      ClassModel model = ClassFile.of().parse(Files.readAllBytes(file));
      String from = packageOf(model.thisClass().asInternalName());
      Set<String> to = uses.computeIfAbsent(from, _ -> new TreeSet<>());
      for (PoolEntry entry : model.constantPool()) {
        if (entry instanceof ClassEntry type) {
          to.add(packageOf(type.asInternalName().replaceFirst("^\\[*L?", "")));
        } else if (entry instanceof Utf8Entry text) {
          NAME.matcher(text.stringValue())
              .results()
              .forEach(name -> to.add(packageOf(name.group(1))));
        }
      }
      to.remove(from);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String packageOf(String internalName) {
    int slash = internalName.lastIndexOf('/');
    return slash < 0 ? "" : internalName.substring(0, slash).replace('/', '.');
  }
}
