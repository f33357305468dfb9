package io.github.kolors4j.cli;

import picocli.CommandLine.Option;

/** Options that every command has. */
final class CommonOptions {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  private boolean help;

  @Option(
      names = "--verbose",
      description = "Show the engine's own messages, and a stack trace where something fails.")
  private boolean verbose;

  /** The option of commands that compute. */
  static final class ThreadsOption {
    @Option(
        names = "--threads",
        paramLabel = "N",
        description = "Compute threads. Default: one a core. The result does not depend on it.")
    private Integer threads;

    int number() {
      if (threads == null) {
        return Runtime.getRuntime().availableProcessors();
      }
      if (threads < 1) {
        throw new UsageException("[threads] " + threads + " threads: use 1 or more.");
      }
      return threads;
    }
  }
}
