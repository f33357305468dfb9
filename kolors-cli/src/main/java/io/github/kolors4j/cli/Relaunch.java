package io.github.kolors4j.cli;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Starts the same command in a second JVM, where the first one was started as {@code java -jar}
 * without what it takes: a manifest cannot add the module of the vector kernels, and under a locale
 * without Chinese the names of files cannot be Chinese.
 *
 * <p>{@code -Dkolors4j.relaunch=false} keeps everything in the first JVM.
 */
final class Relaunch {
  static final String PROPERTY = "kolors4j.relaunch";
  static final String ARGUMENTS = "kolors4j.args";
  static final String OPTIONS = "KOLORS_JAVA_OPTS";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private static final List<String> NOT_INHERITED =
      List.of(
          "-agentlib:jdwp",
          "-Xrunjdwp",
          "-Xdebug",
          "-Dcom.sun.management.",
          "-XX:+ManagementServer");

  /** Variables that every JVM reads. */
  private static final List<String> JVM_VARIABLES =
      List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  private static final Pattern MAXIMUM_HEAP =
      Pattern.compile("(?:-Xmx|-XX:MaxHeapSize=)([0-9]+[kKmMgGtT]?)");

  /** As {@code java.options} has it. */
  private static final long INITIAL_HEAP = 48L << 20;

  private Relaunch() {}

  /**
   * The arguments as they were typed, whatever this JVM's locale has made of them.
   *
   * @throws UsageException if they are no text
   */
  static String[] typed(String[] args) {
    String encoded = System.getProperty(ARGUMENTS);
    return encoded != null ? decode(encoded) : CommandLineText.of(args);
  }

  static boolean isNeeded(String[] args) {
    if (System.getProperty(PROPERTY, "true").equals("false")
        || Relaunch.class.getModule().isNamed()) {
      return false;
    }
    boolean lacksVectors =
        ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()
            && ModuleFinder.ofSystem().find(VECTOR_MODULE).isPresent();
    return lacksVectors || (CommandLineText.isAsciiLocale() && !isAscii(args));
  }

  /** Runs the command in a second JVM, to its end. */
  static int run(String[] args) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(args)).inheritIO();
    Map<String, String> environment = builder.environment();
    if (CommandLineText.isAsciiLocale()) {
      environment.put("LC_ALL", "C.UTF-8");
    }
    JVM_VARIABLES.forEach(name -> environment.computeIfPresent(name, (_, text) -> inherited(text)));
    Process process = builder.start();
    // Ctrl-C reaches both; a signal to this process alone is handed on.
    Thread hook =
        new Thread(
            () -> {
              process.destroy();
              waitFor(process);
            });
    Runtime.getRuntime().addShutdownHook(hook);
    return waitFor(process);
  }

  /** The second JVM's command line. */
  static List<String> command(String[] args) throws IOException {
    String name = File.separatorChar == '\\' ? "java.exe" : "java";
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", name).toString());
    List<String> given = new ArrayList<>();
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(Relaunch::isInherited)
        .forEach(given::add);
    given.addAll(options(System.getenv(OPTIONS)));
    command.addAll(
        tuning(System.getProperty("os.name"), Runtime.getRuntime().availableProcessors(), given));
    command.addAll(given);
    command.addAll(List.of("--add-modules", VECTOR_MODULE));
    command.add("--enable-native-access=ALL-UNNAMED"); // for the machine code of --precision
    command.add("-D" + PROPERTY + "=false");
    if (!isAscii(args)) {
      command.add("-D" + ARGUMENTS + "=" + encode(args));
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    if (isAscii(args)) {
      command.addAll(List.of(args));
    }
    return command;
  }

  /**
   * The options that the script gives, for its reasons: huge pages where the JVM knows them, a
   * second compiler of fast code where there would be one, and those of {@code java.options}.
   *
   * @param given the options that follow them
   */
  static List<String> tuning(String system, int processors, List<String> given) throws IOException {
    List<String> options = new ArrayList<>();
    if (system.equals("Linux")) {
      options.add("-XX:+UseTransparentHugePages");
    }
    if (processors < 4) {
      options.add("-XX:CICompilerCount=3");
    }
    try (InputStream file = Relaunch.class.getResourceAsStream("java.options")) {
      new String(file.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> line.startsWith("-"))
          .forEach(options::add);
    }
    smallHeap(given).ifPresent(size -> options.add("-Xms" + size));
    return options;
  }

  /**
   * The largest heap that was asked for, where it is smaller than the initial one of {@code
   * java.options}: the JVM would not start with both.
   */
  private static Optional<String> smallHeap(List<String> given) {
    String heap = "";
    for (String option : given) {
      Matcher form = MAXIMUM_HEAP.matcher(option);
      if (form.matches()) {
        heap = form.group(1);
      }
    }
    return Optional.of(heap).filter(size -> !size.isEmpty() && bytes(size) < INITIAL_HEAP);
  }

  /** Of a size as {@code 40m}; infinite where it is of more digits than a heap can have. */
  private static double bytes(String size) {
    double number = Double.parseDouble(size.replaceFirst("[a-zA-Z]$", ""));
    return switch (Character.toLowerCase(size.charAt(size.length() - 1))) {
      case 'k' -> number * (1L << 10);
      case 'm' -> number * (1L << 20);
      case 'g' -> number * (1L << 30);
      case 't' -> number * (1L << 40);
      default -> number;
    };
  }

  /**
   * Whether the second JVM gets an option of the first: not those of a debugger or of JMX, which
   * have a port that the first one holds.
   */
  static boolean isInherited(String option) {
    return NOT_INHERITED.stream().noneMatch(option::startsWith);
  }

  /** The options of an environment variable, without those that are not inherited. */
  private static String inherited(String text) {
    return Arrays.stream(text.split("\\s+"))
        .filter(Relaunch::isInherited)
        .collect(Collectors.joining(" "));
  }

  /** Split at white space, as the script does it. */
  static List<String> options(String text) {
    return text == null || text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
  }

  static String encode(String[] args) {
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    return Arrays.stream(args)
        .map(arg -> base64.encodeToString(arg.getBytes(StandardCharsets.UTF_8)))
        .map(code -> code + ".")
        .collect(Collectors.joining());
  }

  static String[] decode(String encoded) {
    return Arrays.stream(encoded.split("\\.", -1))
        .limit(encoded.chars().filter(c -> c == '.').count())
        .map(code -> new String(Base64.getUrlDecoder().decode(code), StandardCharsets.UTF_8))
        .toArray(String[]::new);
  }

  private static boolean isAscii(String[] args) {
    return Arrays.stream(args).allMatch(StandardCharsets.US_ASCII.newEncoder()::canEncode);
  }

  private static int waitFor(Process process) {
    while (true) {
      try {
        return process.waitFor();
      } catch (InterruptedException _) {
        process.destroy();
      }
    }
  }
}
