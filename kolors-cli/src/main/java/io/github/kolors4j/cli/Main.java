package io.github.kolors4j.cli;

import java.io.IOException;
import java.util.Locale;

/** The command line's entry. */
public final class Main {
  private Main() {}

  /**
   * Runs a command and ends the JVM with its exit code.
   *
   * @param args as typed
   */
  public static void main(String[] args) {
    // The language is English: numbers with the digits and commas of another one would be in part
    // of
    // the lines only, as the JDK's own messages have none.
    Locale.setDefault(Locale.ROOT);
    Terminal terminal = Terminal.standard();
    String[] typed;
    try {
      typed = Relaunch.typed(args);
    } catch (UsageException e) {
      terminal.error(String.valueOf(e.getMessage()));
      System.exit(KolorsCommand.USAGE);
      return;
    }
    try {
      if (Relaunch.isNeeded(typed)) {
        System.exit(Relaunch.run(typed));
      }
    } catch (IOException e) {
      terminal.error("[java] cannot start a second JVM, so this one goes on: " + e.getMessage());
    }
    Interruption interruption = new Interruption();
    Thread hook = new Thread(() -> interruption.begin(terminal));
    Runtime.getRuntime().addShutdownHook(hook);
    int exitCode = KolorsCommand.run(terminal, interruption, typed);
    interruption.finish();
    System.exit(exitCode);
  }
}
