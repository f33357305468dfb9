package io.github.kolors4j.cli;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
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
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private Relaunch() {}

  /** The arguments as they were typed, whatever this JVM's locale has made of them. */
  static String[] typed(String[] args) {
    String encoded = System.getProperty(ARGUMENTS);
    if (encoded != null) {
      return decode(encoded);
    }
    if (isUtf8() || !Files.isReadable(COMMAND_LINE)) {
      return args;
    }
    try {
      String line = Files.readString(COMMAND_LINE, StandardCharsets.UTF_8);
      // Each argument ends with a NUL; the last ones are ours.
      String[] all = line.split("\0", -1);
      int end = all.length - 1;
      return end >= args.length ? Arrays.copyOfRange(all, end - args.length, end) : args;
    } catch (IOException _) {
      return args; // No UTF-8 after all.
    }
  }

  static boolean isNeeded(String[] args) {
    if (System.getProperty(PROPERTY, "true").equals("false")
        || Relaunch.class.getModule().isNamed()) {
      return false;
    }
    boolean lacksVectors =
        ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()
            && ModuleFinder.ofSystem().find(VECTOR_MODULE).isPresent();
    return lacksVectors || !isUtf8() && !isAscii(args);
  }

  /** Runs the command in a second JVM, to its end. */
  static int run(String[] args) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(args)).inheritIO();
    if (!isUtf8()) {
      builder.environment().put("LC_ALL", "C.UTF-8");
    }
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
    command.addAll(
        tuning(System.getProperty("os.name"), Runtime.getRuntime().availableProcessors()));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(options(System.getenv(OPTIONS)));
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
   */
  static List<String> tuning(String system, int processors) throws IOException {
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
    return options;
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

  private static boolean isUtf8() {
    String name = System.getProperty("sun.jnu.encoding", "UTF-8").toUpperCase(Locale.ROOT);
    return name.replace("-", "").equals("UTF8") || File.separatorChar == '\\';
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
