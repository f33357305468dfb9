package io.github.kolors4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command writes to.
 *
 * @param out results, and nothing else
 * @param err progress, warnings and errors
 * @param interactive whether {@code err} is a screen, on which a line can be overwritten
 */
record Terminal(PrintStream out, PrintStream err, boolean interactive) {
  /** Longest line about what went wrong: an argument or a name from a file may be of any length. */
  private static final int MOST_LETTERS = 2_000;

  private static final int LAST_LETTERS = 500;

  /** The process's own streams. */
  static Terminal standard() {
    return new Terminal(
        utf8(System.out, FileDescriptor.out), utf8(System.err, FileDescriptor.err), isScreen());
  }

  /** One sentence about what went wrong. */
  void error(String sentence) {
    err.println(KolorsCommand.NAME + ": " + cut(sentence));
  }

  /** One sentence about what goes on in spite of something. */
  void warn(String sentence) {
    err.println(KolorsCommand.NAME + ": warning: " + cut(sentence));
  }

  /** Without the middle of what is too long: its end has the rule and the next step. */
  static String cut(String sentence) {
    int length = sentence.length();
    return length <= MOST_LETTERS
        ? sentence
        : sentence.substring(0, MOST_LETTERS - LAST_LETTERS)
            + " ... "
            + sentence.substring(length - LAST_LETTERS);
  }

  /** Without a locale Java writes ASCII, and file names would come out as question marks. */
  private static PrintStream utf8(PrintStream stream, FileDescriptor descriptor) {
    return stream.charset().equals(StandardCharsets.US_ASCII)
        ? new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8)
        : stream;
  }

  /** Java tells about standard input and output only; Linux also about standard error. */
  private static boolean isScreen() {
    Path link = Path.of("/proc/self/fd/2");
    try {
      if (Files.isSymbolicLink(link)) {
        String device = Files.readSymbolicLink(link).toString();
        return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
      }
    } catch (IOException _) {
      // Then as elsewhere.
    }
    return isConsole();
  }

  /** Whether somebody is there who reads and answers. */
  @SuppressWarnings("SystemConsoleNull") // it is where there is no java.base console either
  static boolean isConsole() {
    return System.console() != null && System.console().isTerminal();
  }
}
