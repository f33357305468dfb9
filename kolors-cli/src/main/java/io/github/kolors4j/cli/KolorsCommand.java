package io.github.kolors4j.cli;

import io.github.kolors4j.request.NotFiniteException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command that has the others below it. */
@Command(
    name = KolorsCommand.NAME,
    description = "Makes pictures from text with the Kolors model, on the JVM.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = KolorsCommand.Version.class,
    subcommands = CommandLine.HelpCommand.class,
    footer = {
      "",
      "Exit codes: 0 done, 1 files or memory, 2 arguments, 130 interrupted.",
      "KOLORS_JAVA_OPTS is passed to the JVM."
    })
final class KolorsCommand implements Runnable {
  static final String NAME = "kolors";

  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int INTERRUPTED = 130;

  private static final int HELP_WIDTH = 100;

  private static final String LOST_OUTPUT =
      "[output] standard output could not be written to, so results are lost: is the disk full, or"
          + " has the program ended that reads them?";

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** Runs a command line and says what became of it. */
  static int run(Terminal terminal, Interruption interruption, String... args) {
    boolean verbose =
        Arrays.stream(args).takeWhile(arg -> !arg.equals("--")).anyMatch("--verbose"::equals);
    if (verbose) {
      System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
    }
    PrintWriter out = writer(terminal.out());
    PrintWriter err = writer(terminal.err());
    try {
      int exitCode =
          commandLine(terminal, interruption, args)
              .setOut(out)
              .setErr(err)
              .setParameterExceptionHandler(
                  (e, _) -> {
                    report(terminal, interruption, parsing(e, args), e, verbose);
                    return USAGE;
                  })
              .setExecutionExceptionHandler(
                  (e, _, _) -> failed(terminal, interruption, unwrapped(e), verbose))
              .execute(args);
      out.flush();
      if (exitCode == OK && terminal.out().checkError()) {
        terminal.error(LOST_OUTPUT + interruption.saved());
        return FAILED;
      }
      return exitCode;
    } catch (Error e) { // out of memory, as a rule: picocli passes these on
      report(terminal, interruption, sentence(e), e, verbose);
      return FAILED;
    } finally {
      out.flush();
      err.flush();
    }
  }

  /**
   * The parser for some arguments. Where they begin with a command it knows that one alone: to read
   * the options of all takes picocli a tenth of a second.
   */
  private static CommandLine commandLine(
      Terminal terminal, Interruption interruption, String[] args) {
    Map<String, Supplier<Callable<Integer>>> commands = commands(terminal, interruption);
    if (args.length > 0 && commands.containsKey(args[0])) {
      commands.keySet().retainAll(List.of(args[0]));
    }
    CommandLine commandLine = new CommandLine(new KolorsCommand());
    commands.forEach((name, command) -> commandLine.addSubcommand(name, command.get()));
    return commandLine.setExpandAtFiles(false).setUsageHelpWidth(HELP_WIDTH);
  }

  /** The parser of all commands. */
  static CommandLine whole(Terminal terminal, Interruption interruption) {
    return commandLine(terminal, interruption, new String[0]);
  }

  private static Map<String, Supplier<Callable<Integer>>> commands(
      Terminal terminal, Interruption interruption) {
    Map<String, Supplier<Callable<Integer>>> commands = new LinkedHashMap<>();
    commands.put("generate", () -> new GenerateCommand(terminal, interruption));
    commands.put("batch", () -> new BatchCommand(terminal, interruption));
    commands.put("estimate", () -> new EstimateCommand(terminal, interruption));
    commands.put("replay", () -> new ReplayCommand(terminal, interruption));
    commands.put("show", () -> new ShowCommand(terminal));
    commands.put("encode", () -> new EncodeCommand(terminal, interruption));
    commands.put("tokenize", () -> new TokenizeCommand(terminal, interruption));
    commands.put("inspect", () -> new InspectCommand(terminal));
    commands.put("quantize", () -> new QuantizeCommand(terminal, interruption));
    commands.put("pull", () -> new PullCommand(terminal, interruption));
    commands.put("cache", () -> new CacheCommand(terminal, interruption));
    commands.put("serve", () -> new ServeCommand(terminal, interruption));
    commands.put("schedulers", () -> new SchedulersCommand(terminal));
    commands.put("doctor", () -> new DoctorCommand(terminal));
    commands.put("synthesize", () -> new SynthesizeCommand(terminal, interruption));
    commands.put("bench", () -> new BenchCommand(terminal, interruption));
    commands.put("completion", () -> new CompletionCommand(terminal, interruption));
    return commands;
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "[arguments] no command: use " + String.join(", ", spec.subcommands().keySet()));
  }

  /** The fault of a file that was opened where only unchecked exceptions can pass. */
  private static Exception unwrapped(Exception e) {
    return e instanceof UncheckedIOException unchecked
        ? Objects.requireNonNullElse(unchecked.getCause(), e)
        : e;
  }

  private static int failed(
      Terminal terminal, Interruption interruption, Exception e, boolean verbose) {
    if (e instanceof CancellationException || interruption.begun()) {
      if (!interruption.begun()) {
        report(terminal, interruption, sentence(e), e, verbose);
      }
      return INTERRUPTED;
    }
    report(terminal, interruption, sentence(e), e, verbose);
    return e instanceof UsageException || e instanceof InvalidPathException ? USAGE : FAILED;
  }

  /** One line, whatever a library has put into its message. */
  private static void report(
      Terminal terminal, Interruption interruption, String message, Throwable e, boolean verbose) {
    String line = message.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    boolean ends = line.endsWith(".") || line.endsWith("?");
    terminal.error((ends ? line : line + ".") + interruption.saved());
    if (verbose) {
      e.printStackTrace(terminal.err());
    }
  }

  private static String parsing(ParameterException e, String... args) {
    String message =
        e instanceof UnmatchedArgumentException unknown
            ? UnknownArgument.sentence(unknown)
            : String.valueOf(e.getMessage());
    String help = e.getCommandLine().getCommandSpec().qualifiedName() + " --help";
    if (e instanceof UnmatchedArgumentException unmatched) {
      message += UnknownArgument.hint(unmatched, args);
    }
    return (message.startsWith("[") ? message : "[arguments] " + message)
        + (message.endsWith("?") ? " See " : "; see ")
        + help;
  }

  /** A sentence for what the JDK says in a word or two. */
  static String sentence(Throwable e) {
    String message = Optional.ofNullable(e.getMessage()).orElse("");
    if (e instanceof NotFiniteException) {
      // what the library's methods are called by here
      return message
          .replace("KolorsPipeline.Builder.checkWeights()", "inspect --check")
          .replace("Compatibility.DIFFUSERS", "--compat diffusers");
    }
    if (message.startsWith("[")) {
      return message;
    }
    return switch (e) {
      case OutOfMemoryError _ ->
          "[memory] the Java heap is too small (%s): use a smaller picture, or %s=-Xmx… for more."
              .formatted(message, Relaunch.OPTIONS);
      case NoSuchFileException _ -> "[file] " + message + " does not exist";
      case NotDirectoryException _ -> "[file] " + message + " is not a folder";
      case AccessDeniedException _ -> "[file] " + message + ": permission denied";
      case FileSystemException _, IOException _ -> "[file] " + message;
      case InvalidPathException _ -> "[arguments] not a file name: " + message;
      default -> "[internal] " + e + ": this should not happen; --verbose shows where";
    };
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, stream.charset()), true);
  }

  /** Reads the version that the build has written. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      Properties properties = new Properties();
      try (InputStream in = KolorsCommand.class.getResourceAsStream("version.properties")) {
        if (in != null) {
          properties.load(in);
        }
      }
      return List.of("kolors4j " + properties.getProperty("version", "(unknown version)"))
          .toArray(String[]::new);
    }
  }
}
